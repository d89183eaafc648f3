"""Everything known about one revision: metrics, parameters, data, stages, packages, predictions."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Literal

from metricgate.models.base import Finite, Value

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

Scalar = bool | int | float | str | None


class Source(StrEnum):
    """Where a revision's results came from."""

    GIT = "git"
    DVC_CACHE = "dvc cache"
    DVC_REMOTE = "dvc remote"
    STORED = "stored results"
    EARLIER = "earlier run"
    REPRODUCED = "reproduced"
    WORKSPACE = "workspace"
    FILE = "file"
    MLFLOW = "mlflow run"


class RevisionInfo(Value):
    """Which revision, and where its results came from.

    ``revision`` is the full commit SHA, null for plain files; ``name`` is what people call it (``main``, a path).
    """

    revision: str | None = None
    name: str
    dirty: bool = False
    source: Source
    rows: int | None = None
    reason: str = ""  # why this revision ("first parent of the merge commit"), one sentence
    made: str = ""  # when an earlier run made these results, which are used again; empty where none did
    stale: str = ""  # why its committed results lag behind its own inputs; empty when they do not


class FileMetric(Value):
    """One number of a DVC metrics file; a value that is not a finite number has ``value`` null and a ``problem``."""

    file: str
    key: str
    value: Finite | None
    problem: str = ""

    @property
    def name(self) -> str:
        """The name gates use: ``FILE:dotted.key``."""
        return f"{self.file}:{self.key}"


class Parameter(Value):
    """One parameter of the pipeline; lists and mappings inside are JSON text."""

    file: str
    key: str
    value: Scalar


class DataEntry(Value):
    """One DVC-tracked file or folder."""

    path: str
    hash: str | None
    size: int | None = None
    files: int | None = None
    output: bool = False  # produced by a stage; false: an input added with `dvc add`


class FileCounts(Value):
    """How many files of a tracked folder differ from the baseline's; ``unknown``: why they cannot be counted."""

    added: int = 0
    modified: int = 0
    deleted: int = 0
    unknown: str = ""


StageState = Literal["ran", "cached", "restored", "unchanged", "committed", "unknown"]
"""``cached``: from DVC's run cache; ``committed``: this change brought its results along, and it did not run."""


class Stage(Value):
    """One stage of the pipeline and what was done for it."""

    name: str
    state: StageState
    seconds: Finite | None = None


class PlotFile(Value):
    """A plot the pipeline declares: its data file, and the columns to draw."""

    path: str
    template: str = "linear"
    x: str | None = None
    y: str | None = None
    title: str = ""
    x_label: str = ""
    y_label: str = ""


class Believed(Value):
    """A result that no run is known to have made: a stage, or a file, whether committed or cached, and why."""

    what: str
    reason: str
    origin: Literal["commit", "run cache"] = "commit"


@dataclass(frozen=True, kw_only=True)
class Unreadable:
    """Something that should be there and cannot be read, with the reason."""

    what: str
    reason: str
    missing: bool = False  # it is not there at all, as opposed to broken


@dataclass(frozen=True, eq=False, kw_only=True)
class FilePart:
    """Some rows of a predictions file: those where ``selected``, shape (n,), in the order of the file, is true."""

    file: Path
    selected: "NDArray[np.bool_]"


@dataclass(frozen=True, kw_only=True)
class Snapshot:
    """One revision's results, in deterministic order. Its files last as long as the run.

    ``inputs`` is a hash of everything that its pipeline starts from: equal inputs are the same pipeline on the same
    data. ``packages`` are what the revision asks for, ``python`` is the version that its stages ran with, if known.
    """

    info: RevisionInfo
    metrics: tuple[FileMetric, ...] = ()
    parameters: tuple[Parameter, ...] = ()
    data: tuple[DataEntry, ...] = ()
    stages: tuple[Stage, ...] = ()
    packages: tuple[tuple[str, str], ...] = ()
    python: str = ""
    plots: tuple[tuple[PlotFile, Path], ...] = ()
    predictions: Mapping[str, Path | tuple[FilePart, ...] | Unreadable] = field(
        default_factory=lambda: MappingProxyType({})
    )
    problems: tuple[Unreadable, ...] = ()
    inputs: str = ""
    believed: tuple[Believed, ...] = ()

    def hash_of(self, path: str) -> str | None:
        """Return the hash of a DVC-tracked file or folder, if it has one."""
        return next((entry.hash for entry in self.data if entry.path == path), None)
