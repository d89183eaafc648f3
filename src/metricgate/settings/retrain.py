"""`retrain:` of metricgate.yaml: when a model is due, what must be there first, and what a retrained one must show."""

import re
from datetime import date, timedelta
from typing import Annotated, Any, Self

from pydantic import BeforeValidator, Field, PlainSerializer, field_validator, model_validator

from metricgate.settings.values import MarginField, Names, Number, PolicySection

_UNITS = {"h": timedelta(hours=1), "d": timedelta(days=1), "w": timedelta(weeks=1)}
_DURATION = r"^\s*([1-9][0-9]{0,4})\s*([hdw])\s*$"
_WANTED = "must be a time such as 12h, 30d or 6w"


def _read_duration(raw: Any) -> Any:
    if isinstance(raw, timedelta):
        return raw
    match = re.fullmatch(_DURATION, raw) if isinstance(raw, str) else None
    if match is None:
        raise ValueError(_WANTED)
    return int(match[1]) * _UNITS[match[2]]


def _write_duration(value: timedelta) -> str:
    hours = round(value.total_seconds() / 3600)
    return f"{hours}h" if hours % 24 else f"{hours // 24}d"


_WrittenDuration = Annotated[str, Field(pattern=_DURATION, json_schema_extra={"format": "time span"})]
Duration = Annotated[
    timedelta,
    BeforeValidator(_read_duration, json_schema_input_type=_WrittenDuration),
    PlainSerializer(_write_duration, return_type=str),
]


def _read_drift(raw: Any) -> Any:
    if isinstance(raw, bool):
        return raw
    return (raw,) if isinstance(raw, str) else raw


class RetrainWhenSpec(PolicySection):
    """What makes a model due; each key is a reason of its own."""

    max_age: Duration | None = Field(None, description="The released model is older than this: 90d, 12h, 6w.")
    new_data: bool = Field(True, description="The source of a DVC import has newer data.")
    drift: Annotated[bool | tuple[str, ...], BeforeValidator(_read_drift)] = Field(
        False,
        description="`monitor` shows that one of these moved: features by name, `predictions`, or `true` for any.",
    )
    performance: bool = Field(False, description="`monitor` shows that the released model lost more than is allowed.")


class FreezeSpec(PolicySection):
    """Days on which nothing is trained, both ends included."""

    start: date = Field(alias="from", description="First day, such as 2026-12-20.")
    end: date = Field(alias="to", description="Last day.")
    reason: str | None = Field(None, description="Why, for people.")

    @model_validator(mode="after")
    def _ends_after_start(self) -> Self:
        if self.end < self.start:
            raise ValueError(f"ends on {self.end}, before it starts on {self.start}")
        return self


class RetrainSpec(PolicySection):
    """When the model is retrained, and what a retrained model must show before it is offered."""

    when: RetrainWhenSpec = Field(default_factory=RetrainWhenSpec, description="What makes the model due.")
    min_rows: Annotated[int | None, Field(ge=1)] = Field(
        None, description="New labelled rows that must have arrived in the imports before anything is trained."
    )
    min_gain: dict[str, MarginField] = Field(
        default_factory=dict,
        description="Metric and the gain that must be shown where performance was the reason: `{roc_auc: 0}`.",
    )
    cooldown: Duration = Field(
        timedelta(days=30),
        description="How long nothing is trained after two trainings in a row that did not help.",
        json_schema_extra={"default": "30d"},
    )
    approval: bool = Field(False, description="Wait until a person ticks the box on the dashboard before training.")
    freeze: tuple[FreezeSpec, ...] = Field((), description="Days on which nothing is trained.")
    max_minutes: Annotated[Number, Field(gt=0)] | None = Field(
        None, description="What a training may cost: it is stopped after this, and not begun if the last one took more."
    )
    dashboard: bool = Field(
        True, description="Keep one issue that says what is due, open or waiting, with boxes that people can tick."
    )
    branch: str = Field("metricgate/retrain", description="Branch of the one pull request.")
    labels: Names = Field(("retrain",), description="Labels of that pull request.")

    def name_branch(self, id_: str) -> str:
        """Return the branch of one set-up: where none is named, those of one repository do not share it."""
        is_shared = id_ == "default" or "branch" in self.model_fields_set
        return self.branch if is_shared else f"{self.branch}-{id_.replace('.', '-2e')}"

    @field_validator("branch")
    @classmethod
    def _is_branch(cls, value: str) -> str:
        # As `git check-ref-format` has it, and nothing that a shell or a link would read differently.
        plain = re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_-]*(?:[./][A-Za-z0-9][A-Za-z0-9_-]*){0,9}", value)
        if plain is None or len(value) > 100 or value.endswith(".lock"):
            raise ValueError("must be the name of a branch such as metricgate/retrain")
        return value
