"""The policy: what metricgate.yaml says. Field names are the file's keys."""

import re
from typing import Annotated, Any, Literal, Self

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Discriminator,
    Field,
    PlainSerializer,
    Tag,
    field_validator,
    model_validator,
)

from metricgate.models.outcome import Role

FILE_NAME = "metricgate.yaml"


class Section(BaseModel):
    """A part of the file: frozen, and no unknown keys."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False, str_strip_whitespace=True)


def _as_tuple(value: Any) -> Any:
    return (value,) if isinstance(value, str) else value


Names = Annotated[tuple[str, ...], BeforeValidator(_as_tuple)]
LabelValue = bool | int | float | str


class Margin(BaseModel):
    """How much a metric may change: ``value`` in its own unit or, with ``relative``, as a share of the baseline."""

    model_config = ConfigDict(frozen=True)

    value: float
    relative: bool = False

    def __str__(self) -> str:
        return f"{self.value * 100:g}%" if self.relative else f"{self.value:g}"


def _read_margin(raw: Any) -> Any:
    if isinstance(raw, Margin):
        return raw
    if isinstance(raw, str):
        match = re.fullmatch(r"\s*([0-9]*\.?[0-9]+)\s*%\s*", raw)
        if match is None:
            raise ValueError("must be a number such as 0.01, or a percentage of the baseline such as 5%")
        return Margin(value=float(match[1]) / 100, relative=True)
    if isinstance(raw, bool) or not isinstance(raw, int | float):
        raise ValueError("must be a number such as 0.01, or a percentage of the baseline such as 5%")  # noqa: TRY004  pydantic reports no TypeError
    if raw < 0:
        raise ValueError("must not be negative: the key already says the direction")
    return Margin(value=float(raw))


MarginField = Annotated[
    Margin,
    BeforeValidator(_read_margin, json_schema_input_type=float | str),
    PlainSerializer(str, return_type=str),
]


class PredictionsSpec(Section):
    """Where the predictions lie and what their columns mean."""

    path: str = Field(description="File that the pipeline writes, or a file in Git: CSV, Parquet or JSON Lines.")
    id: Names = Field((), description="Column, or list of columns, that joins baseline and candidate.")
    label: str | None = Field(None, description="Column with the true label.")
    prediction: str | None = Field(None, description="Column with the predicted label or value.")
    score: str | None = Field(None, description="Column with the score of the positive class.")
    scores: dict[str, str] | None = Field(None, description="Class to score column, for several classes.")
    positive: LabelValue | None = Field(None, description="The positive label; default 1, True, Yes, yes.")
    classes: tuple[LabelValue, ...] | None = Field(None, description="All classes, for several classes.")
    threshold: float = Field(0.5, description="A score at or above it predicts the positive class.")
    task: Literal["binary", "multiclass", "regression", "score"] | None = Field(None, description="Inferred if absent.")
    slices: Names = Field((), description="Text, boolean or few-valued columns to judge separately.")
    group: str | None = Field(None, description="Column whose equal values mark rows that are not independent.")
    weight: str | None = Field(None, description="Column with the weight of each row.")
    on_unpaired: Literal["common", "refuse"] = Field("common", description="What to do with rows on one side only.")


class GateSpec(Section):
    """One rule. Exactly one of ``min``, ``max``, ``max_drop``, ``max_increase`` and ``min_gain`` says what is asked."""

    metric: str
    set: str | None = Field(None, description="Name of the prediction set, where there are several.")
    slices: Names = Field((), description="Judge every value of these slice columns instead of all rows.")
    role: Role | None = Field(None, description="Default: required for all rows, guardrail for slices.")
    min: float | None = Field(None, description="The candidate's value must be at least this.")
    max: float | None = Field(None, description="The candidate's value must be at most this.")
    max_drop: MarginField | None = Field(None, description="How much a higher-is-better metric may lose.")
    max_increase: MarginField | None = Field(None, description="How much a lower-is-better metric may rise.")
    min_gain: MarginField | None = Field(None, description="How much better the candidate must be shown to be.")
    confident: bool = Field(False, description="For min and max: the interval's bound must clear the bar too.")

    @model_validator(mode="after")
    def _has_one_rule(self) -> Self:
        given = [
            key for key in ("min", "max", "max_drop", "max_increase", "min_gain") if getattr(self, key) is not None
        ]
        if not given:
            raise ValueError("a gate needs one of min, max, max_drop, max_increase or min_gain")
        if len(given) > 1 and set(given) != {"min", "max"}:
            raise ValueError(f"a gate has one rule, found {' and '.join(given)}: write two gates")
        if self.confident and self.min is None and self.max is None:
            raise ValueError("confident belongs to min and max; relative gates always use the interval")
        return self


class AnchorSpec(Section):
    """A frozen release with a wider margin of its own, so that small losses do not add up."""

    revision: str
    max_drop: dict[str, MarginField] = Field(default_factory=dict)
    max_increase: dict[str, MarginField] = Field(default_factory=dict)


class PipelineSpec(Section):
    """How the candidate is produced."""

    command: str | None = Field(None, description="Shell command to run instead of `dvc repro`.")
    requirements: str | None = Field(None, description="requirements file, pyproject.toml or uv.lock for the stages.")
    python_version: str | None = Field(None, description="Python for the stages' own environment, such as 3.12.")
    setup_command: str | None = Field(None, description="Shell command to run before, for system packages.")
    metrics: Names = Field((), description="Metrics files that `command` writes, where no dvc.yaml names them.")


class EvaluationSpec(Section):
    """How a stored model is judged on given data, without training."""

    command: str
    model: str
    data: str


PREDICTION_TAGS = ("one set", "named sets")


def _tag_predictions(value: Any) -> str:
    """Say whether ``predictions:`` is one set or a mapping of named ones, so that a mistake is told of one only."""
    named = (
        isinstance(value, dict) and value and all(isinstance(part, dict | PredictionsSpec) for part in value.values())
    )
    return PREDICTION_TAGS[1] if named else PREDICTION_TAGS[0]


PredictionsField = Annotated[
    Annotated[PredictionsSpec, Tag(PREDICTION_TAGS[0])]
    | Annotated[dict[str, PredictionsSpec], Tag(PREDICTION_TAGS[1])],
    Discriminator(_tag_predictions),
]


class Policy(Section):
    """The whole file."""

    predictions: PredictionsField | None = None
    confidence: float = Field(0.95, gt=0.5, lt=1.0, description="Two-sided confidence of every interval.")
    anchor: AnchorSpec | None = None
    on_inconclusive: Literal["warn", "fail", "pass"] = "warn"
    gates: tuple[GateSpec, ...] = ()
    pipeline: PipelineSpec = Field(default_factory=PipelineSpec)
    evaluation: EvaluationSpec | None = None

    @field_validator("gates", mode="before")
    @classmethod
    def _empty_is_none(cls, value: Any) -> Any:
        return () if value is None else value

    @property
    def prediction_sets(self) -> dict[str, PredictionsSpec]:
        """The prediction sets by name; a single unnamed one has the name ``""``."""
        if self.predictions is None:
            return {}
        return {"": self.predictions} if isinstance(self.predictions, PredictionsSpec) else dict(self.predictions)

    @property
    def metric_names(self) -> tuple[str, ...]:
        """The metrics that gates and anchor name, as they are written."""
        anchored = (*self.anchor.max_drop, *self.anchor.max_increase) if self.anchor else ()
        return (*(gate.metric for gate in self.gates), *anchored)
