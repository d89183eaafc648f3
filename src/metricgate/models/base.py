"""The base of every value that ends up in report.json."""

import math
from typing import Annotated

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict


class Value(BaseModel):
    """A frozen value with no unknown keys, which round-trips through strict JSON."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


def _require_finite(value: float) -> float:
    if not math.isfinite(value):
        raise ValueError("must be a finite number")
    return value


Finite = Annotated[float, AfterValidator(_require_finite)]


def _drop_infinite(value: object) -> object:
    return None if isinstance(value, float) and math.isinf(value) else value


Bound = Annotated[float | None, BeforeValidator(_drop_infinite)]
"""An end of an interval; null where it is infinite."""
