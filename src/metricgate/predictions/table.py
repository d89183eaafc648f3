"""One side's predictions: the rows of one file, checked, typed and in an order that the file does not decide."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from metricgate.errors import PredictionsError
from metricgate.models.samples import Categorical, FloatArray, Sample, Task
from metricgate.predictions.categories import read_slices
from metricgate.predictions.formats import quote_name
from metricgate.predictions.keys import RowKeys, read_keys, sort_rows
from metricgate.predictions.numbers import read_numbers, unusable_values
from metricgate.predictions.source import Source, as_array, open_source
from metricgate.predictions.targets import read_targets
from metricgate.settings.policy import PredictionsSpec


@dataclass(frozen=True, eq=False, kw_only=True)
class Predictions:
    """One side of a comparison: n test rows, sorted by id where there is one.

    Attributes
    ----------
    name : the set's name in the policy, "" for the only one
    path : the file, as shown to people
    spec : what the columns mean, with ``task`` and ``positive`` filled in
    ids, group : keys of the rows, shape (n,), or None
    slices : by column; code -1 marks a missing value
    unusable : by column of ``needed_columns`` that is not in ``sample.columns``, why
    file_rows : position of each row in the file, shape (n,); None where the file is in this order already
    positive_label : binary only; the label coded 1
    classes : the label values as text; binary: (negative, positive), the empty text where no row shows one
    duplicates : rows that equal an earlier row in every column (only where no id tells rows apart)
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

    def take(self, rows: NDArray[Any]) -> "Predictions":
        """Return the predictions of ``rows``, indices in their new order."""
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
    path: Path,
    spec: PredictionsSpec,
    *,
    name: str = "",
    shown: str | None = None,
    needed_columns: Collection[str] = (),
) -> Predictions:
    """Read the columns that ``spec`` names, and those of ``needed_columns`` that the file has.

    Parameters
    ----------
    path : where the file lies; ``shown`` is how messages call it
    spec : what the columns mean
    name : the set's name in the policy
    needed_columns : numeric columns that formulas use; one that is missing or not finite is in ``unusable``, because
        it concerns the gates that use it and not the others

    Raises
    ------
    PredictionsError
        If the file or a named column is missing or unreadable, there are no rows, a label, prediction, score or
        weight is missing or not finite, or ids occur twice.
    """
    with open_source(path, shown or str(path)) as source:
        return _read(source, spec, name, needed_columns)


def _read(source: Source, spec: PredictionsSpec, name: str, needed_columns: Collection[str]) -> Predictions:
    rows = _count_rows(source)
    source, ids = _sort_by_id(source, spec)
    targets = read_targets(source, spec)
    slices, slice_notes = read_slices(source, spec.slices)
    needed, unusable = _read_needed(source, needed_columns)
    duplicates = 0 if spec.id else _count_duplicates(source)
    return Predictions(
        name=name,
        path=source.path,
        spec=spec.model_copy(update={"task": targets.task, "positive": targets.positive}),
        task=targets.task,
        rows=rows,
        sample=Sample(
            task=targets.task,
            rows=rows,
            label=targets.label,
            prediction=targets.prediction,
            scores=targets.scores,
            weight=_read_weight(source, spec),
            classes=targets.classes,
            columns={**needed, **targets.numbers},
        ),
        ids=ids,
        slices=slices,
        unusable=unusable,
        group=read_keys(source, (spec.group,), role="group") if spec.group else None,
        positive_label=targets.positive,
        classes=targets.classes,
        duplicates=duplicates,
        notes=(*targets.notes, *slice_notes, *unusable.values()),
        file_rows=source.order,
    )


def _sort_by_id(source: Source, spec: PredictionsSpec) -> tuple[Source, RowKeys | None]:
    """Return the source with its rows in the order of their ids: each column is sorted as it is fetched, not later."""
    if not spec.id:
        return source, None
    ids = read_keys(source, spec.id, role="id")
    order = sort_rows(source, spec.id, ids)
    return replace(source, order=order), ids if order is None else ids.take(order)


def _count_rows(source: Source) -> int:
    ((rows,),) = source.ask("SELECT count(*) FROM rows")
    if rows == 0:
        raise PredictionsError(
            f"{source.path} has no rows.",
            expected="one row per test example.",
            fix="check the stage that writes it.",
        )
    return int(rows)


def _read_needed(source: Source, columns: Collection[str]) -> tuple[dict[str, FloatArray], dict[str, str]]:
    values: dict[str, FloatArray] = {}
    unusable: dict[str, str] = {}
    for column in sorted(columns):
        try:
            values |= read_numbers(source, (column,), role="column of a formula")
        except PredictionsError as error:
            unusable[column] = error.what
    return values, unusable


def _read_weight(source: Source, spec: PredictionsSpec) -> FloatArray | None:
    if spec.weight is None:
        return None
    weight = read_numbers(source, (spec.weight,), role="weight")[spec.weight]
    if (weight < 0).any():
        raise unusable_values(source, spec.weight, weight < 0, "weight", expected="no negative weight.")
    if not weight.any():
        raise unusable_values(source, spec.weight, weight == 0, "weight", expected="a positive weight somewhere.")
    return weight


def _count_duplicates(source: Source) -> int:
    """Count rows that equal an earlier one in every column; 0 where no column could tell two examples apart."""
    if not any(kind in {"DOUBLE", "FLOAT", "VARCHAR"} for kind in source.types.values()):
        return 0
    everything = ", ".join(quote_name(column) for column in source.types)
    hashes = np.sort(as_array(source.fetch(f"hash({everything})")))
    return int(np.count_nonzero(hashes[1:] == hashes[:-1]))
