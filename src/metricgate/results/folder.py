"""Results of earlier runs in this workspace, so that equal inputs are not rolled again: the first throw counts.

``.metricgate/results/SIDE/KEY`` holds ``results.json`` and the files that it names. What lies there was written by whoever
could write to the workspace, as in DVC's cache: it is read before any code of the run's own revisions starts.
"""

import hashlib
import re
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from types import MappingProxyType
from typing import Literal

from pydantic import ValidationError

from metricgate.errors import ConfigurationError
from metricgate.models.base import Value
from metricgate.models.snapshot import RevisionInfo, Snapshot, Source
from metricgate.processes.owner import hand_back
from metricgate.processes.progress import Progress
from metricgate.processes.safe_files import make_folder, make_ignored_folder, replace_file
from metricgate.results.git_refs import StoredFile, StoredResults, describe_results, restore_snapshot
from metricgate.revisions.checkout import Checkout
from metricgate.settings.policy import Policy

FOLDER = ".metricgate/results"
KEPT = 20  # of each side
MOST_JSON = 5_000_000
Side = Literal["candidate", "baseline"]


class EarlierRun(Value):
    """The content of results.json. ``digests``: the SHA-256 of each file, by its name in the folder."""

    made: str  # UTC, to the minute
    environment: str
    results: StoredResults
    digests: Mapping[str, str] = {}


@dataclass(frozen=True, kw_only=True)
class EarlierRuns:
    """The results that lay in the workspace when the run began."""

    checkout: Checkout
    runs: Mapping[tuple[Side, str], EarlierRun] = field(default_factory=lambda: MappingProxyType({}))

    @classmethod
    def open(cls, checkout: Checkout) -> "EarlierRuns":
        """Read what there is; what cannot be read is not there."""
        found: dict[tuple[Side, str], EarlierRun] = {}
        sides: tuple[Side, ...] = ("candidate", "baseline")
        for side in sides:
            for file in sorted((checkout.directory / FOLDER / side).glob("*/results.json")):
                run = _read_run(file)
                if run is not None:
                    found[side, file.parent.name] = run
        if found and checkout.has_in_git(FOLDER):
            return cls(checkout=checkout)  # written by a person, and by no run
        return cls(checkout=checkout, runs=MappingProxyType(found))

    def known(self, side: Side, environment: str) -> tuple[str, ...]:
        """Return the inputs of pipelines whose results are here, for stages in this environment."""
        return tuple(
            run.results.inputs for (of, _), run in self.runs.items() if of == side and run.environment == environment
        )

    def load(self, side: Side, inputs: str, environment: str, info: RevisionInfo, policy: Policy) -> Snapshot | None:
        """Return the earlier results; None if there are none, or not all that the policy names, or files changed since."""
        key = _name_run(inputs, environment)
        run = self.runs.get((side, key))
        if run is None or run.results.inputs != inputs:
            return None
        folder = self.checkout.directory / FOLDER / side / key
        files = {file.path: folder / file.name for file in _list_files(run.results)}
        if not all(_is_intact(folder, file.name, run) for file in _list_files(run.results)):
            return None
        made = info.model_copy(update={"source": Source.EARLIER, "made": run.made})
        return restore_snapshot(run.results, files, policy, made)

    def keep(self, side: Side, snapshot: Snapshot, environment: str, policy: Policy, progress: Progress) -> None:
        """Keep a snapshot that a pipeline just produced, if it is the first with its inputs; failing changes no verdict."""
        key = _name_run(snapshot.inputs, environment)
        paths = {spec.path: snapshot.predictions.get(name) for name, spec in policy.prediction_sets.items()}
        files = {path: found for path, found in paths.items() if isinstance(found, Path)}
        if not snapshot.inputs or len(files) < len(paths) or (side, key) in self.runs:
            return
        files |= {plot.path: path for plot, path in snapshot.plots}
        top = self.checkout.directory / FOLDER / side
        try:
            make_ignored_folder(self.checkout.directory, f"{FOLDER}/{side}/{key}", self.checkout.owner)
            _write_run(top / key, snapshot, environment, files, list(paths))
            _prune(top)
            hand_back(top.parent, self.checkout.owner)
        except (ConfigurationError, OSError) as error:
            reason = error.what if isinstance(error, ConfigurationError) else error.strerror
            progress.line(f"the {side}'s results are not kept for later runs in {FOLDER}: {reason}")


def was_produced(snapshot: Snapshot) -> bool:
    """Tell whether a pipeline gave these results in this run, rather than that they lay there."""
    return any(stage.state in ("ran", "cached", "restored") for stage in snapshot.stages)


def _name_run(inputs: str, environment: str) -> str:
    return hashlib.sha256(f"{inputs} {environment}".encode()).hexdigest()[:32]


def _read_run(file: Path) -> EarlierRun | None:
    try:
        if file.is_symlink() or not file.is_file() or file.stat().st_size > MOST_JSON:
            return None
        return EarlierRun.model_validate_json(file.read_bytes())
    except (OSError, ValidationError):
        return None


def _list_files(results: StoredResults) -> tuple[StoredFile, ...]:
    return (*results.predictions, *(plot.file for plot in results.plots))


def _is_intact(folder: Path, name: str, run: EarlierRun) -> bool:
    # The name is not ours to trust: it must not lead out of the folder.
    digest = _hash_file(folder / name) if re.fullmatch(r"\d+/[^/]+", name) else ""
    return bool(digest) and run.digests.get(name) == digest


def _hash_file(path: Path) -> str:
    """Return a file's hash; empty where there is none, or nobody can read it."""
    try:
        if path.is_symlink() or path.parent.is_symlink() or not path.is_file():
            return ""
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError:
        return ""


def _write_run(
    folder: Path, snapshot: Snapshot, environment: str, files: Mapping[str, Path], predictions: list[str]
) -> None:
    """Write the files, and results.json last: without it a folder counts for nothing."""
    entries = {}
    for number, (path, source) in enumerate(sorted(files.items())):
        name = f"{number}/{Path(path).name}"
        make_folder(folder / str(number))
        (folder / name).unlink(missing_ok=True)
        shutil.copyfile(source, folder / name)
        entries[path] = StoredFile(path=path, name=name)
    run = EarlierRun(
        made=f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC",
        environment=environment,
        results=describe_results(snapshot, [entries[path] for path in sorted(predictions)], entries),
        digests={entry.name: _hash_file(folder / entry.name) for entry in entries.values()},
    )
    replace_file(folder / "results.json", run.model_dump_json().encode())


def _prune(top: Path) -> None:
    """Delete all but the newest runs."""
    runs = sorted((file.stat().st_mtime, file.parent) for file in top.glob("*/results.json"))
    for _, folder in runs[:-KEPT]:
        shutil.rmtree(folder)
