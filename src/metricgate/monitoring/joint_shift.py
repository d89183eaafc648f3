"""A shift that no column shows alone: how well a classifier tells current from reference rows, on rows it has not seen.

Half of a sample of each side trains it, the other half judges it. With folds instead, every row would judge and train,
and DeLong's error would be too short: 5 to 7.5 % false alarms instead of 2.5.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from metricgate.models.samples import FloatArray, Sample
from metricgate.predictions.table_pair import SIDES, TablePair
from metricgate.predictions.watched_column import WatchedColumn
from metricgate.stats.drift.effect import Effect
from metricgate.stats.interval import Interval, bound_by_student
from metricgate.stats.registry import find_metric

MOST_ROWS = 20_000  # of each side
MOST_COLUMNS = 200
MOST_CATEGORIES = 200  # that the classifier tells apart; the rest is one
MOST_TREES, LEAST_TREES = 60, 15
MOST_SPLITTINGS = 3000  # trees times columns: a wide table gets fewer trees, so that its cost is bounded
NAMED = 3
NAMING_ROWS = 2000
CHANCE = 0.5
SEED = 20_261_126


@dataclass(frozen=True, kw_only=True)
class JointShift:
    """The area under the ROC curve with its bounds, and the columns without which the classifier does worst.

    ``columns``: how many it saw, of how many.
    """

    effect: Effect
    names: tuple[str, ...]
    columns: tuple[int, int]


def measure_joint_shift(pair: TablePair, columns: Sequence[WatchedColumn]) -> JointShift | None:
    """Train a classifier on half of a sample, and measure it on the other half.

    None with fewer than two columns, or where the rows are so few that a half lacks one side.
    """
    watched = [column for column in columns if column.kind != "skipped"]
    used = watched[:MOST_COLUMNS]
    if len(used) < 2:
        return None
    tables = [_read(pair, used, side) for side in range(2)]
    rows, is_current = np.concatenate(tables), np.repeat([0.0, 1.0], [len(table) for table in tables])
    rng = np.random.default_rng(SEED)
    order = rng.permutation(len(rows))
    trained, judged = order[::2], order[1::2]
    if any(len(np.unique(is_current[half])) < 2 for half in (trained, judged)):
        return None
    with _use_one_thread():
        model = _fit(rows[trained], is_current[trained])
        scores = model.predict_proba(rows[judged])[:, 1]
        effect = _measure(scores, is_current[judged], min(len(table) for table in tables))
        few = judged[:NAMING_ROWS]
        is_telling = effect.interval.bounds(0.025)[0] > CHANCE
        names = _name_telling(model, (rows[few], is_current[few]), used, rng) if is_telling else ()
    return JointShift(effect=effect, names=names, columns=(len(used), len(watched)))


def _read(pair: TablePair, columns: Sequence[WatchedColumn], side: int) -> FloatArray:
    """Return a sample of one side, categories as numbers that are the same on both sides."""
    name = SIDES[side]
    expressions = [
        f"({column.values[name]})::DOUBLE" if column.kind == "number" else f"hash({column.values[name]}) % 1000003"
        for column in columns
    ]
    found = pair.sample(name, expressions, MOST_ROWS)
    return np.column_stack([_as_floats(values) for values in found])


def read_numbers_of_both(pair: TablePair, columns: Sequence[WatchedColumn], most: int) -> tuple[FloatArray, FloatArray]:
    """Return the numbers of a sample of both sides, missing ones as NaN; categories are left out."""
    numbers = [column for column in columns if column.kind == "number"]
    sides = (
        [
            np.column_stack(
                [_as_floats(values) for values in pair.sample(side, [one.values[side] for one in numbers], most)]
            )
            for side in SIDES
        ]
        if numbers
        else [np.empty((0, 0)), np.empty((0, 0))]
    )
    return sides[0], sides[1]


def _as_floats(values: NDArray[Any]) -> FloatArray:
    filled = np.ma.filled(np.ma.asarray(values, dtype=np.float64), np.nan)
    return np.where(np.isinf(filled), np.sign(filled) * 1e300, filled)


def _fit(rows: FloatArray, is_current: FloatArray) -> Any:
    from sklearn.ensemble import HistGradientBoostingClassifier  # noqa: PLC0415  a second that only this should cost

    trees = min(MOST_TREES, max(LEAST_TREES, MOST_SPLITTINGS // rows.shape[1]))
    model = HistGradientBoostingClassifier(max_iter=trees, max_leaf_nodes=15, random_state=SEED, early_stopping=False)
    return model.fit(rows, is_current)


@contextmanager
def _use_one_thread() -> Iterator[None]:
    """Train on one core: small tables gain nothing from more, and wait for them where other programs use them."""
    from threadpoolctl import threadpool_limits  # noqa: PLC0415  comes with scikit-learn

    with threadpool_limits(1):
        yield


def _measure(scores: FloatArray, is_current: FloatArray, rows: int) -> Effect:
    """Return the area with its bounds; ``rows``: of the smaller side, both halves."""
    metric = find_metric("roc_auc", task="binary")
    sample = Sample(task="binary", rows=len(scores), label=is_current, scores=scores)
    found = metric.evaluate(sample)
    assert found.influence is not None  # noqa: S101  # ROC AUC has one
    se = float(np.sqrt(found.influence @ found.influence)) / len(scores)
    least = int(min(np.count_nonzero(is_current), np.count_nonzero(is_current == 0)))
    bounds = partial(bound_by_student, found.value, se, max(least - 1.0, 1.0))
    interval = Interval(se=se, method="classifier on half of the rows, DeLong on the other", bounds=bounds)
    return Effect(value=found.value, expected=0.0, interval=interval, rows=rows)


def _name_telling(
    model: Any,
    judged: tuple[FloatArray, FloatArray],
    columns: Sequence[WatchedColumn],
    rng: np.random.Generator,
) -> tuple[str, ...]:
    """Return the columns whose permutation costs the classifier most, on the judging half."""
    rows, is_current = judged
    if len(np.unique(is_current)) < 2:
        return ()
    area = _measure(model.predict_proba(rows)[:, 1], is_current, len(rows)).value
    losses = []
    for number, column in enumerate(columns):
        shuffled = rows.copy()
        shuffled[:, number] = rng.permutation(shuffled[:, number])
        scores = model.predict_proba(shuffled)[:, 1]
        losses.append((area - _measure(scores, is_current, len(rows)).value, column.name))
    telling = [name for loss, name in sorted(losses, reverse=True) if loss > 0.005]
    return tuple(telling[:NAMED])
