"""What MetricGate and its worker send each other: one JSON request, then JSON lines."""

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import Field, TypeAdapter

from metricgate.models.base import Value
from metricgate.models.snapshot import Believed, DataEntry, FileCounts, Parameter, PlotFile, Stage


class FileCopy(Value):
    """A file or folder to copy: ``path`` in the project, ``target`` the absolute path it is copied to.

    ``hash``: what DVC recorded for it, or for the output it lies in, where the project's dvc.lock does not say.
    """

    path: str
    target: str
    hash: str = ""


class RemoteObject(Value):
    """The hash of an object in DVC's cache or remote, and the path of the file it is."""

    path: str
    hash: str


class Override(Value):
    """Another value for a parameter; ``file`` is relative to the project."""

    file: str
    key: str
    value: bool | int | float | str | tuple[bool | int | float | str, ...] | None


class WorkerTask(Value):
    """What every request says.

    ``directory`` is the project's folder, ``files`` an empty folder that the worker may write to. In a work tree,
    ``shares_with`` is the project's folder in the checkout whose cache and DVC settings are used, and ``overrides`` are
    written into the work tree's files first.
    """

    directory: Path
    files: Path
    shares_with: Path | None = None
    overrides: tuple[Override, ...] = ()


class SearchTask(WorkerTask):
    """A task that looks for results: paths relative to ``directory``."""

    predictions: tuple[str, ...] = ()
    metrics: tuple[str, ...] = ()


class Doubt(Value):
    """What is not believed: recorded results of stages, which run instead, and DVC's run cache.

    Stages by name, those that write the ``results`` to judge, or all of them. A name without `@` is also that of each
    stage of its `foreach` or `matrix`, and ``*`` at its end matches any rest.
    """

    stages: tuple[str, ...] = ()
    results: bool = False
    everything: bool = False
    run_cache: bool = False


class Produce(SearchTask):
    """Run the stages that must be run, and read the work tree.

    Nothing is run if the key of the inputs is one of ``reusable_keys``, or without ``may_run``. ``environment`` is for
    the stages: names and values. Without ``reproduce``, no result is in ``doubt``, and a stage that would have to run is
    an error.
    """

    action: Literal["produce"] = "produce"
    reusable_keys: tuple[str, ...] = ()
    may_run: bool = True
    environment: tuple[tuple[str, str], ...] = ()
    reproduce: bool = True
    doubt: Doubt = Doubt()


class Inspect(SearchTask):
    """Read a revision, and run nothing."""

    action: Literal["inspect"] = "inspect"
    revision: str


class Read(SearchTask):
    """Read the work tree as it is, and run nothing."""

    action: Literal["read"] = "read"


class Pull(WorkerTask):
    """Pull all data under DVC, for a command that is not DVC's; none if there is a reusable key and unchanged data."""

    action: Literal["pull"] = "pull"
    reusable_keys: tuple[str, ...] = ()


class Push(WorkerTask):
    """Push what was produced to the DVC remote; ``with_imports``: also the data of imports whose source may change."""

    action: Literal["push"] = "push"
    with_imports: bool = False


class Adopt(WorkerTask):
    """Set up a Git work tree to use the cache, the remotes and the local settings of ``shares_with``, permanently."""

    action: Literal["adopt"] = "adopt"


class Update(WorkerTask):
    """Bring imports up to date with their sources, or with ``only_look`` say which are not.

    A source outside the repository is named relative to the ``.dvc`` file in the checkout: ``origin`` is the project's
    folder there.
    """

    action: Literal["update"] = "update"
    origin: Path | None = None
    only_look: bool = False


class ListCommitted(WorkerTask):
    """Name the files that belong into Git after a reproduction: lock files, imports, results that DVC does not keep.

    They are ``declared``; the other files named are what the pipeline reads, and what says how it runs.
    """

    action: Literal["list-committed"] = "list-committed"


class Bring(WorkerTask):
    """Bring objects from DVC's cache or remote."""

    action: Literal["bring"] = "bring"
    objects: tuple[RemoteObject, ...]


class CopyOut(WorkerTask):
    """Copy files and folders from the work tree, DVC's cache or its remote."""

    action: Literal["copy-out"] = "copy-out"
    copies: tuple[FileCopy, ...]


class Count(WorkerTask):
    """Count the files that differ between the two hashes of each folder."""

    action: Literal["count"] = "count"
    folders: tuple[tuple[str, str], ...]


WorkerRequest = Produce | Inspect | Read | Pull | Push | Bring | CopyOut | Count | Adopt | Update | ListCommitted
REQUESTS: TypeAdapter[WorkerRequest] = TypeAdapter(Annotated[WorkerRequest, Field(discriminator="action")])


class FoundFile(Value):
    """A file that was looked for. ``local`` is where it can be read; without it ``problem`` says why.

    ``declared``: a stage names it as its output, so that running the pipeline would write it.
    """

    path: str
    local: str | None = None
    source: Literal["git", "dvc cache", "dvc remote", "workspace", "mlflow run"] | None = None
    problem: str = ""
    missing: bool = False
    declared: bool = False


class FoundPlot(Value):
    """A declared plot and its file."""

    plot: PlotFile
    file: FoundFile


class Broken(Value):
    """Something other than a file that the worker could not read."""

    what: str
    reason: str


class Stale(Value):
    """A stage whose results do not belong to its present inputs; ``recorded`` is false where there are no results."""

    stage: str
    reason: str
    recorded: bool = True


class ImportState(Value):
    """A DVC import: its ``.dvc`` file, its data, where they come from, and what was found there.

    ``after`` is the hash of the new data, where they were brought; ``problem``: why the source could not be read.
    """

    file: str
    path: str
    source: str
    is_changed: bool = False
    before: str = ""
    after: str = ""
    problem: str = ""


class Happened(Value):
    """A progress line for people."""

    kind: Literal["happened"] = "happened"
    text: str
    ends: bool = False  # what an earlier message began


class Failed(Value):
    """Why the worker could not deliver: the sentences of an error."""

    kind: Literal["failed"] = "failed"
    what: str
    expected: str
    fix: str
    topic: str  # as in MetricgateError
    details: str = ""


class WorkerReply(Value):
    """Everything the worker found, in deterministic order.

    Attributes
    ----------
    project : false where there is no DVC project
    files : what was brought or copied
    state : ``reusable`` or ``needs_run`` where nothing was run although something has to be: the key of the inputs is
        reusable, or the request did not allow it. Then nothing else was read.
    believed : results that were to be made again, and were not
    is_repeatable : false where a stage always runs, since the pipeline then starts from more than its inputs
    inputs : hash of everything the pipeline starts from
    python : the version of Python that the stages used, where they ran
    pulled : bytes that came from DVC's remote
    exit_code, output : of a command that may fail, with the last lines of its output
    """

    kind: Literal["reply"] = "reply"
    project: bool = True
    pipeline: bool = True
    metrics: tuple[FoundFile, ...] = ()
    predictions: tuple[FoundFile, ...] = ()
    plots: tuple[FoundPlot, ...] = ()
    files: tuple[FoundFile, ...] = ()
    parameters: tuple[Parameter, ...] = ()
    data: tuple[DataEntry, ...] = ()
    stages: tuple[Stage, ...] = ()
    stale: tuple[Stale, ...] = ()
    counts: tuple[FileCounts, ...] = ()
    problems: tuple[Broken, ...] = ()
    believed: tuple[Believed, ...] = ()
    imports: tuple[ImportState, ...] = ()
    state: Literal["done", "reusable", "needs_run"] = "done"
    is_repeatable: bool = True
    inputs: str = ""
    python: str = ""
    pulled: int = 0
    exit_code: int = 0
    output: str = ""

    @property
    def results(self) -> tuple[FoundFile, ...]:
        """The files of metrics and predictions."""
        return (*self.metrics, *self.predictions)

    def find_results(self, task: SearchTask, find: Callable[[str], FoundFile]) -> Self:
        """Return the reply with the files that the task looks for, each found by ``find``."""
        metrics = tuple(map(find, sorted(task.metrics)))
        return self.model_copy(update={"metrics": metrics, "predictions": tuple(map(find, task.predictions))})

    def map_files(self, change: Callable[[FoundFile], FoundFile]) -> Self:
        """Return the reply with each of its files changed."""
        plots = tuple(plot.model_copy(update={"file": change(plot.file)}) for plot in self.plots)
        found = {name: tuple(map(change, getattr(self, name))) for name in ("metrics", "predictions", "files")}
        return self.model_copy(update={**found, "plots": plots})


Message = Annotated[Happened | Failed | WorkerReply, Field(discriminator="kind")]
MESSAGES: TypeAdapter[Message] = TypeAdapter(Message)
