"""Which file holds predictions, and what its columns mean."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from metricgate.errors import PredictionsError
from metricgate.models.samples import Task
from metricgate.predictions import infer_spec
from metricgate.predictions.formats import quote_name
from metricgate.predictions.profiles import distinct_values, infer_task, profile_column
from metricgate.predictions.source import Source, open_source
from metricgate.settings.policy import PredictionsSpec

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


def find_predictions(folder: Path, outputs: Iterable[str], files: Iterable[str]) -> PredictionsFound | None:
    """Return the first table that holds predictions; if none does, the first one named like it, and why it does not.

    ``outputs`` are those the pipeline declares; of the folder's ``files`` only those with a telling name count.
    """
    declared = [name for name in outputs if name.endswith(TABLE_SUFFIXES)]
    existing = [name for name in files if name.endswith(TABLE_SUFFIXES) and _is_telling(name)]
    tables = dict.fromkeys([*filter(_is_telling, declared), *declared, *existing])
    doubtful: PredictionsFound | None = None
    for name in tables:
        found = _read_table(folder / name, name)
        if found.task is not None:
            return found
        if doubtful is None and _is_telling(name):
            doubtful = found
    return doubtful


def _is_telling(name: str) -> bool:
    return TELLING.search(Path(name).stem.lower()) is not None


def _read_table(path: Path, name: str) -> PredictionsFound:
    if not path.is_file():
        why_not = f"{name} is missing: run `dvc pull` or `dvc repro`"
        return PredictionsFound(spec=PredictionsSpec(path=name), why_not=why_not)
    try:
        spec = infer_spec(path).model_copy(update={"path": name})
        with open_source(path, name) as source:
            task, _ = infer_task(spec, *(_profile(source, column) for column in (spec.label, spec.prediction)))
            slices = tuple(_find_slices(source, spec))
    except PredictionsError as error:
        return PredictionsFound(spec=PredictionsSpec(path=name), why_not=error.what)
    return PredictionsFound(spec=spec.model_copy(update={"slices": slices}), task=task)


def _profile(source: Source, column: str | None) -> Any:
    return None if column is None else profile_column(source, column)


def _find_slices(source: Source, spec: PredictionsSpec) -> Iterator[str]:
    """Yield the columns with few values, each with enough rows to be judged."""
    taken = {spec.label, spec.prediction, spec.score, spec.group, spec.weight, *spec.id, *(spec.scores or {}).values()}
    for column in source.types:
        if column in taken:
            continue
        values = distinct_values(source, column, MAX_SLICE_VALUES)
        if values is None or len(values) < 2:
            continue
        name = quote_name(column)
        counts = source.ask(f"SELECT count(*) FROM rows GROUP BY {name}")  # noqa: S608  the name is quoted
        smallest = min(count for (count,) in counts)
        if smallest >= MIN_SLICE_ROWS:
            yield column
