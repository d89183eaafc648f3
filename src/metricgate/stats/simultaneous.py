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


@dataclass(frozen=True, eq=False, kw_only=True)
class ContrastRows:
    """The rows that a contrast stands on, by which it is correlated with others.

    Attributes
    ----------
    set : the prediction set; contrasts of different sets count as independent.
    total : the rows of the set.
    own : the indices of the contrast's rows in the set; None for all.
    group : codes of rows that are not independent, for all rows of the set.
    """

    set: str = ""
    total: int
    own: IntArray | None = None
    group: IntArray | None = None


def family_bounds(
    contrasts: Sequence[Contrast],
    places: Sequence[ContrastRows],
    *,
    margins: Sequence[float],
    tail: float = 0.025,
    seed: int = 0,
) -> tuple[SimultaneousBound, ...]:
    """Bound all contrasts of a family so that all harmful bounds hold together with probability 1 - ``tail``.

    Parameters
    ----------
    contrasts : the family; the metric's direction says which bound is the harmful one.
    places : for each contrast the rows it stands on.
    margins : for each contrast the allowed loss in the unit of its metric, not negative; infinite for one that never
        leaves the family early.
    tail : the one-sided error that the whole family shares.
    seed : of the draws that estimate the distribution of the largest statistic; the only randomness.

    Returns
    -------
    One bound for each contrast, in their order; empty for an empty family.
    """
    if not contrasts:
        return ()
    draws = _draw_statistics(_correlate(contrasts, places), seed)
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


def _correlate(contrasts: Sequence[Contrast], places: Sequence[ContrastRows]) -> FloatArray:
    """Return the correlation of the losses, shape (contrasts, contrasts).

    Influence values stand in all rows of a set, with zeros outside a contrast's own; groups are summed. Of very many
    rows an even share is enough; a slice hardly in it counts as uncorrelated, which is the careful side.
    """
    correlation = np.eye(len(contrasts))
    for name in {place.set for place in places}:
        members = np.array([index for index, place in enumerate(places) if place.set == name])
        part = np.stack([_embed(contrasts[index], places[index]) for index in members.tolist()])
        sums = part @ part.T
        scale = np.sqrt(np.diag(sums))
        scale = np.where(scale > 0, scale, 1.0)
        correlation[np.ix_(members, members)] = sums / np.outer(scale, scale)
    np.fill_diagonal(correlation, 1.0)
    return correlation


def _embed(item: Contrast, place: ContrastRows) -> FloatArray:
    loss = -item.influence if item.metric.direction is Direction.HIGHER else item.influence
    if place.group is not None:
        codes = place.group if place.own is None else place.group[place.own]
        return np.bincount(codes, loss, int(place.group.max()) + 1).astype(np.float64)
    step = max(-(-place.total // _MAX_ROWS), 1)
    if place.own is None:
        return loss[::step]
    whole = np.zeros(place.total)
    whole[place.own] = loss
    return whole[::step].copy()


@lru_cache(maxsize=2)
def _draw_normals(count: int, seed: int) -> NDArray[np.float32]:
    normals: NDArray[np.float32] = np.random.default_rng(seed).standard_normal((_DRAWS, count), dtype=np.float32)
    return normals


def _draw_statistics(correlation: FloatArray, seed: int) -> NDArray[np.float32]:
    """Return draws of all statistics where no contrast is worse, with their correlation, shape (draws, contrasts)."""
    values, vectors = np.linalg.eigh(correlation)
    root = (vectors * np.sqrt(np.clip(values, 0, None))).astype(np.float32)
    draws: NDArray[np.float32] = _draw_normals(len(correlation), seed) @ root.T
    return draws
