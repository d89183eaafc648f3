"""What a change edits in Git: sources of the pipeline, its definition and recorded results, and what judges it."""

import os
import posixpath
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from types import MappingProxyType
from typing import Literal

from metricgate.models.result import Change, Location, Warning_
from metricgate.report.escape import NAME_LENGTH, plain_name
from metricgate.revisions.changed_files import ChangedFiles, Sides, classify_changes, list_judged
from metricgate.revisions.changed_packages import find_packages
from metricgate.revisions.changed_parameters import PARAMETERS, ChangedParameter, find_line
from metricgate.revisions.checkout import Checkout
from metricgate.revisions.code_reach import FileIndex, Tracer
from metricgate.revisions.dvc_yaml import (
    DVC_YAML,
    WrittenStage,
    join_paths,
    list_folders,
    list_named_files,
    read_written_stages,
)
from metricgate.revisions.pipeline_changes import DVC_LOCK, PipelineChanges, compare_pipelines, list_recorded
from metricgate.settings.policy import FILE_NAME, Policy
from metricgate.settings.selection import PolicyChoice

WORKFLOWS = (".github", ".gitlab-ci.yml", "Jenkinsfile", "azure-pipelines.yml", ".circleci", "bitbucket-pipelines.yml")
SETTINGS = (
    ".dvc/config",
    ".dvc/config.local",
    ".dvcignore",
    "*/.dvcignore",
    ".gitattributes",
    "*/.gitattributes",
    ".gitmodules",
)
TEST_SETTINGS = ("conftest.py", "*/conftest.py", "pytest.ini", ".pytest.ini", "tox.ini", "setup.cfg")
_HIDDEN_CODE = "compiled code, or code that Python loads by itself"
MAX_NAMED = 5
MAX_EDITS = 10
_FLAGS_START, _FLAGS_END, _UNCHECKED = 4, 8, b"\1\0\0\0"  # PEP 552
_FEEDS = "feeds the rows that are judged"


@dataclass(frozen=True, kw_only=True)
class ChangedSources:
    """The changed files that matter: as changes to list, as warnings that a reader must not miss, and what to run.

    Paths and stages have the names that reports use for the project.

    Attributes
    ----------
    paths : every changed file, relative to the project
    edited : stages with another definition in dvc.yaml
    recorded : stages with another entry in dvc.lock, and of each, whether inputs and results there both differ
    judges : whether the code, the definition or the recorded results of what is judged changed
    moved : files that the candidate's policy judges, and the baseline's does not
    unclean : tracked files that differed from HEAD already
    watched : what the pipeline and its evaluation read from Git, and no stage writes
    absent : where the pipeline would find code that is not in Git, and what marks the file that lies there
    """

    sources: tuple[Change, ...] = ()
    warnings: tuple[Warning_, ...] = ()
    paths: frozenset[str] = frozenset()
    edited: frozenset[str] = frozenset()
    recorded: Mapping[str, bool] = field(default_factory=lambda: MappingProxyType({}))
    judges: bool = False
    moved: frozenset[str] = frozenset()
    unclean: frozenset[str] = frozenset()
    watched: frozenset[str] = frozenset()
    absent: Mapping[str, tuple[int, ...] | None] = field(default_factory=lambda: MappingProxyType({}))

    def touches(self, path: str) -> bool:
        """Return whether a result is another file than at the baseline: in Git, under DVC, or by the policy."""
        places = {path, *list_folders(path)}
        return path in self.moved or not self.paths.isdisjoint({*places, *(f"{place}.dvc" for place in places)})


NOTHING_CHANGED = ChangedSources()


def find_changed_sources(checkout: Checkout, baseline: str, choice: PolicyChoice) -> ChangedSources:
    """Return what differs from the commit ``baseline`` and may change the verdict.

    To be asked before any code of the candidate runs: it could put back what it changed.
    """
    prefix = checkout.prefix or "."
    changed = frozenset(posixpath.relpath(path, prefix) for path in checkout.changed_files(baseline))
    if not changed:
        return NOTHING_CHANGED
    sides = Sides(
        before=lambda path: _read_revision(checkout, baseline, path, changed),
        after=lambda path: _read_candidate(checkout, path),
        changed=changed,
    )
    policies = (choice.baseline, choice.candidate)
    stages = _list_both(checkout, sides)
    tracked = frozenset(posixpath.relpath(path, prefix) for path in checkout.list_files())
    tracer = Tracer(index=FileIndex(tracked | changed), read=sides.after, follow_link=partial(_follow_link, checkout))
    files = classify_changes(sides, stages, policies, tracer)
    edits = compare_pipelines(_list_templates(stages, changed), sides.before, sides.after)
    recorded = list_recorded(_named(changed, DVC_LOCK), sides.before, sides.after)
    shown = _Shown(checkout)
    packages, settings = find_packages(sides, policies), _find_settings(sides, prefix)
    workflows, tests = sides.find(_outside(prefix, WORKFLOWS)), sides.find(_list_tests(policies))
    return ChangedSources(
        sources=_list_changes(files, packages | settings | workflows | tests, shown),
        warnings=(
            *shown.warn_of_files("workflow_changed", "the workflow", workflows),
            *shown.warn_of_pipeline(edits, changed),
            *shown.warn_of_files("evaluation_changed", "the evaluation code", files.evaluation),
            *shown.warn_of_parameters(files.parameters),
            *shown.warn_of_files("hidden_code_changed", _HIDDEN_CODE, files.hidden),
            *shown.warn_of_files("tests_changed", "the tests of the model", tests),
            *shown.warn_of_files("environment_changed", "the packages of the stages", packages),
            *shown.warn_of_files("settings_changed", "settings of DVC or Git", settings),
        ),
        paths=changed,
        edited=edits.edited,
        recorded=MappingProxyType(recorded),
        judges=bool(files.evaluation or files.parameters or files.hidden or recorded or edits.told),
        moved=frozenset(list_judged(choice.candidate) - list_judged(choice.baseline)),
        unclean=frozenset(posixpath.relpath(path, prefix) for path in checkout.changed_files(checkout.head_sha)),
        watched=frozenset(files.watched | {FILE_NAME, PARAMETERS, *(join_paths(s.folder, DVC_YAML) for s in stages)}),
        absent=MappingProxyType({path: _mark(checkout, path) for path in files.watched if _may_be_code(path, tracked)}),
    )


def _list_changes(files: ChangedFiles, told: set[str], shown: "_Shown") -> tuple[Change, ...]:
    def describe(kind: Literal["source", "file"], paths: set[str]) -> list[Change]:
        feeding = {shown.name(path) for path in files.feeding}
        names = sorted(map(shown.name, paths))
        return [Change(kind=kind, name=name, details=_FEEDS if name in feeding else "") for name in names]

    return (*describe("source", files.sources), *describe("file", files.rest - told))


def find_rewritten(checkout: Checkout, changes: ChangedSources) -> tuple[Warning_, ...]:
    """Return a warning if files that decide the verdict were rewritten or put there since ``changes`` were found.

    What ran is then not what the change shows.
    """
    shown = _Shown(checkout)
    now = {posixpath.relpath(path, checkout.prefix or ".") for path in checkout.changed_files(checkout.head_sha)}
    found = Sides(before=_read_nothing, after=_read_nothing, changed=frozenset(now - changes.unclean))
    files = sorted(found.find(changes.watched))
    put = [path for path, mark in changes.absent.items() if _mark(checkout, path) not in {mark, None}]
    put += _list_unchecked(checkout, changes.watched)
    return (
        *_warn_of_rewritten("rewrote files that it reads", map(shown.name, files)),
        *_warn_of_rewritten("wrote code that is not in Git, and that it may load", map(shown.name, sorted(put))),
    )


def _warn_of_rewritten(what: str, names: Iterable[str]) -> tuple[Warning_, ...]:
    listed = list(names)
    if not listed:
        return ()
    text = f"The pipeline {what}: {list_names(listed)}. What ran may differ from what this change shows."
    return (Warning_(code="rewritten_files", text=text),)


def _may_be_code(path: str, tracked: frozenset[str]) -> bool:
    return path.endswith((".py", ".sh")) and path not in tracked


def _list_unchecked(checkout: Checkout, watched: Iterable[str]) -> list[str]:
    """Return the bytecode beside watched code that Python runs without a look at the source: nothing usual writes it."""
    folders = {posixpath.dirname(path) for path in watched if path.endswith(".py")}
    found = []
    for folder in sorted(folders):
        for file in (checkout.directory / folder / "__pycache__").glob("*.pyc"):
            with suppress(OSError), file.open("rb") as stream:
                if stream.read(_FLAGS_END)[_FLAGS_START:] == _UNCHECKED:
                    found.append(posixpath.join(folder, "__pycache__", file.name))
    return found


def _mark(checkout: Checkout, path: str) -> tuple[int, ...] | None:
    """Return what changes when a file is written; None where there is none."""
    try:
        found = (checkout.directory / path).stat()
    except OSError:
        return None
    return found.st_ino, found.st_size, found.st_mtime_ns


def _follow_link(checkout: Checkout, path: str) -> str:
    """Return the file of the repository that a path leads to, where a link is on the way; else the path."""
    try:
        target = os.path.realpath(checkout.directory / path)
    except (OSError, ValueError):
        return path
    top = os.path.realpath(checkout.top)
    return posixpath.relpath(target, os.path.realpath(checkout.directory)) if target.startswith(f"{top}/") else path


def _read_nothing(_: str) -> None:
    return None


def _read_candidate(checkout: Checkout, path: str) -> str | None:
    file = checkout.directory / path
    try:
        if not file.is_file() or not file.resolve().is_relative_to(checkout.top):
            return None
        return file.read_text(encoding="utf-8-sig", errors="replace")
    except OSError:
        return None


def _read_revision(checkout: Checkout, sha: str, path: str, changed: frozenset[str]) -> str | None:
    """Return a text at a revision; what did not change is read from the checkout, which costs no process."""
    if path not in changed:
        return _read_candidate(checkout, path)
    content = checkout.read_bytes(sha, path)
    return None if content is None else content.decode("utf-8-sig", errors="replace")


def _list_both(checkout: Checkout, sides: Sides) -> list[WrittenStage]:
    """Return the stages of both revisions: what one of them no longer names still counts."""
    files = {*checkout.list_tracked(DVC_YAML), *_named(sides.changed, DVC_YAML), DVC_YAML}
    found = []
    for file in sorted(files):
        new = read_written_stages(file, sides.after) or []
        is_same = not sides.changed & {file, join_paths(posixpath.dirname(file), PARAMETERS)}
        found += [*new, *([] if is_same else read_written_stages(file, sides.before) or [])]
    return found


def _named(paths: Iterable[str], name: str) -> list[str]:
    return sorted(path for path in paths if posixpath.basename(path) == name and not path.startswith("../"))


def _list_templates(stages: Iterable[WrittenStage], changed: frozenset[str]) -> set[str]:
    """Return each dvc.yaml that changed, or that values from another changed file may fill."""
    files = set(_named(changed, DVC_YAML))
    if any(path.endswith((".yaml", ".yml", ".json", ".toml", ".py")) for path in changed):
        files |= {join_paths(stage.folder, DVC_YAML) for stage in stages}
    return files


def _list_tests(policies: Iterable[Policy]) -> set[str]:
    """Return what the commands of the policies' tests name, and pytest's settings."""
    named = {path for policy in policies if policy.tests for path in list_named_files(policy.tests.command)}
    return {*named, *TEST_SETTINGS} if any(policy.tests for policy in policies) else set()


def _find_settings(sides: Sides, prefix: str) -> set[str]:
    return sides.find({*SETTINGS, *_outside(prefix, SETTINGS)})


def _outside(prefix: str, names: Iterable[str]) -> set[str]:
    """Return paths of the repository's top level, seen from the project."""
    return {posixpath.relpath(name, prefix) for name in names}


@dataclass(frozen=True)
class _Shown:
    """Words for readers, with the names of files as the repository has them."""

    checkout: Checkout

    def name(self, path: str) -> str:
        return join_paths(self.checkout.prefix, path)

    def warn_of_files(self, code: str, what: str, paths: Iterable[str]) -> tuple[Warning_, ...]:
        files = sorted(map(self.name, paths))
        if not files:
            return ()
        where = Location(path=files[0], line=1)
        return (Warning_(code=code, text=f"This change edits {what}: {list_names(files)}.", location=where),)

    def warn_of_parameters(self, parameters: list[ChangedParameter]) -> tuple[Warning_, ...]:
        if not parameters:
            return ()
        told = [f"{self._name_parameter(one)} ({_word(one.before)} → {_word(one.after)})" for one in parameters]
        text = f"This change edits parameters of the evaluation: {list_names(told, length=120)}."
        where = find_line(self.checkout, parameters[0])
        return (Warning_(code="evaluation_parameters_changed", text=text, location=where),)

    def _name_parameter(self, parameter: ChangedParameter) -> str:
        return parameter.key if parameter.file == PARAMETERS else f"{self.name(parameter.file)}:{parameter.key}"

    def warn_of_pipeline(self, edits: PipelineChanges, changed: frozenset[str]) -> tuple[Warning_, ...]:
        if not edits.told:
            return ()
        files = _named(changed, DVC_YAML) or [DVC_YAML]
        text = f"This change edits the pipeline: {list_names(edits.told, MAX_EDITS)}."
        return (Warning_(code="pipeline_changed", text=text, location=Location(path=self.name(files[0]), line=1)),)


def _word(value: object) -> str:
    return "not set" if value is None else plain_name(str(value), 40)


def list_names(names: Iterable[str], limit: int = MAX_NAMED, length: int = NAME_LENGTH) -> str:
    """Return the first names, each shortened so that none hides the others, and how many more there are."""
    listed = list(names)
    more = f" and {len(listed) - limit} more" if len(listed) > limit else ""
    return f"{', '.join(plain_name(name, length) for name in listed[:limit])}{more}"
