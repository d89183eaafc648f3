"""A work tree of its own in which a model is retrained, so that the user's workspace stays as it is."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from metricgate.context import RunContext
from metricgate.errors import WorkspaceError
from metricgate.execution.messages import (
    Adopt,
    Bring,
    ImportState,
    ListCommitted,
    Push,
    Read,
    RemoteObject,
    Update,
    WorkerReply,
    WorkerRequest,
)
from metricgate.execution.production import list_predictions
from metricgate.execution.session import ask_worker
from metricgate.execution.work_tree import WorkTree
from metricgate.models.base import Value
from metricgate.revisions.checkout import Checkout
from metricgate.settings.policy import Policy

MAX_FILE_BYTES = 20_000_000


class ChangedFile(Value):
    """A file of the repository that a training changed; ``path`` is relative to its top, ``mode`` is Git's."""

    path: str
    mode: str
    blob: str


class TrainingTree:
    """A Git work tree at a commit, with the cache and the settings of the checkout, whose project is at ``origin``."""

    def __init__(self, context: RunContext, origin: Path) -> None:
        self.context = context
        self._origin = origin
        self.checkout = context.checkout
        self._tree = _name_tree(context, context.checkout.directory)

    def look_at_imports(self) -> tuple[ImportState, ...]:
        """Return each import, and whether its source has other data."""
        return self._ask(Update(**self._place(), origin=self._origin, only_look=True)).imports

    def update_imports(self) -> tuple[ImportState, ...]:
        """Bring the imports' new data; raises WorkspaceError if a source is gone."""
        with self.context.progress.step("New data"):
            found = self._ask(Update(**self._place(), origin=self._origin)).imports
            for state in found:
                news = f"{state.before[:9]} → {state.after[:9]}" if state.is_changed else "unchanged"
                self.context.progress.line(f"{state.path} from {state.source}: {news}")
        return found

    def bring(self, path: str, digest: str) -> Path | None:
        """Return a copy of earlier data, known by their hash, from DVC's cache or remote; None if nobody has them."""
        if not digest:
            return None
        [file] = self._ask(Bring(**self._place(), objects=(RemoteObject(path=path, hash=digest),))).files
        return Path(file.local) if file.local else None

    def read(self, policy: Policy) -> WorkerReply:
        """Return what lies there before anything runs: stale stages, and the hash of all inputs."""
        return self._ask(Read(**self._place(), predictions=list_predictions(policy)))

    def push(self) -> None:
        """Push outputs and imported data to the DVC remote; raises WorkspaceError if that fails."""
        with self.context.progress.step("Push to the DVC remote"):
            self._ask(Push(**self._place(), with_imports=True))

    def list_changed(self, policy: Policy) -> tuple[ChangedFile, ...]:
        """Return the changed files that a retrained model consists of in Git, and no others of the work tree."""
        named = {file.path for file in self._ask(ListCommitted(**self._place())).files if file.declared}
        named |= {*list_predictions(policy), *policy.pipeline.metrics}
        wanted = {f"{self.checkout.prefix}{name}" for name in named}
        listed = self.checkout.git("status", "--porcelain", "-z", "--no-renames", "--untracked-files=all", "--", ":/")
        changed = sorted({entry[3:] for entry in listed.split("\0") if entry} & wanted)
        return tuple(self._describe(path) for path in changed if (self.checkout.top / path).is_file())

    def list_read(self, policy: Policy) -> tuple[str, ...]:
        """Return the files and folders of the repository that decide what the pipeline gives; ``.`` is all of them."""
        if policy.pipeline.command is not None:
            return (self.checkout.prefix.rstrip("/") or ".",)
        names = [file.path for file in self._ask(ListCommitted(**self._place())).files if not file.declared]
        return tuple(f"{self.checkout.prefix}{name}" for name in names)

    def _describe(self, path: str) -> ChangedFile:
        file = self.checkout.top / path
        if file.is_symlink() or file.stat().st_size > MAX_FILE_BYTES:
            raise WorkspaceError(
                f"The training wrote {path}, which is a link or larger than {MAX_FILE_BYTES / 1e6:.0f} MB.",
                expected="small text files in Git; everything else under DVC.",
                fix=f"let DVC keep it: drop `cache: false` of {path} in dvc.yaml.",
                topic="a-trained-file-cannot-be-used",
            )
        listed = self.checkout.git("ls-files", "--stage", "--", f":(top,literal){path}")
        return ChangedFile(
            path=path, mode=listed.split()[0] if listed else "100644", blob=self.checkout.write_blob(file.read_bytes())
        )

    def _place(self) -> dict[str, Path]:
        return {"directory": self.checkout.directory, "files": self._tree.make_folder(self._tree.files)}

    def _ask(self, request: WorkerRequest) -> WorkerReply:
        return ask_worker(self.context, request, log=self._tree.log, timeout_s=self.context.timeout_s)


def _name_tree(context: RunContext, directory: Path) -> WorkTree:
    return WorkTree(context=context, directory=directory, files=context.scratch / "training", name="retrain")


@contextmanager
def open_training_tree(context: RunContext, sha: str) -> Iterator[TrainingTree]:
    """Check ``sha`` out in a folder of its own for as long as the context lasts."""
    checkout = context.checkout
    with checkout.worktree(sha) as directory:
        tree = _name_tree(context, directory)
        adopt = Adopt(directory=directory, files=tree.make_folder(tree.files), shares_with=checkout.directory)
        ask_worker(context, adopt, log=tree.log, timeout_s=context.timeout_s)
        own = replace(context, checkout=Checkout.open(directory, checkout.access))
        yield TrainingTree(own, checkout.directory)
