"""Where the watched rows lie: files of the checkout, under DVC, at a revision, or written by a command."""

from dataclasses import dataclass
from pathlib import Path

from metricgate.context import RunContext
from metricgate.errors import ConfigurationError, WorkspaceError
from metricgate.execution.interface import Executor, Job, ShellCommand
from metricgate.execution.local import LocalExecutor
from metricgate.execution.messages import FoundFile, Inspect, Read
from metricgate.execution.session import ask_worker
from metricgate.execution.work_tree import WorkTree
from metricgate.revisions.baseline_revision import BaselineRevision
from metricgate.revisions.checkout import Checkout
from metricgate.settings.monitor import MonitorSpec
from metricgate.settings.policy import Policy


@dataclass(frozen=True, kw_only=True)
class WatchedTables:
    """The files of a watching run, each with the name that messages show; ``answers``: the release's predictions."""

    reference: tuple[Path, str]
    current: tuple[Path, str]
    answers: tuple[Path, str] | None = None


def find_tables(
    context: RunContext, policy: Policy, spec: MonitorSpec, released: BaselineRevision, *, current: Path | None = None
) -> WatchedTables:
    """Find the reference and the current rows, after running the command that writes them. ``current``: a file instead.

    Raises
    ------
    ConfigurationError
        If no reference is named, and the policy has no `evaluation.data` that could be it.
    WorkspaceError
        If the command fails, or a file is neither in Git nor under DVC nor in the checkout.
    """
    if spec.command is not None and current is None:
        _run_command(context, policy, spec.command)
    found = (current, str(current)) if current else _find(context, spec.current.path, spec.current.revision)
    return WatchedTables(
        reference=_find_reference(context, policy, spec, released),
        current=found,
        answers=_find_answers(context, policy, released),
    )


def _find_reference(
    context: RunContext, policy: Policy, spec: MonitorSpec, released: BaselineRevision
) -> tuple[Path, str]:
    if spec.reference is not None:
        return _find(context, spec.reference.path, spec.reference.revision)
    if policy.evaluation is None:
        raise ConfigurationError(
            "`monitor:` names no reference, and without `evaluation:` it is not known what the model was released on.",
            expected="`monitor: {reference: PATH}`, or `evaluation: {data: PATH}`.",
            fix="name the file with the rows that the model was judged on when it was released.",
            topic="what-is-watched",
        )
    return _find(context, policy.evaluation.data, released.sha, shown=released.name)


def _find_answers(context: RunContext, policy: Policy, released: BaselineRevision) -> tuple[Path, str] | None:
    """Return the released revision's own predictions; None where it has none that can be read."""
    sets = policy.prediction_sets
    if len(sets) != 1:
        return None
    (own,) = sets.values()
    try:
        return _find(context, own.path, released.sha, shown=released.name)
    except WorkspaceError as error:
        context.progress.line(f"the release's predictions are not compared: {error.what}")
        return None


def _run_command(context: RunContext, policy: Policy, text: str) -> None:
    tree = _checkout_tree(context)
    code = ShellCommand(text=text, title="The command of `monitor:`", expected="a command that writes the fresh rows.")
    executor: Executor = LocalExecutor()
    with (
        context.progress.step("Fetch fresh rows"),
        executor.start(Job(tree=tree, pipeline=policy.pipeline, code=code)) as running,
    ):
        running.wait()


def _checkout_tree(context: RunContext) -> WorkTree:
    tree = WorkTree(
        context=context, directory=context.checkout.directory, files=context.scratch / "watched", name="monitor"
    )
    tree.make_folder(tree.files)
    return tree


def _find(context: RunContext, path: str, revision: str | None, *, shown: str = "") -> tuple[Path, str]:
    """Return where a file can be read, and its name for people."""
    checkout = context.checkout
    name = f"{path} at {shown or revision}" if revision else path
    if revision is None and (checkout.directory / path).is_file() and not _has_dvc(checkout.directory, path):
        return checkout.directory / path, name
    sha = checkout.find_commit(revision) if revision else None
    if revision and sha is None:
        raise WorkspaceError(
            f"The revision {revision!r} of {path} is not in this clone.",
            expected="a tag, branch or commit of this repository.",
            fix="correct `revision` under `monitor:`, or fetch it (`fetch-depth: 0` in the workflow).",
            topic="the-watched-rows-cannot-be-read",
        )
    content = checkout.read_bytes(sha, path) if sha else None
    if sha and content is not None:  # no need to start DVC
        return _write(_checkout_tree(context), sha, path, content), name
    found = _ask(context, path, sha) if _uses_dvc(checkout) else FoundFile(path=path, problem=f"{path} is not there")
    if found.local is None:
        raise WorkspaceError(
            f"{name} cannot be read: {found.problem}.",
            expected="a file in Git, under DVC or in the checkout.",
            fix="correct the path under `monitor:`, run `dvc push` where the file was made, or name a `command:`.",
            topic="the-watched-rows-cannot-be-read",
        )
    return Path(found.local), name


def _uses_dvc(checkout: Checkout) -> bool:
    return any((folder / ".dvc").is_dir() for folder in (checkout.directory, checkout.top))


def _has_dvc(directory: Path, path: str) -> bool:
    """Return whether DVC may know the file, and so a newer version than the one that lies here."""
    return (directory / f"{path}.dvc").exists() or (directory / "dvc.yaml").exists()


def _ask(context: RunContext, path: str, sha: str | None) -> FoundFile:
    tree = _checkout_tree(context)
    files = tree.make_folder(tree.files / (sha or "checkout")[:9])
    request = (
        Read(directory=tree.directory, files=files, predictions=(path,))
        if sha is None
        else Inspect(directory=tree.directory, files=files, predictions=(path,), revision=sha)
    )
    reply = ask_worker(context, request, log=tree.log, timeout_s=context.timeout_s)
    missing = f"{path} is neither in Git nor under DVC"
    return next(iter(reply.predictions), FoundFile(path=path, problem=missing))


def _write(tree: WorkTree, sha: str, path: str, content: bytes) -> Path:
    """Write a file of Git into a folder of the run, under its own name: readers go by the suffix."""
    target = tree.make_folder(tree.files / f"git-{sha[:9]}") / Path(path).name
    target.write_bytes(content)
    return target
