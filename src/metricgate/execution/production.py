"""How a revision's results are produced in its work tree, and what one worker reads of other revisions first."""

import hashlib
import shutil
from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

from metricgate.errors import TimeLimitError, WorkspaceError
from metricgate.execution.interface import Executor, Job, ShellCommand
from metricgate.execution.local import LocalExecutor
from metricgate.execution.messages import Doubt, FoundFile, Inspect, Override, Produce, Pull, Read, WorkerReply
from metricgate.execution.run_files import add_run_files
from metricgate.execution.session import WorkerSession, ask_worker, start_worker, withhold_unreadable
from metricgate.execution.work_tree import WorkTree
from metricgate.models.file_kind import describe_kind
from metricgate.models.snapshot import Believed
from metricgate.revisions.checkout import Checkout
from metricgate.settings.mlflow import is_run_file
from metricgate.settings.policy import FILE_NAME, PipelineSpec, Policy

_PARAMETERS = "params.yaml"
NO_DOUBT = Doubt()


@dataclass(frozen=True, kw_only=True)
class Inspections:
    """Requests about other revisions, and the candidate's worker's replies to them.

    Importing DVC costs more processor time than reading a revision, so one worker is asked everything.
    """

    requests: tuple[Inspect, ...] = ()
    replies: dict[Inspect, WorkerReply | WorkspaceError] = field(default_factory=dict)

    def ask(self, session: WorkerSession) -> None:
        """Send every request to a worker that has run nothing yet, and keep the replies."""
        for request in self.requests:
            try:
                self.replies[request] = session.ask(request)
            except TimeLimitError:
                raise
            except WorkspaceError as error:
                self.replies[request] = error

    def copy_out_of_reach(self, folder: Path) -> None:
        """Copy the files that were found into ``folder``, which code that runs next has no right to write to.

        Raises
        ------
        WorkspaceError
            If a revision could not be read: it is reported before the pipeline runs rather than after.
        """
        for number, (request, reply) in enumerate(self.replies.items()):
            if isinstance(reply, WorkspaceError):
                raise reply
            self.replies[request] = copy_files(reply, folder / str(number))

    def take(self, request: Inspect) -> WorkerReply | None:
        """Return the reply to a request that was asked already; None if it was not.

        Raises
        ------
        WorkspaceError
            If that revision could not be read.
        """
        reply = self.replies.get(request)
        if isinstance(reply, WorkspaceError):
            raise reply
        return reply


def copy_files(reply: WorkerReply, folder: Path) -> WorkerReply:
    """Return the reply with copies of its files in ``folder``."""
    number = count()

    def copy(file: FoundFile) -> FoundFile:
        if file.local is None:
            return file
        # A folder for each: readers go by the suffix, and a path from the repository may lead anywhere.
        target = folder / str(next(number)) / Path(file.path).name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(file.local, target)
        return file.model_copy(update={"local": str(target)})

    return reply.map_files(copy)


def hash_command(checkout: Checkout, pipeline: PipelineSpec, revision: str) -> str:
    """Return the key of a command's inputs. What it reads is unknown: all of the project's folder but the policy."""
    listed = checkout.git("ls-tree", f"{revision}:{checkout.prefix}").splitlines()
    tree = "\n".join(line for line in listed if not line.endswith(f"\t{FILE_NAME}"))
    return hashlib.sha256(f"{pipeline.model_dump_json(exclude={'max_age_days'})}\n{tree}".encode()).hexdigest()


def list_predictions(policy: Policy) -> tuple[str, ...]:
    """Return the paths of the policy's predictions in the project."""
    return tuple(spec.path for spec in policy.prediction_sets.values() if not is_run_file(spec.path))


def list_overrides(pipeline: PipelineSpec) -> tuple[Override, ...]:
    """Return the policy's other values for parameters, in the order of the file."""
    named = {name.rpartition(":")[::2]: value for name, value in pipeline.params.items()}
    return tuple(
        Override(file=file or _PARAMETERS, key=key, value=tuple(value) if isinstance(value, list) else value)
        for (file, key), value in named.items()
    )


def describe_reading(tree: WorkTree, policy: Policy) -> Read:
    """Return the request to read a work tree's results."""
    return Read(
        directory=tree.directory,
        files=tree.make_folder(tree.files),
        shares_with=tree.shares_with,
        overrides=list_overrides(policy.pipeline),
        predictions=list_predictions(policy),
        metrics=policy.pipeline.metrics,
    )


def produce_results(
    tree: WorkTree,
    policy: Policy,
    reusable_keys: tuple[str, ...] = (),
    inspections: Inspections | None = None,
    *,
    doubt: Doubt = NO_DOUBT,
) -> WorkerReply:
    """Run what must be run in ``tree``, and return what is there then.

    Nothing is run where the key of its inputs is one of ``reusable_keys``.

    Raises
    ------
    WorkspaceError
        If DVC, the pipeline or its environment fails; TimeLimitError if it is too slow.
    """
    reading = describe_reading(tree, policy)
    if policy.pipeline.command is None:
        reply = _produce_stages(tree, policy, reading, reusable_keys, inspections or Inspections(), doubt=doubt)
    elif tree.context.reproduce == "never":
        reply = _believe(_ask(tree, reading), list_judged(policy), "nothing was run")
    else:
        reply = _produce_by_command(tree, policy, reading, reusable_keys, policy.pipeline.command)
    if reply.state == "reusable":
        return reply
    reply = reply if reply.project else _find_in_folder(tree, reply, reading)
    return add_run_files(tree.context, reply, policy)


def _produce_stages(
    tree: WorkTree,
    policy: Policy,
    reading: Read,
    reusable_keys: tuple[str, ...],
    inspections: Inspections,
    *,
    doubt: Doubt,
) -> WorkerReply:
    """Ask one worker to read the project, then the other revisions, and only then to run what must be run."""
    request = Produce(
        directory=reading.directory,
        files=reading.files,
        shares_with=reading.shares_with,
        overrides=reading.overrides,
        predictions=reading.predictions,
        metrics=reading.metrics,
        reusable_keys=reusable_keys,
        may_run=False,
        reproduce=tree.context.reproduce == "if-needed",
        doubt=doubt,
    )
    context = tree.context
    with start_worker(context, tree.directory, tree.files, log=tree.log, timeout_s=context.timeout_s) as session:
        reply = session.ask(request)
        if reply.state == "reusable":
            return reply
        for inspection in inspections.requests:
            tree.make_folder(inspection.files)
            context.progress.line(f"reading what {inspection.revision[:9]} recorded")
        inspections.ask(session)
        if reply.state == "done":
            return reply
        inspections.copy_out_of_reach(context.scratch / "recorded")
        executor: Executor = LocalExecutor(session)
        code = request.model_copy(update={"may_run": True})
        with executor.start(Job(tree=tree, pipeline=policy.pipeline, code=code)) as running:
            return running.wait()


def _produce_by_command(
    tree: WorkTree, policy: Policy, reading: Read, reusable_keys: tuple[str, ...], text: str
) -> WorkerReply:
    pull = Pull(
        directory=reading.directory,
        files=reading.files,
        shares_with=reading.shares_with,
        overrides=reading.overrides,
        reusable_keys=reusable_keys,
    )
    pulled = _ask(tree, pull)
    if pulled.state == "reusable":
        return pulled
    command = ShellCommand(text=text, title="The pipeline's command", expected="a command that ends with exit code 0.")
    executor: Executor = LocalExecutor()
    judged = list_judged(policy)
    before = {path: mark_file(tree.directory / path) for path in judged}
    with executor.start(Job(tree=tree, pipeline=policy.pipeline, code=command)) as running:
        produced = running.wait()
    left = [path for path in judged if mark_file(tree.directory / path) == before[path]]
    reply = _ask(tree, reading).model_copy(update={"stages": produced.stages, "python": produced.python})
    return _believe(reply, left, "the pipeline's command did not write it")


def list_judged(policy: Policy) -> tuple[str, ...]:
    """Return the files that the policy judges: its predictions, and the metrics files that it names."""
    named = {name.split(":", 1)[0] for name in policy.metric_names if ":" in name}
    return tuple(sorted({*list_predictions(policy), *policy.pipeline.metrics, *named}))


def mark_file(path: Path) -> tuple[int, ...] | None:
    """Return what changes when a file is written; None where there is none."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns


def _believe(reply: WorkerReply, paths: Iterable[str], reason: str) -> WorkerReply:
    """Return the reply with those of its results that were not made here named as such."""
    there = {file.path for file in reply.results if file.local is not None}
    return reply.model_copy(
        update={"believed": tuple(Believed(what=path, reason=reason) for path in paths if path in there)}
    )


def _ask(tree: WorkTree, request: Pull | Read) -> WorkerReply:
    return ask_worker(tree.context, request, log=tree.log, timeout_s=tree.context.timeout_s)


def _find_in_folder(tree: WorkTree, reply: WorkerReply, reading: Read) -> WorkerReply:
    """Find the files of a project without DVC, which the worker does not look for."""

    def find(name: str) -> FoundFile:
        path = tree.directory / name
        if path.is_file():
            return FoundFile(path=name, local=str(path), source="workspace")
        if kind := describe_kind(path):
            return FoundFile(path=name, problem=f"{name} is {kind}, not a file")
        return FoundFile(path=name, problem=f"{name} is not in the checkout", missing=True)

    return withhold_unreadable(reply.find_results(reading, find), tree.owner)
