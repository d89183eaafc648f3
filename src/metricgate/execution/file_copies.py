"""Files of a revision or of the checkout, as its own policy names them: a model, test data, training data."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

from metricgate.errors import WorkspaceError
from metricgate.execution.messages import Bring, CopyOut, FileCopy, Override, RemoteObject
from metricgate.execution.session import ask_worker
from metricgate.execution.work_tree import WorkTree
from metricgate.models.snapshot import Snapshot, Source
from metricgate.results.codec import StoredFile
from metricgate.results.git_refs import LAST_TESTS, TESTS, StoredResultRefs
from metricgate.revisions.checkout import Checkout
from metricgate.settings.policy import PipelineSpec

_PRODUCED_ELSEWHERE = frozenset({Source.STORED, Source.EARLIER, Source.REPRODUCED})


class FileUnavailableError(WorkspaceError):
    """A model or data that the policy names is neither in Git nor in DVC's cache or remote."""


@dataclass(frozen=True, kw_only=True)
class FileOrigin:
    """Where files come from: a commit, or with ``revision`` None the checkout as it is.

    ``hashes``: by path, what DVC recorded for a run at that commit whose dvc.lock is not in Git.
    """

    revision: str | None
    hashes: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of_baseline(cls, snapshot: Snapshot) -> "FileOrigin":
        """Return the origin of the files that a baseline's results were produced with."""
        is_elsewhere = snapshot.info.source in _PRODUCED_ELSEWHERE
        return cls(revision=snapshot.info.revision, hashes=_hashes_of(snapshot) if is_elsewhere else {})

    @classmethod
    def of_candidate(cls, checkout: Checkout, snapshot: Snapshot, pipeline: PipelineSpec) -> "FileOrigin":
        """Return the origin of the files that the candidate's results were produced with: the checkout, or a commit.

        The snapshot's own revision may be the head of a pull request, which a checkout of its merge does not have.
        """
        if snapshot.info.source is Source.WORKSPACE and not pipeline.params:
            return cls(revision=None)
        return cls(revision=checkout.record_state(), hashes=_hashes_of(snapshot))

    def find_hash(self, path: str) -> str:
        """Return the recorded hash of an output, or of the folder that ``path`` lies in; empty where there is none."""
        folders = (path, *map(str, Path(path).parents))
        return next((self.hashes[folder] for folder in folders if folder in self.hashes), "")


def _hashes_of(snapshot: Snapshot) -> dict[str, str]:
    return {entry.path: entry.hash for entry in snapshot.data if entry.hash is not None}


@contextmanager
def open_folder(checkout: Checkout, origin: FileOrigin) -> Iterator[Path]:
    """Yield the project's folder at an origin: the checkout, or a work tree while the context lasts."""
    if origin.revision is None:
        yield checkout.directory
        return
    with checkout.worktree(origin.revision) as directory:
        yield directory


def copy_out(
    tree: WorkTree,
    origin: FileOrigin,
    wanted: Mapping[str, Path],
    *,
    timeout_s: float | None = None,
    overrides: tuple[Override, ...] = (),
) -> None:
    """Copy files or folders of a work tree at ``origin``; ``wanted`` has the target of each path.

    ``overrides`` are written into that work tree first, which must not be the user's.

    Raises
    ------
    WorkspaceError
        If one of them is nowhere to be found.
    """
    checkout = tree.context.checkout
    request = CopyOut(
        directory=tree.directory,
        shares_with=None if tree.directory == checkout.directory else checkout.directory,
        files=tree.make_folder(tree.files),
        overrides=overrides,
        copies=tuple(
            FileCopy(path=path, target=str(target), hash=origin.find_hash(path)) for path, target in wanted.items()
        ),
    )
    reply = ask_worker(tree.context, request, log=f"{tree.name}-files.log", timeout_s=timeout_s)
    for file in reply.files:
        if file.local is None:
            place = f"revision {origin.revision[:9]}" if origin.revision else "the checkout"
            raise FileUnavailableError(
                f"{file.path} is not available at {place}: {file.problem}.",
                expected="a model and data that are files in Git or under DVC, and pushed.",
                fix="run `dvc push` on the machine that has it, or correct `evaluation` in metricgate.yaml.",
                topic="the-model-or-its-data-is-missing",
            )


def fetch_files(tree: WorkTree, origin: FileOrigin, paths: tuple[str, ...]) -> tuple[Path, ...]:
    """Return copies of files of an origin, made in ``tree.files``; raises WorkspaceError as ``copy_out``."""
    folder = tree.files / "copies"
    wanted = {path: folder / str(number) / Path(path).name for number, path in enumerate(paths)}
    with open_folder(tree.context.checkout, origin) as directory:
        copy_out(replace(tree, directory=directory), origin, wanted)
    return tuple(wanted.values())


def open_stored_results(tree: WorkTree) -> StoredResultRefs:
    """Return the results stored in Git, whose large files the worker brings from the DVC remote."""
    bring = partial(_bring_objects, tree)
    return StoredResultRefs(checkout=tree.context.checkout, folder=tree.files / "stored", bring=bring)


def open_stored_tests(tree: WorkTree) -> StoredResultRefs:
    """Return the tests' results stored in Git, which are kept apart from those of pipelines."""
    return replace(open_stored_results(tree), results=TESTS, last=LAST_TESTS)


def _bring_objects(tree: WorkTree, files: Sequence[StoredFile]) -> Mapping[str, Path]:
    request = Bring(
        directory=tree.directory,
        files=tree.make_folder(tree.files),
        objects=tuple(RemoteObject(path=file.path, hash=file.hash) for file in files),
    )
    reply = ask_worker(tree.context, request, log=f"{tree.name}-stored.log")
    return {file.path: Path(file.local) for file in reply.files if file.local is not None}
