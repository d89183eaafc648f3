"""Results of earlier runs in this workspace, so that equal inputs are not rolled again: the first throw counts.

``.metricgate/results/SIDE/KEY`` holds ``results.json`` and the files that it names. Anybody who could write to the
workspace may have written them, as in DVC's cache: they are read before any code of the run's revisions starts.
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
from metricgate.processes.safe_files import make_folder, make_ignored_folder, replace_file
from metricgate.results.codec import StoredFile, StoredResults, decode_snapshot, encode_snapshot, list_files
from metricgate.results.retention import MAX_JSON_BYTES, MAX_WORKSPACE_RUNS, is_too_old
from metricgate.revisions.checkout import Checkout
from metricgate.settings.policy import Policy

FOLDER = ".metricgate/results"
_TIME = "%Y-%m-%d %H:%M UTC"
Side = Literal["candidate", "baseline", "tests"]


class EarlierRun(Value):
    """The content of results.json. ``digests``: the SHA-256 of each file, by its name in the folder."""

    made: str  # UTC, to the minute
    environment: str
    results: StoredResults
    digests: Mapping[str, str] = {}


@dataclass(frozen=True, kw_only=True)
class WorkspaceResults:
    """The ResultStore in the folder of one side: the results that were there when the run began."""

    checkout: Checkout
    side: Side
    runs: Mapping[str, EarlierRun] = field(default_factory=lambda: MappingProxyType({}))
    source = Source.EARLIER

    @classmethod
    def open(cls, checkout: Checkout, side: Side) -> "WorkspaceResults":
        """Read what there is; what cannot be read is not there."""
        files = sorted((checkout.directory / FOLDER / side).glob("*/results.json"))
        runs = {file.parent.name: run for file in files if (run := _read_run(file)) is not None}
        if runs and checkout.has_in_git(FOLDER):
            return cls(checkout=checkout, side=side)  # written by a person, not by a run
        return cls(checkout=checkout, side=side, runs=MappingProxyType(runs))

    @property
    def folder(self) -> Path:
        return self.checkout.directory / FOLDER / self.side

    def list_keys(self, environment: str) -> tuple[str, ...]:
        """Return the keys of inputs whose results are here, for stages in this environment."""
        return tuple(run.results.inputs for run in self.runs.values() if run.environment == environment)

    def find(self, inputs: str, environment: str | None, policy: Policy, info: RevisionInfo) -> Snapshot | None:
        """Return the earlier results; None if they lack a file that the policy names, or a file changed since."""
        for name, run in self.runs.items():
            is_wanted = run.results.inputs == inputs and environment in (None, run.environment)
            if not is_wanted or name != _name_run(inputs, run.environment):
                continue
            if is_too_old(_read_time(run.made), policy):
                return None
            folder, files = self.folder / name, run.results.files
            if not all(_is_intact(folder, file.name, run) for file in files):
                return None
            made = info.model_copy(update={"source": self.source, "made": run.made})
            return decode_snapshot(run.results, {file.path: folder / file.name for file in files}, policy, made)
        return None

    def keep(self, snapshot: Snapshot, environment: str, policy: Policy) -> str:
        """Keep a snapshot if it is complete and the first with its inputs; return why it could not be written."""
        name = _name_run(snapshot.inputs, environment)
        files = list_files(snapshot, policy)
        is_complete = all(spec.path in files for spec in policy.prediction_sets.values())
        known = name in self.runs and not is_too_old(_read_time(self.runs[name].made), policy)
        if not snapshot.inputs or not is_complete or known:
            return ""
        try:
            make_ignored_folder(self.checkout.directory, f"{FOLDER}/{self.side}/{name}", self.checkout.owner)
            _write_run(self.folder / name, snapshot, environment, policy, files)
            _prune(self.folder)
            hand_back(self.folder.parent, self.checkout.owner)
        except (ConfigurationError, OSError) as error:
            reason = error.what if isinstance(error, ConfigurationError) else error.strerror
            return f"the {self.side}'s results are not kept for later runs in {FOLDER}: {reason}"
        return ""


def _name_run(inputs: str, environment: str) -> str:
    return hashlib.sha256(f"{inputs} {environment}".encode()).hexdigest()[:32]


def _read_run(file: Path) -> EarlierRun | None:
    try:
        if file.is_symlink() or not file.is_file() or file.stat().st_size > MAX_JSON_BYTES:
            return None
        return EarlierRun.model_validate_json(file.read_bytes())
    except (OSError, ValidationError):
        return None


def _is_intact(folder: Path, name: str, run: EarlierRun) -> bool:
    # The name is not trusted: it must not lead out of the folder.
    digest = _hash_file(folder / name) if re.fullmatch(r"\d+/[^/]+", name) else ""
    return bool(digest) and run.digests.get(name) == digest


def _hash_file(path: Path) -> str:
    """Return a file's hash; empty where there is no file, or it cannot be read."""
    try:
        if path.is_symlink() or path.parent.is_symlink() or not path.is_file():
            return ""
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError:
        return ""


def _write_run(folder: Path, snapshot: Snapshot, environment: str, policy: Policy, files: Mapping[str, Path]) -> None:
    """Write the files, and results.json last: without it a folder counts for nothing."""
    kept = {}
    for number, (path, source) in enumerate(sorted(files.items())):
        name = f"{number}/{Path(path).name}"
        make_folder(folder / str(number))
        (folder / name).unlink(missing_ok=True)
        shutil.copyfile(source, folder / name)
        kept[path] = StoredFile(path=path, name=name)
    run = EarlierRun(
        made=f"{datetime.now(UTC):{_TIME}}",
        environment=environment,
        results=encode_snapshot(snapshot, policy, kept),
        digests={file.name: _hash_file(folder / file.name) for file in kept.values()},
    )
    replace_file(folder / "results.json", run.model_dump_json().encode())


def _read_time(made: str) -> datetime:
    """Return when results were made; long ago where that cannot be read."""
    try:
        return datetime.strptime(made, _TIME).replace(tzinfo=UTC)
    except ValueError:
        return datetime.min.replace(tzinfo=UTC)


def _prune(top: Path) -> None:
    """Delete all but the newest runs."""
    runs = sorted((file.stat().st_mtime, file.parent) for file in top.glob("*/results.json"))
    for _, folder in runs[:-MAX_WORKSPACE_RUNS]:
        shutil.rmtree(folder)
