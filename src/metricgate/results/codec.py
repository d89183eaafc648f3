"""The form in which a snapshot is kept: ``results.json``, which names the snapshot's files."""

from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from types import MappingProxyType
from typing import Literal

from pydantic import Field

from metricgate.models.base import Value
from metricgate.models.snapshot import (
    Believed,
    DataEntry,
    FileMetric,
    Parameter,
    PlotFile,
    RevisionInfo,
    Snapshot,
    Stage,
)
from metricgate.settings.policy import Policy


class StoredFile(Value):
    """A file of the project: its name in the store or, for what is too large for Git, its hash in the DVC remote."""

    path: str
    name: str = ""
    hash: str = Field("", pattern=r"^([0-9a-f]{32})?$")


class StoredPlot(Value):
    plot: PlotFile
    file: StoredFile


class StoredResults(Value):
    """The content of results.json."""

    schema_version: Literal[1] = 1
    revision: str
    inputs: str
    metrics: tuple[FileMetric, ...] = ()
    parameters: tuple[Parameter, ...] = ()
    data: tuple[DataEntry, ...] = ()
    stages: tuple[Stage, ...] = ()
    packages: tuple[tuple[str, str], ...] = ()
    python: str = ""
    plots: tuple[StoredPlot, ...] = ()
    predictions: tuple[StoredFile, ...] = ()
    believed: tuple[Believed, ...] = ()

    @property
    def files(self) -> tuple[StoredFile, ...]:
        return (*self.predictions, *(plot.file for plot in self.plots))


_FILES = {"plots", "predictions"}
# What a snapshot and its stored form have in common, stages apart: those were run then, and not now.
_SHARED = {field.name for field in fields(Snapshot)} & set(StoredResults.model_fields) - _FILES


def list_files(snapshot: Snapshot, policy: Policy) -> dict[str, Path]:
    """Return the files of a snapshot that are kept, by their paths in the project."""
    found = {spec.path: snapshot.predictions.get(name) for name, spec in policy.prediction_sets.items()}
    predictions = {path: file for path, file in found.items() if isinstance(file, Path)}
    return predictions | {plot.path: file for plot, file in snapshot.plots}


def encode_snapshot(snapshot: Snapshot, policy: Policy, kept: Mapping[str, StoredFile]) -> StoredResults:
    """Return a snapshot as it is kept; ``kept`` says of each file, by its path in the project, where it is."""
    paths = sorted({spec.path for spec in policy.prediction_sets.values()} & kept.keys())
    return StoredResults(
        revision=snapshot.info.revision or "",
        plots=tuple(StoredPlot(plot=plot, file=kept[plot.path]) for plot, _ in snapshot.plots),
        predictions=tuple(kept[path] for path in paths),
        **{name: getattr(snapshot, name) for name in _SHARED},
    )


def decode_snapshot(
    stored: StoredResults, files: Mapping[str, Path], policy: Policy, info: RevisionInfo
) -> Snapshot | None:
    """Return kept results as a snapshot; None if ``files``, by path, lack one that the policy names."""
    by_path = {file.path: files.get(file.path) for file in stored.predictions}
    predictions = {name: by_path.get(spec.path) for name, spec in policy.prediction_sets.items()}
    present = {name: path for name, path in predictions.items() if path is not None}
    if len(present) < len(predictions):
        return None
    shared = {name: getattr(stored, name) for name in _SHARED}
    return Snapshot(
        info=info,
        plots=tuple((found.plot, files[found.file.path]) for found in stored.plots if found.file.path in files),
        predictions=MappingProxyType(present),
        **shared | {"stages": tuple(map(_restore_stage, stored.stages))},
    )


def _restore_stage(stage: Stage) -> Stage:
    """Return the stage as one that was not run now; what is not known to be reproduced stays so."""
    state = "committed" if stage.state == "committed" else "unchanged"
    return stage.model_copy(update={"state": state, "seconds": stage.seconds if stage.state == "ran" else None})
