"""Stored results: what a run on the default branch found, kept under refs of the repository for later runs.

``refs/metricgate/results/KEY`` points to a commit without parents, whose tree holds ``results.json`` and the files it
names; KEY is the hash of the pipeline's inputs. ``refs/metricgate/last`` lists the keys, newest first.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from metricgate.errors import WorkspaceError
from metricgate.models.base import Value
from metricgate.models.snapshot import RevisionInfo, Snapshot, Source
from metricgate.results.codec import StoredFile, StoredResults, decode_snapshot, encode_snapshot, list_files
from metricgate.results.retention import MAX_JSON_BYTES, MAX_STORED_BYTES, MAX_STORED_RUNS, is_too_old
from metricgate.revisions.ancestry import fetch_ref
from metricgate.revisions.checkout import Checkout
from metricgate.settings.policy import Policy

RESULTS = "refs/metricgate/results"
LAST = "refs/metricgate/last"
TESTS, LAST_TESTS = "refs/metricgate/tests", "refs/metricgate/last-tests"  # a list of its own: tests are no results
_IDENTITY = ("-c", "user.name=MetricGate", "-c", "user.email=metricgate@users.noreply.github.com")


class LastResult(Value):
    """One line of the list of stored results."""

    inputs: str
    revision: str
    environment: str = ""  # of its stages: in another one, a candidate is produced


_LAST: TypeAdapter[tuple[LastResult, ...]] = TypeAdapter(tuple[LastResult, ...])


@dataclass(frozen=True, kw_only=True)
class StoredResultRefs:
    """The ResultStore in refs on origin; only runs on the default branch may keep results there.

    ``folder`` is where found files are put. ``bring`` fetches those that are in the DVC remote, and returns where they
    are, by their paths in the project.
    """

    checkout: Checkout
    folder: Path
    bring: Callable[[Sequence[StoredFile]], Mapping[str, Path]]
    results: str = RESULTS
    last: str = LAST
    source = Source.STORED

    def list_keys(self, environment: str) -> tuple[str, ...]:
        """Return the keys of inputs whose pipelines ran on the default branch in this environment."""
        return tuple(entry.inputs for entry in self._listed if entry.environment == environment)

    def find(self, inputs: str, environment: str | None, policy: Policy, info: RevisionInfo) -> Snapshot | None:
        """Return the stored snapshot for these inputs; None if it lacks a file that the policy names."""
        if environment is not None and inputs not in self.list_keys(environment):
            return None
        sha = fetch_ref(self.checkout, f"{self.results}/{inputs}") if inputs else None
        if sha is None or int(self.checkout.git("cat-file", "-s", f"{sha}:results.json")) > MAX_JSON_BYTES:
            return None
        if is_too_old(datetime.fromtimestamp(int(self.checkout.git("log", "-1", "--format=%ct", sha)), UTC), policy):
            return None
        try:
            stored = StoredResults.model_validate_json(self.checkout.git("cat-file", "blob", f"{sha}:results.json"))
        except ValidationError:
            return None
        wanted = {file.path: file for file in stored.files}
        files = {path: self._write(sha, file) for path, file in wanted.items() if file.name}
        if remote := [file for file in wanted.values() if file.hash]:
            files |= self.bring(remote)
        return decode_snapshot(stored, files, policy, info.model_copy(update={"source": self.source}))

    def keep(self, snapshot: Snapshot, environment: str, policy: Policy) -> str:
        """Push a snapshot under the key of its inputs; return why it was not stored, if it was not."""
        if not snapshot.inputs:
            return "the inputs of its pipeline are not known"
        files = list_files(snapshot, policy)
        tracked = {entry.path: entry.hash for entry in snapshot.data if entry.hash and entry.files is None}
        remote = _choose_remote(files, tracked)
        if remote is None:
            return f"predictions and plots that DVC does not track take more than {MAX_STORED_BYTES / 1e6:.0f} MB"
        kept = {
            path: StoredFile(path=path, hash=remote[path])
            if path in remote
            else StoredFile(path=path, name=f"file-{number}")
            for number, path in enumerate(sorted(files))
        }
        stored = encode_snapshot(snapshot, policy, kept)
        try:
            blobs = {
                file.name: self.checkout.write_blob(files[path].read_bytes())
                for path, file in kept.items()
                if file.name
            }
            blobs["results.json"] = self.checkout.write_blob(stored.model_dump_json().encode())
            commit = _commit(self.checkout, blobs, f"Results of {stored.revision}")
            return self._publish(stored, environment, commit)
        except WorkspaceError as error:
            return f"{error.what} {error.details}".strip()

    @cached_property
    def _listed(self) -> tuple[LastResult, ...]:
        return list_stored(self.checkout, self.last)

    def _publish(self, stored: StoredResults, environment: str, commit: str) -> str:
        """Push the results and the new list, and delete what the list no longer holds."""
        checkout = self.checkout
        before = list_stored(checkout, self.last)
        entry = LastResult(inputs=stored.inputs, revision=stored.revision, environment=environment)
        listed = (entry, *(other for other in before if other.inputs != stored.inputs))
        index = checkout.write_blob(_LAST.dump_json(listed[:MAX_STORED_RUNS]))
        last = _commit(checkout, {"index.json": index}, f"Stored results up to {stored.revision}")
        dropped = [f":{self.results}/{other.inputs}" for other in listed[MAX_STORED_RUNS:]]
        words = checkout.push(f"+{commit}:{self.results}/{stored.inputs}", f"+{last}:{self.last}", *dropped)
        return "" if words is None else f"they could not be pushed: {words}"

    def _write(self, sha: str, file: StoredFile) -> Path:
        # A folder for each: readers go by the suffix, and the stored path is not trusted as a path.
        target = self.folder / Path(file.name).name / Path(file.path).name
        target.parent.mkdir(parents=True, exist_ok=True)
        result = self.checkout.run_git("cat-file", "blob", f"{sha}:{Path(file.name).name}")
        if result.returncode != 0:
            raise WorkspaceError(
                f"The stored results of this baseline lack {file.path}.",
                expected=f"a complete tree under {self.results}.",
                fix="delete that ref on origin, or run with `baseline-results: reproduce`.",
                topic="the-baseline-has-no-results",
            )
        target.write_bytes(result.stdout)
        return target


def list_stored(checkout: Checkout, last: str = LAST) -> tuple[LastResult, ...]:
    """Return what is stored on origin, newest first; nothing if origin has nothing or does not answer."""
    sha = fetch_ref(checkout, last)
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


def _choose_remote(files: Mapping[str, Path], tracked: Mapping[str, str]) -> dict[str, str] | None:
    """Return the files left to the DVC remote, the largest first, with their hashes; None if that is not enough."""
    left = {path: file.stat().st_size for path, file in files.items()}
    chosen = {}
    for path in sorted(left, key=lambda path: (-left[path], path)):
        if sum(left.values()) > MAX_STORED_BYTES and path in tracked:
            chosen[path] = tracked[path]
            del left[path]
    return chosen if sum(left.values()) <= MAX_STORED_BYTES else None


def _commit(checkout: Checkout, blobs: dict[str, str], message: str) -> str:
    return checkout.git(*_IDENTITY, "commit-tree", checkout.make_tree(blobs), "-m", message)
