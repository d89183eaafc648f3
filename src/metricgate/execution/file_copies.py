"""Files of a revision or of the checkout, as its own policy names them: a model, test data, training data."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from metricgate.errors import WorkspaceError
from metricgate.execution.messages import Lent, Override, Request
from metricgate.execution.session import ask_worker
from metricgate.execution.work_tree import Site
from metricgate.models.snapshot import Snapshot, Source
from metricgate.revisions.checkout import Checkout
from metricgate.settings.policy import PipelineSpec

_MADE_ELSEWHERE = frozenset({Source.STORED, Source.EARLIER, Source.REPRODUCED})


@dataclass(frozen=True, kw_only=True)
class Holder:
    """Whose files: those of a commit, or with ``revision`` None the checkout's as they lie there.

    ``hashes``: by path, what DVC recorded of a run at that commit whose dvc.lock nobody committed.
    """

    revision: str | None
    hashes: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of_baseline(cls, snapshot: Snapshot) -> "Holder":
        """Return who holds the files that a baseline's results were made with."""
        made = snapshot.info.source in _MADE_ELSEWHERE
        return cls(revision=snapshot.info.revision, hashes=_hashes_of(snapshot) if made else {})

    @classmethod
    def of_candidate(cls, checkout: Checkout, snapshot: Snapshot, pipeline: PipelineSpec) -> "Holder":
        """Return who holds the files that the candidate's results were made with: not the checkout, if made elsewhere.

        The snapshot's own revision may be the head of a pull request, which a checkout of its merge does not have.
        """
        if snapshot.info.source is Source.WORKSPACE and not pipeline.params:
            return cls(revision=None)
        return cls(revision=checkout.record_state(), hashes=_hashes_of(snapshot))

    def find_hash(self, path: str) -> str:
        """Return the hash of an output, or of the folder that ``path`` lies in; empty where none is recorded."""
        folders = (path, *map(str, Path(path).parents))
        return next((self.hashes[folder] for folder in folders if folder in self.hashes), "")


def _hashes_of(snapshot: Snapshot) -> dict[str, str]:
    return {entry.path: entry.hash for entry in snapshot.data if entry.hash is not None}


@contextmanager
def open_folder(checkout: Checkout, holder: Holder) -> Iterator[Path]:
    """Yield the project's folder at a holder: the checkout, or a work tree for as long as the context lasts."""
    if holder.revision is None:
        yield checkout.directory
        return
    with checkout.worktree(holder.revision) as directory:
        yield directory


def lend_files(
    checkout: Checkout,
    site: Site,
    holder: Holder,
    wanted: Mapping[str, Path],
    *,
    timeout_s: float | None = None,
    overrides: tuple[Override, ...] = (),
) -> None:
    """Copy files or folders, given with the paths they are wanted at, from the project's folder ``site``.

    ``overrides`` are written into that folder first, which must not be the user's.

    Raises
    ------
    WorkspaceError
        If one of them can be had nowhere.
    """
    request = Request(
        action="lend",
        directory=str(site.directory),
        shares_with=None if site.directory == checkout.directory else str(checkout.directory),
        files=str(site.make_folder(site.files)),
        overrides=overrides,
        lent=tuple(Lent(path=path, target=str(target), hash=holder.find_hash(path)) for path, target in wanted.items()),
    )
    answer = ask_worker(
        request,
        progress=site.progress,
        log=site.logs / f"{site.name}-files.log",
        owner=site.owner,
        timeout_s=timeout_s,
    )
    for file in answer.predictions:
        if file.local is None:
            raise WorkspaceError(
                f"{file.path} cannot be had at {holder.revision[:9] if holder.revision else 'the checkout'}: {file.problem}.",
                expected="a model and data that are files in Git or under DVC, and pushed.",
                fix="run `dvc push` on the machine that has it, or correct `evaluation` in metricgate.yaml.",
            )


def fetch_files(checkout: Checkout, site: Site, holder: Holder, paths: tuple[str, ...]) -> tuple[Path, ...]:
    """Return copies of a holder's files, in a folder of the site's; raises WorkspaceError like ``lend_files``."""
    folder = site.files / "lent"
    wanted = {path: folder / str(number) / Path(path).name for number, path in enumerate(paths)}
    with open_folder(checkout, holder) as directory:
        lend_files(checkout, replace(site, directory=directory), holder, wanted)
    return tuple(wanted.values())
