"""Which file holds predictions, and what its columns mean."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from metricgate.errors import PredictionsError
from metricgate.models.samples import Task
from metricgate.predictions import PredictionTable, count_values, find_task, infer_spec, open_table
from metricgate.predictions.column_roles import LABEL_NAMES
from metricgate.settings.policy import PredictionsSpec
from metricgate.starter.first_gates import FirstGate, choose_gates

TABLE_SUFFIXES = (".csv", ".parquet", ".jsonl", ".ndjson")
MAX_SLICE_VALUES = 8
MIN_SLICE_ROWS = 30  # slices with fewer are not judged
TELLING = re.compile(r"(?<![a-z])pred(s|icted|ictions?)?(?![a-z])")  # test_preds, predictions-2; not predictors


@dataclass(frozen=True, kw_only=True)
class PredictionsFound:
    """A file of predictions, and what its columns mean; ``task`` is None where they do not tell."""

    spec: PredictionsSpec
    task: Task | None = None
    why_not: str = ""
    rows: int = 0
    gates: tuple[FirstGate, ...] = ()


def find_predictions(
    folder: Path, outputs: Iterable[str], plots: Iterable[str], files: Iterable[str]
) -> PredictionsFound | None:
    """Return the first table that holds predictions; if none does, the first one named like it, and why it does not.

    ``outputs`` and ``plots`` are those the pipeline declares; of plots only those whose columns have usual names count,
    and of the folder's ``files`` only those with a telling name. Test data comes before the rest, training data last.
    """
    declared, drawn = sorted(outputs, key=_rank), sorted(plots, key=_rank)
    existing = [name for name in files if name.endswith(TABLE_SUFFIXES) and _is_telling(name)]
    tables = dict.fromkeys([*filter(_is_telling, declared), *declared, *existing, *drawn])
    doubtful: PredictionsFound | None = None
    for name in tables:
        found = _read_table(folder / name, name)
        if found.task is not None and (name not in drawn or _names_its_columns(found.spec)):
            return found
        if doubtful is None and _is_telling(name):
            doubtful = found
    return doubtful


def _rank(name: str) -> int:
    words = set(re.split(r"[\W_]+", name.lower()))
    return 2 if words & {"train", "training"} else 0 if "test" in words else 1


def _names_its_columns(spec: PredictionsSpec) -> bool:
    """Return whether the label and the model's answer have usual names: a plot's data has columns of all kinds."""
    is_label = spec.label is not None and spec.label.lower() in LABEL_NAMES
    return is_label and bool(spec.prediction or spec.scores or spec.score)


def _is_telling(name: str) -> bool:
    return TELLING.search(Path(name).stem.lower()) is not None


def _read_table(path: Path, name: str) -> PredictionsFound:
    if not path.is_file():
        why_not = f"{name} is missing: run `dvc pull` or `dvc repro`"
        return PredictionsFound(spec=PredictionsSpec(path=name), why_not=why_not)
    try:
        spec = infer_spec(path).model_copy(update={"path": name})
        with open_table(path, name) as table:
            task = find_task(table, spec)
            slices = tuple(_find_slices(table, spec))
            ((rows,),) = table.ask("SELECT count(*) FROM rows")
    except PredictionsError as error:
        return PredictionsFound(spec=PredictionsSpec(path=name), why_not=error.what)
    gates = choose_gates(path, spec, task)
    return PredictionsFound(spec=spec.model_copy(update={"slices": slices}), task=task, rows=rows, gates=gates)


def _find_slices(table: PredictionTable, spec: PredictionsSpec) -> Iterator[str]:
    """Yield the columns with few values, each with enough rows to be judged."""
    taken = {spec.label, spec.prediction, spec.score, spec.group, spec.weight, *spec.id, *(spec.scores or {}).values()}
    for column in table.types:
        counts = None if column in taken else count_values(table, column, MAX_SLICE_VALUES)
        if counts is not None and len(counts.keys() - {None}) >= 2 and min(counts.values()) >= MIN_SLICE_ROWS:
            yield column
