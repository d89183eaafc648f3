"""Which part of a project each changed file belongs to: what judges, what makes the model, or nothing of the pipeline.

A file is what judges as soon as the judging code may run or read it. What nothing accounts for is named as well, calmly.
"""

import posixpath
import re
from collections.abc import Iterable
from dataclasses import dataclass
from fnmatch import fnmatchcase

from metricgate.revisions.changed_parameters import (
    PARAMETERS,
    ChangedParameter,
    compare_parameters,
    list_parameter_files,
    list_read_by,
)
from metricgate.revisions.code_reach import COMPILED, Reach, Tracer
from metricgate.revisions.dvc_yaml import (
    DVC_YAML,
    OUTPUT_KEYS,
    ReadText,
    WrittenStage,
    join_paths,
    list_folders,
    list_named_files,
)
from metricgate.revisions.pipeline_changes import DVC_LOCK
from metricgate.settings.policy import FILE_NAME, Policy

_LOADED_ALONE = ("sitecustomize.py", "usercustomize.py")  # by Python itself
_HIDDEN = (*COMPILED, ".pth")
_PROSE = (".md", ".rst", ".png", ".jpg", ".jpeg", ".svg", ".gif", ".pdf")
_PROSE_NAMES = ("LICENSE*", "NOTICE*", "AUTHORS*", "CITATION*", "CHANGELOG*", "CODEOWNERS")
_PROSE_FOLDERS = frozenset({"docs", "doc", "tests", "test"})
_TESTS = ("test_*.py", "*_test.py", "conftest.py")
_KEPT_SETTINGS = (".env", ".envrc")  # of programs; what else starts with a dot is of tools
_PIPELINE_FILES = frozenset({DVC_YAML, DVC_LOCK, FILE_NAME})
_ROOTS = "PYTHONPATH"
_INSTALLATION = ("pyproject.toml", "setup.cfg", "setup.py")
_PROGRAM = re.compile(r"""^\s*["']?([\w.-]+)["']?\s*=\s*["']?([\w.]+):\w""", re.MULTILINE)


@dataclass(frozen=True, kw_only=True)
class Sides:
    """How to read the project's files at both revisions, and which differ."""

    before: ReadText
    after: ReadText
    changed: frozenset[str]

    def find(self, named: Iterable[str]) -> set[str]:
        """Return the changed files that are named, or lie in what is named."""
        names = set(named)
        around = {folder for name in names for folder in list_folders(name)}  # a submodule is one changed path
        patterns = [name for name in names if "*" in name and name.strip("*./")]
        return {
            path
            for path in self.changed
            if path in names
            or path in around
            or not names.isdisjoint(list_folders(path))
            or any(fnmatchcase(path, pattern) for pattern in patterns)
        }


@dataclass(frozen=True, kw_only=True)
class ChangedFiles:
    """The changed files by what they can do.

    Attributes
    ----------
    evaluation : what the judging code may run or read
    hidden : compiled code, and code that Python loads by itself
    parameters : changed parameters that the judging stages read
    sources : what the pipeline reads, the evaluation included
    feeding : of these, what prepares the rows that are judged
    rest : what nothing accounts for
    watched : what the pipeline and its evaluation read, and no stage writes; some of it does not exist
    """

    evaluation: set[str]
    hidden: set[str]
    parameters: list[ChangedParameter]
    sources: set[str]
    feeding: set[str]
    rest: set[str]
    watched: set[str]


def classify_changes(
    sides: Sides, stages: list[WrittenStage], policies: tuple[Policy, ...], tracer: Tracer
) -> ChangedFiles:
    """Return the changed files of a project by what they can do; ``stages`` are those of both revisions."""
    judging = [stage for stage in stages if _is_judging(stage, policies)]
    others = [stage for stage in stages if stage not in judging]
    written = {path for stage in stages for path in stage.paths(*OUTPUT_KEYS)}
    commands = _list_command_files(policies)
    foreign = _drop_written(_list_inputs(others), written)
    reach = _trace(tracer, judging, _drop_written(_list_inputs(judging), written) | commands, shared=foreign)
    makers = _trace(tracer, others, foreign, shared=set())
    named, theirs = _drop_written(reach.named, written), _drop_written(makers.named, written)
    accounted = sides.find(theirs | {f"{path}.dvc" for path in theirs})
    hidden = {path for path in sides.changed if _is_hidden(path)}
    stray = {path for path in sides.changed - accounted if not _is_apart(path)}
    loose = {path for path in stray if path.endswith((".py", ".sh"))} if reach.loads_unknown else set()
    found = sides.find(named | {f"{path}.dvc" for path in named})  # test data under DVC
    found |= (reach.likely & stray) | loose
    pure = [stage for stage in judging if _only_judges(stage, stages, policies)]
    read, told = _find_parameters(sides, pure, [stage for stage in stages if stage not in pure], reach)
    evaluation = {path for path in found - hidden - told if posixpath.basename(path) not in _PIPELINE_FILES}
    sources = sides.find(_drop_written(_list_inputs(stages), written) | commands) | evaluation | (accounted - told)
    feeding = sides.find(_drop_written(_list_inputs(_list_feeding(judging, others)), written)) - evaluation
    rest = stray - sources - hidden - told - sides.find(written) - {p for p in stray if p.endswith(".dvc")}
    return ChangedFiles(
        evaluation=evaluation,
        hidden=hidden,
        parameters=read,
        sources=sources,
        feeding=feeding,
        rest={path for path in rest if posixpath.basename(path) not in {*_PIPELINE_FILES, PARAMETERS}},
        watched=_drop_written(_list_inputs(stages), written) | commands | named,
    )


def list_judged(policy: Policy) -> set[str]:
    """Return the predictions, and the metrics files that gates name."""
    named = {name.split(":", 1)[0] for name in policy.metric_names if ":" in name}
    return {join_paths(path) for path in named | {spec.path for spec in policy.prediction_sets.values()}}


def _is_judging(stage: WrittenStage, policies: Iterable[Policy]) -> bool:
    """Return whether a stage writes what is judged: predictions, or the metrics files that gates name."""
    wanted = {path for policy in policies for path in list_judged(policy)}
    outputs = {join_paths(path) for path in stage.paths(*OUTPUT_KEYS)}
    if any(path in outputs or outputs & set(list_folders(path)) for path in wanted):
        return True
    return not wanted and any(True for _ in stage.paths("metrics"))


def _only_judges(stage: WrittenStage, stages: Iterable[WrittenStage], policies: Iterable[Policy]) -> bool:
    """Return whether a judging stage does not train as well: it reads what another stage writes, and keeps no model."""
    judged = {path for policy in policies for path in list_judged(policy)}
    kept = {
        path for path in stage.paths("outs") if path not in judged and judged.isdisjoint(_list_around(path, judged))
    }
    made = {path for other in stages if other.full_name != stage.full_name for path in other.paths("outs")}
    return not kept and any(_overlaps(path, made) for path in stage.paths("deps"))


def _list_around(folder: str, paths: Iterable[str]) -> set[str]:
    return {path for path in paths if folder in list_folders(path)}


def _overlaps(path: str, others: set[str]) -> bool:
    return path in others or not others.isdisjoint(list_folders(path)) or bool(_list_around(path, others))


def _list_feeding(judging: list[WrittenStage], others: list[WrittenStage]) -> list[WrittenStage]:
    """Return the stages that write what a judging stage reads beside the model: a model is made of the same rows."""

    def writers(stage: WrittenStage) -> list[WrittenStage]:
        inputs = set(stage.paths("deps"))
        return [other for other in others if any(_overlaps(path, inputs) for path in other.paths("outs"))]

    direct = [writer for stage in judging for writer in writers(stage)]
    above = {maker.full_name for writer in direct for maker in writers(writer)}
    return [stage for stage in direct if stage.full_name in above]


def _list_inputs(stages: Iterable[WrittenStage]) -> set[str]:
    return {path for stage in stages for path in (*stage.paths("deps"), *stage.list_named())}


def _drop_written(paths: Iterable[str], written: set[str]) -> set[str]:
    """Return the paths that no stage writes."""
    return {path for path in paths if path not in written and not written & set(list_folders(path))}


def _list_command_files(policies: Iterable[Policy]) -> set[str]:
    """Return what the commands of the policies may name: the one that evaluates, the pipeline's own, the set-up."""
    commands = [
        command
        for policy in policies
        for command in (
            policy.pipeline.command,
            policy.pipeline.setup_command,
            policy.evaluation and policy.evaluation.command,
        )
        if command
    ]
    return {path for command in commands for path in list_named_files(command)}


def _trace(tracer: Tracer, stages: Iterable[WrittenStage], starts: set[str], *, shared: set[str]) -> Reach:
    """Return what the starts reach. A folder that other stages name as well (``src``) is not all of it theirs."""
    folders = {path for path in starts & shared if path in tracer.index.folders}
    adds_roots = any(_ROOTS in command for stage in stages for command in stage.commands)
    return tracer.trace((starts - folders) | _list_installed(tracer, starts), folders, adds_roots=adds_roots)


def _list_installed(tracer: Tracer, words: set[str]) -> set[str]:
    """Return the modules of the project behind programs that its installation makes (``[project.scripts]``)."""
    texts = [tracer.read(name) or "" for name in _INSTALLATION]
    programs = {name: module for text in texts for name, module in _PROGRAM.findall(text)}
    named = {posixpath.basename(word) for word in words}
    modules = [module.split(".") for name, module in programs.items() if name in named]
    return {path for parts in modules for path in tracer.index.find_module_anywhere(parts)}


def _find_parameters(
    sides: Sides, pure: list[WrittenStage], others: list[WrittenStage], reach: Reach
) -> tuple[list[ChangedParameter], set[str]]:
    """Return the changed parameters that the evaluation reads, and the changed files whose parameters are all told.

    Where one stage trains and evaluates, every parameter is the model's, and is told as such.
    """
    read: list[ChangedParameter] = []
    told: set[str] = set()
    for file in sorted(sides.changed & list_parameter_files([*pure, *others])):
        changed = compare_parameters(file, sides.before, sides.after)
        if changed is not None:
            told.add(file)
            read += list_read_by(changed, pure, others, reach) if pure else []
    return read, told


def _is_hidden(path: str) -> bool:
    return path.endswith(_HIDDEN) or posixpath.basename(path) in _LOADED_ALONE


def _is_apart(path: str) -> bool:
    """Return whether a file is prose, a test, or a setting of other tools, unless code names it."""
    *folders, name = path.split("/")
    if name in _KEPT_SETTINGS:
        return False
    return (
        path.lower().endswith(_PROSE)
        or any(fnmatchcase(name, pattern) for pattern in (*_PROSE_NAMES, *_TESTS))
        or not _PROSE_FOLDERS.isdisjoint(folders)
        or any(part.startswith(".") and part != ".." for part in (*folders, name))
    )
