"""`monitor:` of metricgate.yaml: what is watched, against what, and how far it may move."""

from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, Field, model_validator

from metricgate.settings.retrain import Duration
from metricgate.settings.values import Names, Number, PolicySection

Shown = Literal["fail", "warn"]
Redaction = Literal["values", "names"]


class MonitorMargins(PolicySection):
    """How far a column may move before it has drifted."""

    moved: Number = Field(
        0.05, gt=0, lt=1, description="Share of rows that moved: below any value of a number, or between categories."
    )
    distance: Number = Field(
        0.1, gt=0, description="Mean distance by which rows moved, in standard deviations of the reference."
    )
    new: Number = Field(
        0.01, gt=0, lt=1, description="Share of rows in values that the reference lacks, beyond what it lets expect."
    )
    missing: Number = Field(0.02, gt=0, lt=1, description="Change of the share of missing values.")
    classifier: Number = Field(
        0.55,
        gt=0.5,
        lt=1,
        description="ROC AUC of a classifier that tells current from reference rows: what only shows jointly.",
    )


DEFAULT_MARGINS = MonitorMargins()


class WatchedFeatureSpec(PolicySection):
    """What differs for one feature: its type, its margins, who answers for it."""

    type: Literal["number", "category"] | None = Field(None, description="What it holds, where that is not plain.")
    moved: Number | None = Field(None, gt=0, le=1, description="Its own margin, as under `margins`.")
    distance: Number | None = Field(None, gt=0, description="Its own margin.")
    new: Number | None = Field(None, gt=0, le=1, description="Its own margin.")
    missing: Number | None = Field(None, gt=0, le=1, description="Its own margin.")
    owner: str | None = Field(None, description="Who answers for it; named wherever it drifts.")


def _read_table(raw: Any) -> Any:
    return {"path": raw} if isinstance(raw, str) else raw


class WatchedTableSpec(PolicySection):
    """A table: a file of the checkout, in Git or under DVC, or the file as it was at a revision."""

    path: str = Field(min_length=1, description="CSV, Parquet or JSON Lines file, in Git, under DVC or just there.")
    revision: str | None = Field(None, description="Tag, branch or commit at which the file is read.")


class LabelsSpec(PolicySection):
    """The true labels, which may come late, and one class before the other."""

    column: str = Field(description="Column with the true label; empty where it is not known yet.")
    delay: Duration | None = Field(
        None, description="How long a label takes: rows younger than this are counted and not judged. Needs `time`."
    )


class DetectorSpec(PolicySection):
    """A class of the project's own Python that looks at the numbers of a sample of both tables."""

    name: str = Field(alias="class", pattern=r"^[A-Za-z_][\w.]*:[A-Za-z_]\w*$", description="`package.module:Class`.")
    options: dict[str, bool | int | float | str] = Field(
        default_factory=dict, description="What the class is made with."
    )
    max: Number | None = Field(None, description="Its number must be at most this. Without it, it decides nothing.")
    rows: Annotated[int, Field(ge=10, le=20_000)] = Field(5_000, description="Rows of each side that it sees at most.")


def _read_detector(raw: Any) -> Any:
    return {"class": raw} if isinstance(raw, str) else raw


def _read_labels(raw: Any) -> Any:
    return {"column": raw} if isinstance(raw, str) else raw


class ShownSpec(PolicySection):
    """What a shown drift or loss does: fail the run, or warn."""

    features: Shown = Field("warn", description="A feature that drifted, or all of them taken together.")
    predictions: Shown = Field("fail", description="Predictions that drifted.")
    performance: Shown = Field("fail", description="A metric that lost more than is allowed.")


Table = Annotated[WatchedTableSpec, BeforeValidator(_read_table, json_schema_input_type=str | WatchedTableSpec)]


class MonitorSpec(PolicySection):
    """What is watched, against what, and how far it may move."""

    current: Table = Field(description="The fresh rows: a path, or `{path: …, revision: …}`.")
    reference: Table | None = Field(
        None,
        description="What they are compared with. Default: `evaluation.data` of the released revision. For a season, "
        "the same month a year ago.",
    )
    command: str | None = Field(
        None, description="Shell command that writes the fresh rows, such as a warehouse query; run like a stage."
    )
    features: Names | dict[str, WatchedFeatureSpec] = Field(
        (),
        description="A list: watch these columns and no others. A mapping: what differs for these, all being watched. "
        "Default: all columns of the reference.",
    )
    ignore: Names = Field((), description="Columns that are not watched.")
    id: Names = Field((), description="Column, or list of columns, that names a row. Not watched.")
    time: str | None = Field(None, description="Column with the time of a row. Not watched.")
    group: str | None = Field(
        None, description="Column whose equal values mark rows that depend on each other: a customer, a device."
    )
    predictions: Names = Field((), description="Columns with the model's answers. Default: those of `predictions`.")
    labels: Annotated[LabelsSpec | None, BeforeValidator(_read_labels, json_schema_input_type=str | LabelsSpec)] = (
        Field(None, description="Column with the true label, or `{column: …, delay: 30d}`.")
    )
    detector: Annotated[
        DetectorSpec | None, BeforeValidator(_read_detector, json_schema_input_type=str | DetectorSpec)
    ] = Field(None, description="A detector of your own: `package.module:Class`, or `{class: …, max: 0.1}`.")
    margins: MonitorMargins = Field(DEFAULT_MARGINS, description="How far a column may move before it has drifted.")
    shown: ShownSpec = Field(default_factory=ShownSpec, description="What a shown drift or loss does.")
    issue: bool = Field(
        False,
        description="Keep one issue open while something drifted, was lost, is too old or cannot be judged, until two runs in "
        "a row are clean.",
    )
    max_age: Duration | None = Field(None, description="Older fresh data fails the run: silence is not health.")
    redact: Redaction | None = Field(
        None, description="Show no value of the data in a report (`values`), or no name of a feature either (`names`)."
    )

    @property
    def unwatched(self) -> frozenset[str]:
        """The columns that are no features: keys, times, labels, the model's answers, and what is ignored."""
        keys = (*self.id, *self.predictions, *self.ignore, self.time, self.group, self.labels and self.labels.column)
        return frozenset(key for key in keys if key)

    def find_feature(self, name: str) -> WatchedFeatureSpec:
        """Return what differs for one feature."""
        own = self.features.get(name) if isinstance(self.features, dict) else None
        return own or WatchedFeatureSpec()

    @model_validator(mode="after")
    def _has_time_for_delay(self) -> Self:
        if self.labels is not None and self.labels.delay is not None and self.time is None:
            raise ValueError("has labels.delay, which needs time: the column with the time of a row")
        return self
