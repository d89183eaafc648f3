"""One-sided bounds that hold for a whole family of gates at once: step-down max-t with the estimated correlation.

Source: Romano & Wolf, "Exact and approximate stepdown methods for multiple hypothesis testing", JASA 100 (2005).
A gate leaves the family only once it is shown to lose more than its margin. So both wordings of "failed" (a loss
beyond the margin, and any loss at all where the estimate is beyond it) share one error rate.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np

from metricgate.models.outcome import Direction
from metricgate.models.samples import FloatArray, IntArray
from metricgate.stats.contrast import Contrast

_DRAWS = 40_000
_MAX_ROWS = 500_000  # more rows than this add nothing to an estimated correlation


@dataclass(frozen=True, kw_only=True)
class SimultaneousBound:
    """The interval of one contrast at the error that the family leaves to it.

    ``tail`` is that error, one-sided; the harmful side of [low, high] holds simultaneously in the family.
    """

    tail: float
    low: float
    high: float


def family_bounds(
    contrasts: Sequence[Contrast],
    rows: Sequence[IntArray | None],
    *,
    total: int,
    margins: Sequence[float],
    tail: float = 0.025,
    seed: int = 0,
) -> tuple[SimultaneousBound, ...]:
    """Bound all contrasts of a family so that all harmful bounds hold together with probability 1 - ``tail``.

    Parameters
    ----------
    contrasts : the family; the metric's direction says which bound is the harmful one.
    rows : for each contrast the indices of its rows among all rows; None for all of them.
    total : number of all rows.
    margins : for each contrast the allowed loss, not negative; infinite for one that never leaves the family early.
    """
    if not contrasts:
        return ()
    draws = _draw_statistics(_correlate(contrasts, rows, total), seed)
    active = np.ones(len(contrasts), dtype=np.bool_)
    bounds: list[SimultaneousBound | None] = [None] * len(contrasts)
    while active.any():
        local = _find_local_tail(draws[:, active], tail)
        for index in np.flatnonzero(active).tolist():
            low, high = contrasts[index].interval(local)
            bounds[index] = SimultaneousBound(tail=local, low=low, high=high)
        beyond = np.array([_is_beyond(*item) for item in zip(contrasts, bounds, margins, strict=True)])
        if not (beyond & active).any():
            break
        active &= ~beyond
    return tuple(bound for bound in bounds if bound is not None)


def _find_local_tail(draws: FloatArray, tail: float) -> float:
    """Return the error of each bound with which all of them hold; between ``tail`` / k (Bonferroni) and ``tail``."""
    if draws.shape[1] == 1:
        return tail
    critical = float(np.quantile(draws.max(axis=1), 1 - tail))
    bonferroni = tail / int(draws.shape[1])
    return min(max(NormalDist().cdf(-critical), bonferroni), tail)


def _is_beyond(item: Contrast, bound: SimultaneousBound | None, margin: float) -> bool:
    if bound is None:
        return False
    return bound.high < -margin if item.metric.direction is Direction.HIGHER else bound.low > margin


def _correlate(contrasts: Sequence[Contrast], rows: Sequence[IntArray | None], total: int) -> FloatArray:
    """Correlate the losses: influence values are embedded in all rows, with zeros outside a contrast's own."""
    sums = np.zeros((len(contrasts), len(contrasts)))
    chosen = np.arange(0, total, max(total // _MAX_ROWS, 1))
    for block in np.array_split(chosen, max(len(chosen) * len(contrasts) // 4_000_000, 1)):
        part = np.stack([_embed(item, own, total, block) for item, own in zip(contrasts, rows, strict=True)])
        sums += part @ part.T
    scale = np.sqrt(np.diag(sums))
    scale = np.where(scale > 0, scale, 1.0)
    correlation: FloatArray = sums / np.outer(scale, scale)
    np.fill_diagonal(correlation, 1.0)
    return correlation


def _embed(item: Contrast, own: IntArray | None, total: int, block: IntArray) -> FloatArray:
    sign = -1.0 if item.metric.direction is Direction.HIGHER else 1.0
    if own is None:
        return sign * item.influence[block]
    whole = np.zeros(total)
    whole[own] = item.influence
    return sign * whole[block]


def _draw_statistics(correlation: FloatArray, seed: int) -> FloatArray:
    values, vectors = np.linalg.eigh(correlation)
    root = vectors * np.sqrt(np.clip(values, 0, None))
    normals = np.random.default_rng(seed).standard_normal((_DRAWS, len(correlation)))
    draws: FloatArray = normals @ root.T
    return draws
