"""The predictions of one side, read from a file: checked, typed, and sorted by id if there are ids."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from metricgate.errors import PredictionsError
from metricgate.models.samples import COST_COLUMNS, Categorical, FloatArray, Sample, Task
from metricgate.models.snapshot import FilePart
from metricgate.predictions.column_values import read_numbers, read_slices, unusable_values
from metricgate.predictions.file_formats import quote_name
from metricgate.predictions.prediction_table import PredictionTable, as_array
from metricgate.predictions.question_rows import OpenRows, open_rows
from metricgate.predictions.reading_limits import require_affordable
from metricgate.predictions.row_keys import RowKeys, read_keys, sort_rows
from metricgate.predictions.targets import Targets, read_targets
from metricgate.settings.policy import PredictionsSpec

if TYPE_CHECKING:
    from metricgate.predictions.evaluation_logs.question_table import Questions


@dataclass(frozen=True, eq=False, kw_only=True)
class Predictions:
    """One side of a comparison: n test rows, sorted by id if there are ids.

    Attributes
    ----------
    name : the set's name in the policy, "" for the only one
    path : the file as messages show it
    spec : what the columns mean, with ``task`` and ``positive`` filled in
    rows : n
    ids, group : keys of the rows, shape (n,), or None
    slices : by column, shape (n,); code -1 marks a missing value
    unusable : the reason for each of ``needed_columns`` that is not in ``sample.columns``, and for "prediction" where
        no prediction follows from the scores
    file_rows : position of each row in the file, shape (n,); None if the file is in this order already
    questions : the answers behind the rows in the order of the file, where an evaluation tool's log was read
    positive_label : binary only; the label coded 1
    classes : the label values as text; binary: (negative, positive), "" for one that no row has
    duplicates : number of rows that equal an earlier row in every column; 0 with ids, which tell rows apart
    notes : sentences for the report
    """

    name: str
    path: str
    spec: PredictionsSpec
    task: Task
    rows: int
    sample: Sample
    ids: RowKeys | None
    slices: Mapping[str, Categorical]
    unusable: Mapping[str, str]
    group: RowKeys | None
    positive_label: str | None
    classes: tuple[str, ...]
    duplicates: int
    notes: tuple[str, ...]
    file_rows: NDArray[Any] | None = None
    questions: "Questions | None" = None

    def take(self, rows: NDArray[Any]) -> "Predictions":
        """Return the predictions of ``rows``: indices in their new order."""
        sample = self.sample.take(rows)
        return replace(
            self,
            rows=sample.rows,
            sample=sample,
            ids=None if self.ids is None else self.ids.take(rows),
            slices={column: values.take(rows) for column, values in self.slices.items()},
            group=None if self.group is None else self.group.take(rows),
        )


def read_predictions(
    path: Path | Sequence[FilePart],
    spec: PredictionsSpec,
    *,
    name: str = "",
    shown: str | None = None,
    needed_columns: Collection[str] = (),
) -> Predictions:
    """Read the columns that ``spec`` names, and those of ``needed_columns`` that the file has.

    Parameters
    ----------
    path : the file, or the selected rows of several files
    spec : what the columns mean
    name : the set's name in the policy
    shown : the path as messages show it; if None, ``path`` itself, or ``spec.path`` for several files
    needed_columns : numeric columns that formulas use; one that is missing or not finite is not an error, but listed
        in ``unusable``, because only the gates that use it are affected

    Raises
    ------
    PredictionsError
        If the file or a named column is missing or unreadable, the file has no rows, a label, prediction, score or
        weight is missing or not finite, or an id occurs twice.
    """
    shown = shown or (str(path) if isinstance(path, Path) else spec.path)
    with open_rows(path, shown, spec, also=tuple(needed_columns)) as opened:
        return _read(opened, name, needed_columns)


def _read(opened: OpenRows, name: str, needed_columns: Collection[str]) -> Predictions:
    table, spec = opened.table, opened.spec
    if opened.questions is not None:
        needed_columns = {*needed_columns, *(COST_COLUMNS & table.types.keys())}
    rows = _count_rows(table)
    require_affordable(rows, len(_list_columns(spec)) + len(needed_columns), table.path)
    table, ids = _sort_by_id(table, spec)
    targets = read_targets(table, spec)
    slices, slice_notes = read_slices(table, spec.slices)
    needed, unusable = _read_needed(table, needed_columns)
    duplicates = 0 if spec.id else _count_duplicates(table)
    hashes = None if opened.questions is None else opened.questions.hash_outputs()
    return Predictions(
        name=name,
        path=table.path,
        spec=spec.model_copy(update={"task": targets.task, "positive": targets.positive}),
        task=targets.task,
        rows=rows,
        sample=Sample(
            task=targets.task,
            rows=rows,
            label=targets.label,
            prediction=targets.prediction,
            scores=targets.scores,
            weight=_read_weight(table, spec),
            classes=targets.classes,
            columns={**needed, **targets.numbers},
            answer_hash=None if hashes is None else _put_in_order(hashes, table),
            ends=_read_ends(opened, table, {*needed, *targets.numbers}),
        ),
        ids=ids,
        slices=slices,
        unusable=unusable | _explain_no_prediction(targets),
        group=read_keys(table, (spec.group,), role="group") if spec.group else None,
        positive_label=targets.positive,
        classes=targets.classes,
        duplicates=duplicates,
        notes=(*opened.notes, *targets.notes, *slice_notes, *unusable.values()),
        file_rows=table.order,
        questions=opened.questions,
    )


def _put_in_order(values: NDArray[Any], table: PredictionTable) -> NDArray[Any]:
    return values if table.order is None else values[table.order]


def _read_ends(
    opened: OpenRows, table: PredictionTable, columns: Collection[str]
) -> dict[str, tuple[FloatArray, FloatArray]]:
    """Return what the scores could be that answers without a grade are part of."""
    if opened.questions is None or opened.spec.score is None:
        return {}
    ends = opened.questions.find_ends(opened.spec.score, columns)
    return {name: (_put_in_order(low, table), _put_in_order(high, table)) for name, (low, high) in ends.items()}


def _list_columns(spec: PredictionsSpec) -> tuple[str, ...]:
    named = (*spec.id, spec.label, spec.prediction, spec.score, *(spec.scores or {}).values(), spec.group, spec.weight)
    return (*(column for column in named if column), *spec.slices)


def _explain_no_prediction(targets: Targets) -> dict[str, str]:
    return {"prediction": " ".join(targets.notes)} if targets.prediction is None and targets.notes else {}


def _sort_by_id(table: PredictionTable, spec: PredictionsSpec) -> tuple[PredictionTable, RowKeys | None]:
    """Return the table with rows in the order of their ids: columns are sorted one by one, as they are fetched."""
    if not spec.id:
        return table, None
    ids = read_keys(table, spec.id, role="id")
    order = sort_rows(table, spec.id, ids)
    return replace(table, order=order), ids if order is None else ids.take(order)


def _count_rows(table: PredictionTable) -> int:
    ((rows,),) = table.ask("SELECT count(*) FROM rows")
    if rows == 0:
        raise PredictionsError(
            f"{table.path} has no rows.",
            expected="one row per test example.",
            fix="check the stage that writes the file.",
            topic="the-file-is-empty",
        )
    return int(rows)


def _read_needed(table: PredictionTable, columns: Collection[str]) -> tuple[dict[str, FloatArray], dict[str, str]]:
    values: dict[str, FloatArray] = {}
    unusable: dict[str, str] = {}
    for column in sorted(columns):
        try:
            values |= read_numbers(table, (column,), role="column of a formula")
        except PredictionsError as error:
            unusable[column] = error.what
    return values, unusable


def _read_weight(table: PredictionTable, spec: PredictionsSpec) -> FloatArray | None:
    if spec.weight is None:
        return None
    weight = read_numbers(table, (spec.weight,), role="weight")[spec.weight]
    if (weight < 0).any():
        raise unusable_values(table, spec.weight, weight < 0, "weight", expected="no negative weight.")
    if not weight.any():
        raise unusable_values(table, spec.weight, weight == 0, "weight", expected="a positive weight somewhere.")
    return weight


def _count_duplicates(table: PredictionTable) -> int:
    """Return how many rows equal an earlier one in every column; 0 if no column could tell two examples apart."""
    if not any(kind in {"DOUBLE", "FLOAT", "VARCHAR"} for kind in table.types.values()):
        return 0
    everything = ", ".join(quote_name(column) for column in table.types)
    hashes = np.sort(as_array(table.fetch(f"hash({everything})")))
    return int(np.count_nonzero(hashes[1:] == hashes[:-1]))
