"""The worst answers that a model could give on rows that it has no answers for, as one metric counts them."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from metricgate.models.outcome import Direction
from metricgate.models.samples import FloatArray, Sample, SamplePair
from metricgate.stats.metric import Metric

# Of several classes, a wrong answer costs these metrics the same whichever class it names.
_ANY_WRONG_CLASS = frozenset(
    {"accuracy", "balanced_accuracy", "recall_macro", "recall_weighted", "f1_micro", "precision_micro", "recall_micro"}
)
# Log loss keeps probabilities off 0, so that the worst answer costs 36.
_PROBABILITIES = frozenset({"brier_score", "log_loss"})


@dataclass(frozen=True, kw_only=True)
class AnswerStyle:
    """Which answers are the worst: scores beyond all others, probabilities, one class, or the end of [0, 1].

    ``same`` are the baseline's answers, where the absent rows do not matter. ``ends``: all rows are there, and hold
    answers without a grade.
    """

    kind: Literal["same", "scores", "probabilities", "classes", "mean", "ends"]
    own_class: int | None = None
    column: str = ""
    value: float = 0.0


def find_style(metric: Metric, samples: Sequence[Sample]) -> AnswerStyle | None:
    """Return which answers are the worst for the metric; None where a row's contribution has no bound, or none known.

    ``samples``: all rows that are judged, of both sides.
    """
    task = samples[0].task
    if metric.columns:
        return _find_mean_style(metric, samples)
    if task not in {"binary", "multiclass"}:
        return None
    if metric.name in _PROBABILITIES:
        return AnswerStyle(kind="probabilities")
    if task == "binary" or "scores" in metric.needs:
        return AnswerStyle(kind="scores")
    if metric.of_class is None and metric.name not in _ANY_WRONG_CLASS:
        return None
    return AnswerStyle(kind="classes", own_class=metric.of_class)


def _find_mean_style(metric: Metric, samples: Sequence[Sample]) -> AnswerStyle | None:
    """Return the style of the mean of one column whose known values all lie in [0, 1]."""
    (column, *others) = metric.columns
    plain = metric.name.replace("'", "").replace('"', "").replace(" ", "") == f"mean({column})".replace(" ", "")
    values = [sample.columns[column] for sample in samples if column in sample.columns]
    if others or not plain or any(((part < 0) | (part > 1)).any() for part in values):
        return None
    return AnswerStyle(kind="mean", column=column, value=0.0 if metric.direction is Direction.HIGHER else 1.0)


def find_end_style(metric: Metric, samples: Sequence[Sample]) -> AnswerStyle | None:
    """Return the style of a mean whose rows hold answers without a grade; None where no grade is the worst."""
    ends = [sample.ends[name] for sample in samples for name in metric.columns if name in sample.ends]
    if not ends:
        return AnswerStyle(kind="same")
    if len(metric.columns) != 1 or any(np.isnan(low).any() for low, _ in ends):
        return None
    return AnswerStyle(
        kind="ends", column=metric.columns[0], value=0.0 if metric.direction is Direction.HIGHER else 1.0
    )


def grade_worst(pair: SamplePair, style: AnswerStyle) -> SamplePair:
    """Return the pair with the worst grades for the candidate, and the best for the baseline, where there are none."""
    worst = int(style.value)
    return replace(
        pair,
        baseline=_take_end(pair.baseline, style.column, 1 - worst),
        candidate=_take_end(pair.candidate, style.column, worst),
        same_model=False,
    )


def _take_end(sample: Sample, column: str, end: int) -> Sample:
    if column not in sample.ends:
        return sample
    return replace(sample, columns={**sample.columns, column: sample.ends[column][end]}, ends={})


def answer_worst(absent: Sample, answered: Sample, style: AnswerStyle) -> Sample:
    """Return ``absent`` with the worst answers in place of the baseline's; ``answered`` are the candidate's own rows."""
    if style.kind == "same":
        return absent
    if style.kind == "mean":
        return replace(absent, columns={**absent.columns, style.column: np.full(absent.rows, style.value)})
    label = np.asarray(absent.label)
    if absent.task == "binary":
        prediction: NDArray[Any] = 1 - label
        scores = _score_binary(label, answered, style)
    else:
        prediction = _name_wrong_class(label, len(absent.classes), style.own_class)
        scores = _score_classes(label, answered, style)
    has_prediction = answered.prediction is not None
    return replace(absent, prediction=prediction.astype(label.dtype) if has_prediction else None, scores=scores)


def _score_binary(label: NDArray[Any], answered: Sample, style: AnswerStyle) -> FloatArray | None:
    if answered.scores is None:
        return None
    lowest, highest = _find_ends(answered.scores, style)
    scores: FloatArray = np.where(label == 1, lowest, highest)
    return scores


def _score_classes(label: NDArray[Any], answered: Sample, style: AnswerStyle) -> FloatArray | None:
    """Return scores, shape (m, k): the own class last; as probabilities, all on one other class."""
    if answered.scores is None:
        return None
    lowest, highest = _find_ends(answered.scores, style)
    size = answered.scores.shape[1]
    one_other = np.eye(size)[(label + 1) % size]
    chosen = one_other if style.kind == "probabilities" else 1.0 - np.eye(size)[label]
    scores: FloatArray = np.where(chosen > 0, highest, lowest)
    return scores


def _find_ends(scores: FloatArray, style: AnswerStyle) -> tuple[float, float]:
    """Return scores below and above all others: for ranks, a tie would count as half a right answer."""
    if style.kind == "probabilities" or not scores.size:  # where every compared row is fresh, there are no others
        return 0.0, 1.0
    return float(scores.min()) - 1.0, float(scores.max()) + 1.0


def _name_wrong_class(label: NDArray[Any], size: int, own_class: int | None) -> NDArray[Any]:
    """Return a wrong class for each row: the class that the metric is about, wherever that is wrong."""
    other: NDArray[Any] = (label + 1) % size
    return other if own_class is None else np.where(label == own_class, other, own_class)
