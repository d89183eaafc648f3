"""Baseline and candidate joined: row i is the same test example on both sides, and every other row is counted."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from hashlib import blake2b
from typing import Any

import numpy as np
from numpy.typing import NDArray

from metricgate.errors import PredictionsError
from metricgate.models.equality import holds_equal_answers
from metricgate.models.result import Pairing
from metricgate.models.samples import Categorical, FloatArray, IntArray, Sample, SamplePair
from metricgate.predictions.checked_predictions import Predictions
from metricgate.predictions.label_text import same_label, sort_labels
from metricgate.predictions.pairing_notes import (
    describe_ignored,
    describe_lost_classes,
    describe_missing_classes,
    describe_order,
    describe_other_rows,
    describe_spec,
    describe_spec_changes,
    describe_value_changes,
    merge_notes,
)
from metricgate.predictions.question_facts import count_answers, describe_questions
from metricgate.predictions.row_alignment import Alignment, align_rows, order_by_content
from metricgate.predictions.row_keys import RowKeys


@dataclass(frozen=True, eq=False, kw_only=True)
class AbsentRows:
    """The baseline's rows that the candidate has no answers for.

    Attributes
    ----------
    sample : the baseline's answers, label and weight, shape (m,)
    slices : by column, shape (m,)
    group : codes of the paired rows, followed by those of the absent ones, shape (n + m,), or None
    """

    sample: Sample
    slices: Mapping[str, Categorical]
    group: IntArray | None


@dataclass(frozen=True, eq=False, kw_only=True)
class PairedSet:
    """One prediction set of both models on the same n rows, and the facts about the join.

    Attributes
    ----------
    pair : both sides, with the baseline's labels, weights and groups
    slices : by column, shape (n,)
    candidate_slices : the slice columns that only the candidate declares
    new_label : the candidate's labels, shape (n,); None where they are the baseline's
    fresh : mask, shape (n,), of the rows that the baseline's model was judged on later; None where there are none
    added : the candidate's answers on rows that only it has
    """

    pair: SamplePair
    slices: Mapping[str, Categorical]
    pairing: Pairing
    candidate_slices: frozenset[str] = frozenset()
    new_label: NDArray[Any] | None = None
    fresh: NDArray[np.bool_] | None = None
    absent: AbsentRows | None = None
    added: Sample | None = None


def pair_predictions(
    baseline: Predictions, candidate: Predictions, *, stored: int | None = None, same_model: bool = False
) -> PairedSet:
    """Join the rows that both sides have: by id if both have one, else in file order.

    The baseline's rows are the reference, with its labels, slices, groups and weights, so that a candidate cannot
    choose what it is judged on. Rows are sorted by id, or by content if there are no ids: the order of the files
    changes nothing.

    Parameters
    ----------
    stored : how many of the baseline's rows, the first of its files, are its own; the others were judged later
    same_model : one model wrote both, as its inputs show, so that equal answers need no other proof

    Raises
    ------
    PredictionsError
        If the tasks or positive labels differ, rows without ids disagree, no row is common, or a row is on one side
        only or has two labels, and either side's ``on_unpaired`` is ``refuse``.
    """
    baseline, candidate, class_notes = _agree_on_coding(baseline, candidate)
    rows = align_rows(baseline, candidate)
    _refuse_unpaired(baseline, candidate, rows)
    one, other = rows.take_baseline(baseline), rows.take_candidate(candidate)
    pair, slices, changes = _share(one, other)
    if rows.method == "order":
        pair, slices = _sort_by_content(pair, slices)
    identical = rows.complete and holds_equal_answers(replace(pair, same_model=same_model))
    pair = replace(pair, same_model=identical)
    pairing = Pairing(
        set=candidate.name,
        path=candidate.path,
        task=candidate.task,
        method=rows.method,
        rows=pair.rows,
        baseline_rows=baseline.rows,
        candidate_rows=candidate.rows,
        only_baseline=len(rows.absent),
        only_candidate=len(rows.added),
        label_differs=rows.label_differs,
        positives=_count_positives(pair),
        positive_label=candidate.positive_label,
        classes=candidate.classes,
        identical=identical,
        test_set_changed=not rows.complete or bool(changes),
        duplicates=candidate.duplicates,
        test_set=_hash_rows(baseline.ids, baseline.sample.label),
        answers=_name_answers(candidate),
        **count_answers(baseline, candidate),
        notes=(
            *_describe(rows),
            *changes,
            *_describe_ignored(one, other),
            *describe_questions(baseline, candidate),
            *class_notes,
            *describe_order(pair, rows.method),
            *describe_lost_classes(pair),
            *describe_spec_changes(baseline.spec, candidate.spec),
            *merge_notes(baseline.notes, candidate.notes),
            f"Columns: {describe_spec(candidate.spec)}.",
        ),
    )
    return PairedSet(
        pair=pair,
        slices=slices,
        pairing=pairing,
        candidate_slices=frozenset(candidate.slices.keys() - baseline.slices.keys()),
        new_label=other.sample.label if rows.label_differs else None,
        fresh=_find_fresh(baseline, rows, stored),
        absent=_keep_absent(baseline, one, rows),
        added=candidate.sample.take(rows.added) if len(rows.added) else None,
    )


def _find_fresh(baseline: Predictions, rows: Alignment, stored: int | None) -> NDArray[np.bool_] | None:
    if stored is None:
        return None
    in_file = np.arange(baseline.rows) if baseline.file_rows is None else baseline.file_rows
    fresh: NDArray[np.bool_] = (in_file if rows.baseline is None else in_file[rows.baseline]) >= stored
    return fresh


def _keep_absent(baseline: Predictions, common: Predictions, rows: Alignment) -> AbsentRows | None:
    if not len(rows.absent):
        return None
    absent = baseline.take(rows.absent)
    group = None
    if common.group is not None and absent.group is not None:
        group = _code_groups(replace(common.group, values=np.concatenate([common.group.values, absent.group.values])))
    return AbsentRows(sample=absent.sample, slices=absent.slices, group=group)


def _sort_by_content(pair: SamplePair, slices: Mapping[str, Categorical]) -> tuple[SamplePair, dict[str, Categorical]]:
    order = order_by_content(pair, slices)
    return pair.take(order), {column: values.take(order) for column, values in slices.items()}


def _name_answers(predictions: Predictions) -> str:
    """Return a short hash of a model's answers: the same for every attempt that changes none of them."""
    sample = predictions.sample
    columns = (sample.columns[name] for name in sorted(sample.columns))
    return _hash_rows(predictions.ids, sample.prediction, sample.scores, *columns)


def _hash_rows(ids: RowKeys | None, *parts: NDArray[Any] | None) -> str:
    digest = blake2b(digest_size=8)
    for part in (None if ids is None else ids.values, *parts):
        digest.update(b"-" if part is None else np.ascontiguousarray(part).tobytes())
    return digest.hexdigest()


def _describe(rows: Alignment) -> list[str]:
    return describe_other_rows(len(rows.absent), len(rows.added), rows.label_differs)


def _describe_ignored(baseline: Predictions, candidate: Predictions) -> list[str]:
    return describe_ignored(
        weight=baseline.sample.weight is None and candidate.sample.weight is not None,
        group=baseline.group is None and candidate.group is not None,
        slices=sorted(candidate.slices.keys() - baseline.slices.keys()),
    )


def _refuse_unpaired(baseline: Predictions, candidate: Predictions, rows: Alignment) -> None:
    if rows.complete or "refuse" not in {baseline.spec.on_unpaired, candidate.spec.on_unpaired}:
        return
    raise PredictionsError(
        " ".join(_describe(rows)),
        expected="the same rows with the same labels on both sides, because the policy has `on_unpaired: refuse`.",
        fix="evaluate both models on the same test set, or set `on_unpaired: bound` to judge what can still be shown.",
        topic="rows-that-one-side-lacks",
    )


def _share(baseline: Predictions, candidate: Predictions) -> tuple[SamplePair, dict[str, Categorical], list[str]]:
    """Return both sides with one label, weight and group, their slices, and sentences about what differed."""
    slices = dict(candidate.slices) | dict(baseline.slices)
    both = baseline.slices.keys() & candidate.slices.keys()
    weight, new_weight = baseline.sample.weight, candidate.sample.weight
    changes = describe_value_changes(
        {column: _count_different(baseline.slices[column], candidate.slices[column]) for column in both},
        weight=weight is not None and new_weight is not None and not _same(weight, new_weight),
        group=bool(baseline.group and candidate.group and not baseline.group.equals(candidate.group)),
    )
    if weight is not None and not weight.any():
        raise PredictionsError(
            "All rows that baseline and candidate share have weight 0.",
            expected="a positive weight somewhere.",
            fix="check the weight column.",
            topic="all-weights-are-zero",
        )
    pair = SamplePair(
        baseline=replace(baseline.sample, weight=weight),
        candidate=replace(candidate.sample, weight=weight, label=baseline.sample.label),
        group=_code_groups(baseline.group),
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
            topic="two-different-tasks",
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
                topic="two-different-sets-of-classes",
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
