"""What MetricGate and its worker say to each other: one JSON request, then JSON lines."""

from typing import Annotated, Literal

from pydantic import Field, TypeAdapter

from metricgate.models.base import Value
from metricgate.models.snapshot import DataEntry, FileCounts, Parameter, PlotFile, Stage


class Lent(Value):
    """A file or folder that is asked for. ``path``: in the project; ``target``: the absolute path it is copied to.

    ``hash``: what DVC recorded of it, or of the output it lies in, where that is not in the project's dvc.lock.
    """

    path: str
    target: str
    hash: str = ""


class Override(Value):
    """Another value for a parameter; ``file`` is relative to the project."""

    file: str
    key: str
    value: bool | int | float | str | tuple[bool | int | float | str, ...] | None


class Request(Value):
    """``produce``: the work tree, its pipeline run where needed. ``inspect``: a revision, read and never run.

    ``pull``: all data under DVC, for a command that is not DVC's; none if its key is ``known`` and no data was changed.
    ``read``: the work tree as it lies. ``push``: what was produced, to the remote. ``bring``: the objects ``hashes``, one
    for each path in ``predictions``. ``lend``: the files and folders ``lent``, from the work tree, DVC's cache or its
    remote. ``count``: the files that differ between the two hashes of each of ``folders``.

    Paths in ``predictions`` and ``metrics`` are relative to ``directory``, the project's folder. ``files`` is an
    empty folder where files of a revision are put. ``shares_with`` is the project's folder in the checkout whose cache
    and DVC settings a work tree of another revision uses. ``known`` are keys of inputs whose results are stored: a
    pipeline with one of them is not run. Without ``may_run`` none is. ``environment`` is for stages: name and value.
    ``overrides`` are written into a work tree that is not the user's.
    """

    action: Literal["produce", "inspect", "pull", "read", "push", "bring", "lend", "count"]
    directory: str
    revision: str | None = None
    shares_with: str | None = None
    known: tuple[str, ...] = ()
    may_run: bool = True
    environment: tuple[tuple[str, str], ...] = ()
    overrides: tuple[Override, ...] = ()
    hashes: tuple[str, ...] = ()
    lent: tuple[Lent, ...] = ()
    folders: tuple[tuple[str, str], ...] = ()
    reproduce: bool = True
    predictions: tuple[str, ...] = ()
    metrics: tuple[str, ...] = ()
    files: str


class FoundFile(Value):
    """A file that was looked for. ``local`` is where it can be read; without it ``problem`` says why.

    ``declared``: a stage names it as its output, so that running the pipeline would write it.
    """

    path: str
    local: str | None = None
    source: Literal["git", "dvc cache", "dvc remote", "workspace"] | None = None
    problem: str = ""
    missing: bool = False
    declared: bool = False


class FoundPlot(Value):
    """A declared plot and its file."""

    plot: PlotFile
    file: FoundFile


class Broken(Value):
    """Something the worker could not read, beside a file."""

    what: str
    reason: str


class Stale(Value):
    """A stage whose results do not belong to the inputs it has now; ``recorded`` is false where there are none."""

    stage: str
    reason: str
    recorded: bool = True


class Happened(Value):
    """What the worker does right now, for people."""

    kind: Literal["happened"] = "happened"
    text: str
    ends: bool = False  # what an earlier message began


class Failed(Value):
    """Why the worker could not deliver: the sentences of an error."""

    kind: Literal["failed"] = "failed"
    what: str
    expected: str
    fix: str
    details: str = ""


class Answer(Value):
    """Everything the worker found, in deterministic order. ``project`` is false where there is no DVC here.

    ``state`` tells why a pipeline that has something to run was not run: its inputs are ``known``, or it ``waits`` until
    it may. Then nothing else was looked at.
    """

    kind: Literal["answer"] = "answer"
    project: bool = True
    pipeline: bool = True
    metrics: tuple[FoundFile, ...] = ()
    predictions: tuple[FoundFile, ...] = ()
    plots: tuple[FoundPlot, ...] = ()
    parameters: tuple[Parameter, ...] = ()
    data: tuple[DataEntry, ...] = ()
    stages: tuple[Stage, ...] = ()
    stale: tuple[Stale, ...] = ()
    counts: tuple[FileCounts, ...] = ()
    problems: tuple[Broken, ...] = ()
    state: Literal["done", "known", "waits"] = "done"
    repeats: bool = True  # false where a stage always runs: then equal inputs are not all it starts from
    inputs: str = ""  # hash of everything the pipeline starts from
    python: str = ""  # the version that stages found, where they ran


Message = Annotated[Happened | Failed | Answer, Field(discriminator="kind")]
MESSAGES: TypeAdapter[Message] = TypeAdapter(Message)
