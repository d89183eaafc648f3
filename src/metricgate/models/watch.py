"""What watching a released model found out about each column, beside the gates."""

from typing import Literal

from pydantic import Field

from metricgate.models.base import Finite, Value

MOST_CATEGORIES = 12
JOINT = "all features together"  # the name of what a classifier sees
Shown = Literal["fail", "warn"]


class ColumnSide(Value):
    """One side of a watched column; numbers only where it holds numbers."""

    rows: int  # with a value
    missing: int
    distinct: int | None = None
    lowest: Finite | None = None
    highest: Finite | None = None
    mean: Finite | None = None
    sd: Finite | None = None
    median: Finite | None = None


class CategoryShare(Value):
    """The share of rows of one category on both sides."""

    value: str
    reference: Finite
    current: Finite


class WatchedFeature(Value):
    """A column of the reference and the current rows.

    ``psi`` is shown for readers who know it and never decides. ``notes``: what else changed (its range, a constant).
    """

    name: str
    kind: Literal["number", "category", "skipped", "joint"]
    role: Literal["feature", "prediction", "joint", "detector"] = "feature"
    owner: str = ""
    reference: ColumnSide | None = None
    current: ColumnSide | None = None
    categories: tuple[CategoryShare, ...] = Field((), max_length=MOST_CATEGORIES)
    psi: Finite | None = None
    notes: tuple[str, ...] = ()


class PastFinding(Value):
    """One earlier run: its date, its outcome, and how far each feature lay, in margins; performance by metric."""

    at: str
    verdict: str
    shifts: dict[str, Finite] = Field(default_factory=dict)
    metrics: dict[str, Finite] = Field(default_factory=dict)


class Watch(Value):
    """What was watched: the reference and the current rows, and every column.

    ``warns``: which findings warn and do not fail, as the policy says. ``group``: the column whose rows depend on each
    other. ``past``: earlier runs, the oldest first. No rows and no features: nothing was compared.
    """

    reference_rows: int
    current_rows: int
    features: tuple[WatchedFeature, ...] = ()
    warns: tuple[Literal["features", "predictions", "performance"], ...] = ()
    group: str = ""
    issue: bool = False  # the policy asks for one
    model: str = ""  # a hash of the reference and of the release's answers
    labelled_rows: int | None = None
    past: tuple[PastFinding, ...] = ()
