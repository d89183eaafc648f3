"""One-sided bounds that hold for a whole family of gates at once: step-down max-t with the estimated correlation.

Source: Romano & Wolf, "Exact and approximate stepdown methods for multiple hypothesis testing", JASA 100 (2005).
A gate leaves the family only once it is shown to lose more than its margin. So both wordings of "failed" (a loss
beyond the margin, and any loss at all where the estimate is beyond it) share one error rate.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from metricgate.models.outcome import Direction
from metricgate.models.samples import FloatArray, IntArray
from metricgate.stats.contrast import Contrast

_DRAWS = 20_000
_MAX_ROWS = 100_000  # more rows than this add nothing to an estimated correlation


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
    group: IntArray | None = None,
    seed: int = 0,
) -> tuple[SimultaneousBound, ...]:
    """Bound all contrasts of a family so that all harmful bounds hold together with probability 1 - ``tail``.

    Parameters
    ----------
    contrasts : the family; the metric's direction says which bound is the harmful one.
    rows : for each contrast the indices of its rows among all rows; None for all of them.
    total : number of all rows.
    group : codes of rows that are not independent, for all rows.
    margins : for each contrast the allowed loss, not negative; infinite for one that never leaves the family early.
    """
    if not contrasts:
        return ()
    draws = _draw_statistics(_correlate(contrasts, rows, total, group), seed)
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


def _find_local_tail(draws: NDArray[np.float32], tail: float) -> float:
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


def _correlate(
    contrasts: Sequence[Contrast], rows: Sequence[IntArray | None], total: int, group: IntArray | None
) -> FloatArray:
    """Correlate the losses: influence values stand in all rows, with zeros outside a contrast's own; groups are summed.

    Of very many rows an even share is enough, and a slice that is hardly in it counts as uncorrelated, which is careful.
    """
    step = 1 if group is not None else max(-(-total // _MAX_ROWS), 1)
    part = np.stack([_embed(item, own, total, group)[::step] for item, own in zip(contrasts, rows, strict=True)])
    sums = part @ part.T
    scale = np.sqrt(np.diag(sums))
    scale = np.where(scale > 0, scale, 1.0)
    correlation: FloatArray = sums / np.outer(scale, scale)
    np.fill_diagonal(correlation, 1.0)
    return correlation


def _embed(item: Contrast, own: IntArray | None, total: int, group: IntArray | None) -> FloatArray:
    loss = -item.influence if item.metric.direction is Direction.HIGHER else item.influence
    if group is not None:
        codes = group if own is None else group[own]
        return np.bincount(codes, loss, int(group.max()) + 1)
    if own is None:
        return loss
    whole = np.zeros(total)
    whole[own] = loss
    return whole


@lru_cache(maxsize=2)
def _draw_normals(count: int, seed: int) -> NDArray[np.float32]:
    normals: NDArray[np.float32] = np.random.default_rng(seed).standard_normal((_DRAWS, count), dtype=np.float32)
    return normals


def _draw_statistics(correlation: FloatArray, seed: int) -> NDArray[np.float32]:
    """Draw the statistics of all contrasts where none of them is worse, with the correlation they have."""
    values, vectors = np.linalg.eigh(correlation)
    root = (vectors * np.sqrt(np.clip(values, 0, None))).astype(np.float32)
    draws: NDArray[np.float32] = _draw_normals(len(correlation), seed) @ root.T
    return draws
