"""Baseline and candidate joined: row i is the same test example on both sides, and every row left out is counted."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from hashlib import blake2b
from typing import Any

import numpy as np
from numpy.typing import NDArray

from metricgate.errors import PredictionsError
from metricgate.models.result import Pairing
from metricgate.models.samples import Categorical, FloatArray, IntArray, SamplePair
from metricgate.predictions.checked_predictions import Predictions
from metricgate.predictions.label_text import same_label, sort_labels
from metricgate.predictions.pairing_notes import (
    describe_left_out,
    describe_lost_classes,
    describe_missing_classes,
    describe_order,
    describe_spec,
    describe_spec_changes,
    describe_value_changes,
    merge_notes,
)
from metricgate.predictions.row_alignment import Alignment, align_rows, order_by_content
from metricgate.predictions.row_keys import RowKeys


@dataclass(frozen=True, eq=False, kw_only=True)
class PairedSet:
    """One prediction set of both models on the same rows, and the facts about the join."""

    pair: SamplePair
    slices: Mapping[str, Categorical]
    pairing: Pairing


def pair_predictions(baseline: Predictions, candidate: Predictions) -> PairedSet:
    """Join the rows that both sides have with equal labels: by id if both have one, else in file order.

    Rows are sorted by id, or by content if there are no ids: the order of the files changes nothing. Slices, groups
    and weights are the baseline's where it has them, so that a candidate cannot move rows between slices.

    Raises
    ------
    PredictionsError
        If the tasks or positive labels differ, rows without ids disagree, no row is common, or a row is on one side
        only and either side's ``on_unpaired`` is ``refuse``.
    """
    baseline, candidate, class_notes = _agree_on_coding(baseline, candidate)
    rows = align_rows(baseline, candidate)
    _refuse_unpaired(baseline, candidate, rows)
    pair, slices, changes = _share(rows.take_baseline(baseline), rows.take_candidate(candidate))
    if rows.method == "order":
        pair, slices = _sort_by_content(pair, slices)
    pairing = Pairing(
        set=candidate.name,
        path=candidate.path,
        task=candidate.task,
        method=rows.method,
        rows=pair.rows,
        baseline_rows=baseline.rows,
        candidate_rows=candidate.rows,
        only_baseline=rows.only_baseline,
        only_candidate=rows.only_candidate,
        label_differs=rows.label_differs,
        positives=_count_positives(pair),
        positive_label=candidate.positive_label,
        classes=candidate.classes,
        identical=rows.complete and _is_identical(pair),
        test_set_changed=not rows.complete or bool(changes),
        duplicates=candidate.duplicates,
        test_set=_name_test_set(candidate),
        notes=(
            *_describe(rows),
            *changes,
            *class_notes,
            *describe_order(pair, rows.method),
            *describe_lost_classes(pair),
            *describe_spec_changes(baseline.spec, candidate.spec),
            *merge_notes(baseline.notes, candidate.notes),
            f"Columns: {describe_spec(candidate.spec)}.",
        ),
    )
    return PairedSet(pair=pair, slices=slices, pairing=pairing)


def _sort_by_content(pair: SamplePair, slices: Mapping[str, Categorical]) -> tuple[SamplePair, dict[str, Categorical]]:
    order = order_by_content(pair, slices)
    return pair.take(order), {column: values.take(order) for column, values in slices.items()}


def _name_test_set(predictions: Predictions) -> str:
    """Return a short hash of the rows' ids and labels: the same for every model that is judged on them."""
    digest = blake2b(digest_size=8)
    for part in (predictions.ids and predictions.ids.values, predictions.sample.label):
        digest.update(b"-" if part is None else np.ascontiguousarray(part).tobytes())
    return digest.hexdigest()


def _describe(rows: Alignment) -> list[str]:
    return describe_left_out(rows.only_baseline, rows.only_candidate, rows.label_differs)


def _refuse_unpaired(baseline: Predictions, candidate: Predictions, rows: Alignment) -> None:
    if rows.complete or "refuse" not in {baseline.spec.on_unpaired, candidate.spec.on_unpaired}:
        return
    raise PredictionsError(
        " ".join(_describe(rows)),
        expected="the same rows with the same labels on both sides, because the policy has `on_unpaired: refuse`.",
        fix="evaluate both models on the same test set, or set `on_unpaired: common` to compare the common rows.",
    )


def _share(baseline: Predictions, candidate: Predictions) -> tuple[SamplePair, dict[str, Categorical], list[str]]:
    """Return both sides with one label, weight and group, their slices, and sentences about what differed."""
    slices = dict(candidate.slices) | dict(baseline.slices)
    both = baseline.slices.keys() & candidate.slices.keys()
    used, weight = "baseline", baseline.sample.weight
    if weight is None:
        used, weight = "candidate", candidate.sample.weight
    changes = describe_value_changes(
        {column: _count_different(baseline.slices[column], candidate.slices[column]) for column in both},
        weight="" if _same(baseline.sample.weight, candidate.sample.weight) else used,
        group=bool(baseline.group and candidate.group and not baseline.group.equals(candidate.group)),
    )
    if weight is not None and not weight.any():
        raise PredictionsError(
            "All rows that baseline and candidate share have weight 0.",
            expected="a positive weight somewhere.",
            fix="check the weight column.",
        )
    pair = SamplePair(
        baseline=replace(baseline.sample, weight=weight),
        candidate=replace(candidate.sample, weight=weight, label=baseline.sample.label),
        group=_code_groups(baseline.group or candidate.group),
    )
    return pair, {column: slices[column] for column in sorted(slices)}, changes


def _count_different(one: Categorical, other: Categorical) -> int:
    values = {value: code for code, value in enumerate(one.values)}
    lookup = np.array([values.get(value, len(values)) for value in other.values] + [-1])
    return int(np.count_nonzero(lookup[other.codes] != one.codes))


def _same(one: NDArray[Any] | None, other: NDArray[Any] | None) -> bool:
    if one is None or other is None:
        return one is other
    return bool(np.array_equal(one, other))


def _code_groups(group: RowKeys | None) -> IntArray | None:
    return None if group is None else np.unique(group.values, return_inverse=True)[1].astype(np.int64)


def _is_identical(pair: SamplePair) -> bool:
    one, other = pair.baseline, pair.candidate
    return (
        _same(one.prediction, other.prediction)
        and _same(one.scores, other.scores)
        and one.columns.keys() == other.columns.keys()
        and all(_same(one.columns[name], other.columns[name]) for name in one.columns)
    )


def _count_positives(pair: SamplePair) -> int | None:
    label = pair.baseline.label
    return int(np.count_nonzero(label)) if pair.baseline.task == "binary" and label is not None else None


def _agree_on_coding(baseline: Predictions, candidate: Predictions) -> tuple[Predictions, Predictions, list[str]]:
    """Return both sides with labels in one coding, and sentences about classes that one side lacks."""
    if baseline.task != candidate.task:
        raise PredictionsError(
            f"The baseline's predictions are read as {baseline.task}, the candidate's as {candidate.task}.",
            expected="the same task on both sides.",
            fix="compare the columns of both files, and set `task:` under `predictions:`.",
        )
    if baseline.task == "binary":
        return (*_agree_on_positive(baseline, candidate), [])
    if baseline.task == "multiclass":
        return _agree_on_classes(baseline, candidate)
    return baseline, candidate, []


def _agree_on_positive(baseline: Predictions, candidate: Predictions) -> tuple[Predictions, Predictions]:
    for one, other in zip(baseline.classes, candidate.classes, strict=True):
        if one and other and not same_label(one, other):
            raise PredictionsError(
                f"The classes (negative, positive) are {_quote(baseline)} in the baseline's predictions "
                f"and {_quote(candidate)} in the candidate's.",
                expected="the same labels and the same positive label on both sides.",
                fix="set `positive:` to the same value on both sides, and spell the labels the same way.",
            )
    classes = tuple(one or other for one, other in zip(baseline.classes, candidate.classes, strict=True))
    return _rename(baseline, classes), _rename(candidate, classes)


def _quote(side: Predictions) -> str:
    return " and ".join(f"'{value}'" for value in side.classes)


def _rename(side: Predictions, classes: tuple[str, ...]) -> Predictions:
    return replace(side, classes=classes, positive_label=classes[1], sample=replace(side.sample, classes=classes))


def _agree_on_classes(baseline: Predictions, candidate: Predictions) -> tuple[Predictions, Predictions, list[str]]:
    if baseline.classes == candidate.classes:
        return baseline, candidate, []
    classes = sort_labels({*baseline.classes, *candidate.classes})
    notes = [
        *describe_missing_classes("baseline", baseline.classes, classes),
        *describe_missing_classes("candidate", candidate.classes, classes),
    ]
    return _recode(baseline, classes), _recode(candidate, classes), notes


def _recode(side: Predictions, classes: tuple[str, ...]) -> Predictions:
    sample = side.sample
    lookup = np.array([classes.index(value) for value in side.classes], dtype=np.int16)
    return replace(
        side,
        classes=classes,
        sample=replace(
            sample,
            classes=classes,
            label=None if sample.label is None else lookup[sample.label],
            prediction=None if sample.prediction is None else lookup[sample.prediction],
            scores=None if sample.scores is None else _spread(sample.scores, lookup, len(classes)),
        ),
    )


def _spread(scores: FloatArray, columns: NDArray[Any], width: int) -> FloatArray:
    """Return scores, shape (n, width), with 0 for the classes that this side never names."""
    wide = np.zeros((len(scores), width))
    wide[:, columns] = scores
    return wide
