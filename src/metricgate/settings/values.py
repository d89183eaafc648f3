"""The kinds of values that the policy's keys take, each refusing what it cannot mean."""

import math
import re
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, PlainSerializer

_PERCENTAGE = r"^\s*([0-9]*\.?[0-9]+)\s*%\s*$"
_MARGIN = "must be a number such as 0.01, or a percentage of the baseline such as 5%"


class PolicySection(BaseModel):
    """A part of the file: frozen, and no unknown keys."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False, str_strip_whitespace=True)


class Margin(BaseModel):
    """How much a metric may change: ``value`` in its own unit or, with ``relative``, as a share of the baseline."""

    model_config = ConfigDict(frozen=True, allow_inf_nan=False)

    value: float
    relative: bool = False

    def __str__(self) -> str:
        return f"{self.value * 100:g}%" if self.relative else f"{self.value:g}"


def _read_margin(raw: Any) -> Any:
    if isinstance(raw, Margin):
        return raw
    if isinstance(raw, str):
        match = re.fullmatch(_PERCENTAGE, raw)
        if match is None:
            raise ValueError(_MARGIN)
        return Margin(value=float(match[1]) / 100, relative=True)
    # A margin of NaN or infinity would let everything pass.
    if isinstance(raw, bool) or not isinstance(raw, int | float) or not math.isfinite(raw):
        raise ValueError(_MARGIN)
    if raw < 0:
        raise ValueError("must not be negative: the key already says the direction")
    return Margin(value=float(raw))


def _refuse_bool(raw: Any) -> Any:
    if isinstance(raw, bool):
        raise ValueError("must be a number, found true or false")  # noqa: TRY004  pydantic reports no TypeError
    return raw


def _as_tuple(raw: Any) -> Any:
    if raw is None:
        return ()
    return (raw,) if isinstance(raw, str) else raw


def _require_scalar(raw: Any) -> Any:
    if raw is not None and not isinstance(raw, bool | int | float | str):
        raise ValueError("must be a single value: text, a number, true or false")
    return raw


def _require_parameter(raw: Any) -> Any:
    if isinstance(raw, dict):
        raise ValueError("must be a value: write names with dots, such as `train.epochs: 3`")  # noqa: TRY004
    return raw


def _spell_keys(raw: Any) -> Any:
    return {str(key): value for key, value in raw.items()} if isinstance(raw, dict) else raw


def _list_choices(raw: Any) -> Any:
    """Return each name with its values as a tuple: one value is the only one of a list."""
    if not isinstance(raw, dict):
        return raw
    return {str(name): tuple(value) if isinstance(value, list | tuple) else (value,) for name, value in raw.items()}


LabelValue = bool | int | float | str
Label = Annotated[LabelValue, BeforeValidator(_require_scalar)]
Names = Annotated[tuple[str, ...], BeforeValidator(_as_tuple, json_schema_input_type=str | tuple[str, ...] | None)]
Choices = Annotated[
    dict[str, Annotated[tuple[Label, ...], Field(min_length=1)]],
    BeforeValidator(_list_choices, json_schema_input_type=dict[str, LabelValue | list[LabelValue]]),
]
Number = Annotated[float, BeforeValidator(_refuse_bool)]
ClassColumns = Annotated[dict[str, str], BeforeValidator(_spell_keys)]
_WrittenMargin = Annotated[float, Field(ge=0)] | Annotated[str, Field(pattern=_PERCENTAGE)]
MarginField = Annotated[
    Margin,
    BeforeValidator(_read_margin, json_schema_input_type=_WrittenMargin),
    PlainSerializer(str, return_type=str),
]
ParameterValue = Annotated[
    bool | int | float | str | list[bool | int | float | str] | None, BeforeValidator(_require_parameter)
]
Parameters = Annotated[dict[str, ParameterValue], BeforeValidator(_spell_keys)]
