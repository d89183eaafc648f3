"""What a repository already has that a policy can name."""

import configparser
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from metricgate.errors import PredictionsError
from metricgate.models.samples import Task
from metricgate.models.snapshot import Unreadable
from metricgate.predictions import infer_spec
from metricgate.predictions.formats import quote_name
from metricgate.predictions.profiles import distinct_values, infer_task, profile_column
from metricgate.predictions.source import Source, open_source
from metricgate.settings.document import read_document
from metricgate.settings.policy import PredictionsSpec
from metricgate.workspace.checkout import Checkout
from metricgate.workspace.metrics_file import read_metrics

TABLES = (".csv", ".parquet", ".jsonl", ".ndjson")
MOST_SLICE_VALUES = 8
LEAST_SLICE_ROWS = 30  # fewer are not judged


@dataclass(frozen=True, kw_only=True)
class PredictionsFound:
    """A file of predictions, and what its columns mean; ``task`` None where the file is not here to look at."""

    spec: PredictionsSpec
    task: Task | None = None
    why_not: str = ""


@dataclass(frozen=True, kw_only=True)
class Survey:
    """What was found. ``remotes`` maps a DVC remote's name to its address, the default one first."""

    has_pipeline: bool
    remotes: Mapping[str, str]
    metrics: Mapping[str, tuple[str, ...]]  # file to the keys of its numbers
    predictions: PredictionsFound | None
    requirements: str | None


def survey_project(checkout: Checkout) -> Survey:
    """Look at the project's folder as it lies there; nothing is run."""
    folder = checkout.directory
    outputs = tuple(_find_outputs(folder))
    metrics = {name: _read_keys(folder / name, name) for name, kind in outputs if kind == "metrics"}
    return Survey(
        has_pipeline=(folder / "dvc.yaml").is_file(),
        remotes=read_remotes(folder, checkout.top),
        metrics=metrics,
        predictions=_find_predictions(folder, [name for name, kind in outputs if kind == "outs"]),
        requirements=_find_requirements(folder),
    )


def read_pipeline(folder: Path) -> Mapping[str, Any]:
    """Return dvc.yaml as it stands; empty where there is none or it is no mapping."""
    path = folder / "dvc.yaml"
    if not path.is_file():
        return {}
    content = read_document(path.read_text(encoding="utf-8"), "dvc.yaml").value
    return content if isinstance(content, dict) else {}


def _find_outputs(folder: Path) -> Iterator[tuple[str, str]]:
    """Yield each output's path and its kind (outs or metrics); templated names cannot be known without DVC."""
    pipeline = read_pipeline(folder)
    stages = pipeline.get("stages")
    for section in (pipeline, *(stages.values() if isinstance(stages, dict) else ())):
        for kind in ("outs", "metrics"):
            entries = section.get(kind) if isinstance(section, dict) else None
            for entry in entries if isinstance(entries, list) else ():
                name = next(iter(entry)) if isinstance(entry, dict) and entry else entry
                if isinstance(name, str) and "${" not in name:
                    yield name, kind


def read_remotes(folder: Path, top: Path) -> dict[str, str]:
    """Return the DVC remotes' names and addresses from .dvc/config, the default one first."""
    config = configparser.ConfigParser(interpolation=None)
    roots = [root for root in (folder, *folder.parents) if root.is_relative_to(top)]
    file = next((root / ".dvc/config" for root in roots if (root / ".dvc/config").is_file()), None)
    if file is None:
        return {}
    config.read([file, file.with_name("config.local")], encoding="utf-8")
    found = {
        section.strip("'").removeprefix("remote ").strip('"'): config.get(section, "url", fallback="")
        for section in config.sections()
        if section.startswith("'remote ")
    }
    default = config.get("core", "remote", fallback="")
    return dict(sorted(found.items(), key=lambda item: item[0] != default))


def _read_keys(path: Path, name: str) -> tuple[str, ...]:
    found = read_metrics(path, name)
    if isinstance(found, Unreadable):
        return ()
    return tuple(metric.key for metric in found if metric.value is not None)


def _find_requirements(folder: Path) -> str | None:
    return next((name for name in ("uv.lock", "requirements.txt") if (folder / name).is_file()), None)


def _find_predictions(folder: Path, outputs: list[str]) -> PredictionsFound | None:
    tables = [name for name in outputs if name.endswith(TABLES)]
    likely = [name for name in tables if "pred" in Path(name).stem.lower()]
    for name in [*likely, *(name for name in tables if name not in likely)]:
        path = folder / name
        if path.is_file():
            return _look_at(path, name)
    if likely:
        spec = PredictionsSpec(path=likely[0])
        return PredictionsFound(spec=spec, why_not=f"{likely[0]} is not here: run `dvc pull` or `dvc repro`")
    return None


def _look_at(path: Path, name: str) -> PredictionsFound:
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
    """Yield columns of few values, each with enough rows to be judged."""
    taken = {spec.label, spec.prediction, spec.score, spec.group, spec.weight, *spec.id, *(spec.scores or {}).values()}
    for column in source.types:
        if column in taken:
            continue
        values = distinct_values(source, column, MOST_SLICE_VALUES)
        if values is None or len(values) < 2:
            continue
        name = quote_name(column)
        counts = source.ask(f"SELECT count(*) FROM rows GROUP BY {name}")  # noqa: S608  the name is quoted
        smallest = min(count for (count,) in counts)
        if smallest >= LEAST_SLICE_ROWS:
            yield column
