"""Stored results: what a run on the default branch found, kept under refs of the repository for later runs.

``refs/metricgate/results/KEY`` points to a commit without parents, whose tree holds ``results.json`` and the files it
names; KEY is the hash of the pipeline's inputs. ``refs/metricgate/last`` lists the keys, newest first.
"""

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import Literal

from pydantic import Field, TypeAdapter, ValidationError

from metricgate.errors import WorkspaceError
from metricgate.execution.messages import Request
from metricgate.execution.pins import fingerprint_environment
from metricgate.execution.session import ask_worker
from metricgate.execution.work_tree import Site
from metricgate.models.base import Value
from metricgate.models.snapshot import (
    DataEntry,
    FileMetric,
    Parameter,
    PlotFile,
    RevisionInfo,
    Snapshot,
    Source,
    Stage,
)
from metricgate.revisions.ancestry import fetch_ref
from metricgate.revisions.baseline_revision import BaselineRevision
from metricgate.revisions.checkout import Checkout
from metricgate.settings.policy import Policy

RESULTS = "refs/metricgate/results"
LAST = "refs/metricgate/last"
KEPT = 50
MOST_BYTES = 20_000_000
_MOST_JSON = 5_000_000
_IDENTITY = ("-c", "user.name=MetricGate", "-c", "user.email=metricgate@users.noreply.github.com")


class StoredFile(Value):
    """A file of the project: its name in the tree or, for what is too large for Git, its hash in the DVC remote."""

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


class LastResult(Value):
    """One line of the list of stored results."""

    inputs: str
    revision: str
    environment: str = ""  # of its stages: in another one, a candidate is produced


_LAST: TypeAdapter[tuple[LastResult, ...]] = TypeAdapter(tuple[LastResult, ...])


def store_results(checkout: Checkout, snapshot: Snapshot, policy: Policy) -> str:
    """Keep a snapshot under the key of its inputs; to be called for runs on the default branch only.

    Returns
    -------
    An empty text, or one sentence that says why nothing was stored: that must not change a verdict.
    """
    if not snapshot.inputs:
        return "the inputs of its pipeline are not known"
    paths = {spec.path: snapshot.predictions[name] for name, spec in policy.prediction_sets.items()}
    files = {path: found for path, found in paths.items() if isinstance(found, Path)}
    files |= {plot.path: path for plot, path in snapshot.plots}
    tracked = {entry.path: entry.hash for entry in snapshot.data if entry.hash and entry.files is None}
    remote = _choose_remote(files, tracked)
    if remote is None:
        return f"predictions and plots that DVC does not track take more than {MOST_BYTES / 1e6:.0f} MB"
    entries = {
        path: StoredFile(path=path, hash=remote[path])
        if path in remote
        else StoredFile(path=path, name=f"file-{number}")
        for number, path in enumerate(sorted(files))
    }
    stored = describe_results(snapshot, [entries[path] for path in sorted(paths) if path in files], entries)
    environment = fingerprint_environment(policy.pipeline, partial(checkout.read_text, checkout.head_sha))
    try:
        blobs = {
            entries[path].name: checkout.write_blob(file.read_bytes())
            for path, file in files.items()
            if entries[path].name
        }
        blobs["results.json"] = checkout.write_blob(stored.model_dump_json().encode())
        return _publish(checkout, stored, environment, _commit(checkout, blobs, f"Results of {stored.revision}"))
    except WorkspaceError as error:
        return f"{error.what} {error.details}".strip()


def _choose_remote(files: Mapping[str, Path], tracked: Mapping[str, str]) -> dict[str, str] | None:
    """Return which files are left to the DVC remote, the largest first, with their hashes; None if that is not enough."""
    left = {path: file.stat().st_size for path, file in files.items()}
    chosen = {}
    for path in sorted(left, key=lambda path: (-left[path], path)):
        if sum(left.values()) > MOST_BYTES and path in tracked:
            chosen[path] = tracked[path]
            del left[path]
    return chosen if sum(left.values()) <= MOST_BYTES else None


def describe_results(
    snapshot: Snapshot, predictions: Sequence[StoredFile], entries: Mapping[str, StoredFile]
) -> StoredResults:
    """Return a snapshot as it is kept; ``entries`` says of each file where it is kept."""
    return StoredResults(
        revision=snapshot.info.revision or "",
        inputs=snapshot.inputs,
        metrics=snapshot.metrics,
        parameters=snapshot.parameters,
        data=snapshot.data,
        stages=snapshot.stages,
        packages=snapshot.packages,
        python=snapshot.python,
        plots=tuple(StoredPlot(plot=plot, file=entries[plot.path]) for plot, _ in snapshot.plots),
        predictions=tuple(predictions),
    )


def _commit(checkout: Checkout, blobs: dict[str, str], message: str) -> str:
    return checkout.git(*_IDENTITY, "commit-tree", checkout.make_tree(blobs), "-m", message)


def _publish(checkout: Checkout, stored: StoredResults, environment: str, commit: str) -> str:
    """Push the results and the new list, and delete what the list no longer holds."""
    before = list_stored(checkout)
    entry = LastResult(inputs=stored.inputs, revision=stored.revision, environment=environment)
    listed = (entry, *(other for other in before if other.inputs != stored.inputs))
    index = checkout.write_blob(_LAST.dump_json(listed[:KEPT]))
    last = _commit(checkout, {"index.json": index}, f"Stored results up to {stored.revision}")
    dropped = [f":{RESULTS}/{other.inputs}" for other in listed[KEPT:]]
    words = checkout.push(f"+{commit}:{RESULTS}/{stored.inputs}", f"+{last}:{LAST}", *dropped)
    return "" if words is None else f"they could not be pushed: {words}"


def list_stored(checkout: Checkout) -> tuple[LastResult, ...]:
    """Return what is stored on origin, newest first; nothing if origin has nothing or cannot be asked."""
    sha = fetch_ref(checkout, LAST)
    if sha is None:
        return ()
    try:
        return _LAST.validate_json(checkout.git("cat-file", "blob", f"{sha}:index.json"))
    except (WorkspaceError, ValidationError):
        return ()


def find_last_revision(checkout: Checkout) -> str | None:
    """Return the revision whose results were stored last."""
    stored = list_stored(checkout)
    return stored[0].revision if stored else None


def load_results(
    checkout: Checkout, inputs: str, revision: BaselineRevision, policy: Policy, site: Site
) -> Snapshot | None:
    """Return the stored snapshot of a pipeline with these inputs; None if there is none that has all that is needed.

    Its files are put into the site's folder of files.
    """
    sha = fetch_ref(checkout, f"{RESULTS}/{inputs}") if inputs else None
    if sha is None or int(checkout.git("cat-file", "-s", f"{sha}:results.json")) > _MOST_JSON:
        return None
    try:
        stored = StoredResults.model_validate_json(checkout.git("cat-file", "blob", f"{sha}:results.json"))
    except ValidationError:
        return None
    files = _bring_files(checkout, sha, stored, site)
    info = RevisionInfo(revision=revision.sha, name=revision.name, source=Source.STORED, reason=revision.reason)
    return restore_snapshot(stored, files, policy, info)


def restore_snapshot(
    stored: StoredResults, files: Mapping[str, Path], policy: Policy, info: RevisionInfo
) -> Snapshot | None:
    """Return kept results as a snapshot; ``files`` are those that can be had. None if one that the policy names cannot."""
    by_path = {file.path: files.get(file.path) for file in stored.predictions}
    predictions = {name: by_path.get(spec.path) for name, spec in policy.prediction_sets.items()}
    present = {name: path for name, path in predictions.items() if path is not None}
    if len(present) < len(predictions):
        return None
    return Snapshot(
        info=info,
        metrics=stored.metrics,
        parameters=stored.parameters,
        data=stored.data,
        stages=tuple(map(_restore_stage, stored.stages)),
        packages=stored.packages,
        python=stored.python,
        plots=tuple((found.plot, files[found.file.path]) for found in stored.plots if found.file.path in files),
        predictions=MappingProxyType(present),
        inputs=stored.inputs,
    )


def _restore_stage(stage: Stage) -> Stage:
    """Return the stage as one that was not run now; only a training's duration is worth knowing."""
    return stage.model_copy(update={"state": "unchanged", "seconds": stage.seconds if stage.state == "ran" else None})


def _bring_files(checkout: Checkout, sha: str, stored: StoredResults, site: Site) -> dict[str, Path]:
    """Put the stored files where they can be read; those that cannot be had are left out."""
    wanted = {file.path: file for file in (*stored.predictions, *(plot.file for plot in stored.plots))}
    found = {path: _write(checkout, sha, file, site.files) for path, file in wanted.items() if file.name}
    remote = [file for file in wanted.values() if file.hash]
    if not remote:
        return found
    request = Request(
        action="bring",
        directory=str(site.directory),
        predictions=tuple(file.path for file in remote),
        hashes=tuple(file.hash for file in remote),
        files=str(site.make_folder(site.files)),
    )
    answer = ask_worker(request, progress=site.progress, log=site.logs / f"{site.name}-stored.log", owner=site.owner)
    return found | {file.path: Path(file.local) for file in answer.predictions if file.local is not None}


def _write(checkout: Checkout, sha: str, file: StoredFile, files: Path) -> Path:
    # A folder for each: readers go by the suffix, and the stored path is not trusted as a path.
    target = files / "stored" / Path(file.name).name / Path(file.path).name
    target.parent.mkdir(parents=True, exist_ok=True)
    result = checkout.run_git("cat-file", "blob", f"{sha}:{Path(file.name).name}")
    if result.returncode != 0:
        raise WorkspaceError(
            f"The stored results of this baseline lack {file.path}.",
            expected=f"a complete tree under {RESULTS}.",
            fix="delete that ref on origin, or run with `baseline-results: reproduce`.",
        )
    target.write_bytes(result.stdout)
    return target
