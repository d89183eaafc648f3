"""What a change edits in Git: sources of the pipeline, its definition and recorded results, and what judges it."""

import posixpath
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from types import MappingProxyType

from metricgate.errors import ConfigurationError
from metricgate.models.result import Change, Location, Warning_
from metricgate.report.escape import NAME_LENGTH, plain_name
from metricgate.revisions.checkout import Checkout
from metricgate.revisions.code_reach import list_reached
from metricgate.revisions.dvc_yaml import (
    DVC_YAML,
    OUTPUT_KEYS,
    ReadText,
    WrittenStage,
    join_paths,
    list_named_files,
    read_written_stages,
)
from metricgate.revisions.pipeline_changes import DVC_LOCK, PipelineChanges, compare_pipelines, list_recorded
from metricgate.settings.document import read_document
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
PACKAGES = ("requirements.txt", "pyproject.toml", "uv.lock", "poetry.lock", "environment.yml", ".python-version")
PARAMETERS = "params.yaml"
TEST_SETTINGS = ("conftest.py", "*/conftest.py", "pytest.ini", ".pytest.ini", "tox.ini", "setup.cfg")
MAX_NAMED = 5
MAX_EDITS = 10
_Lines = Mapping[tuple[str | int, ...], int]


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

    def touches(self, path: str) -> bool:
        """Return whether a result is another file than at the baseline: in Git, under DVC, or by the policy."""
        places = {path, *_list_folders(path)}
        return path in self.moved or not self.paths.isdisjoint({*places, *(f"{place}.dvc" for place in places)})


NOTHING_CHANGED = ChangedSources()


@dataclass(frozen=True, kw_only=True)
class _Sides:
    """How to read the project's files at both revisions, and which differ."""

    before: ReadText
    after: ReadText
    changed: frozenset[str]

    def find(self, named: Iterable[str]) -> set[str]:
        """Return the changed files that are named, or lie in what is named."""
        names = set(named)
        around = {folder for name in names for folder in _list_folders(name)}  # a submodule is one changed path
        patterns = [name for name in names if "*" in name and name.strip("*./")]
        return {
            path
            for path in self.changed
            if path in names
            or path in around
            or not names.isdisjoint(_list_folders(path))
            or any(fnmatchcase(path, pattern) for pattern in patterns)
        }


def _list_folders(path: str) -> Iterator[str]:
    while path := posixpath.dirname(path):
        yield path


def find_changed_sources(checkout: Checkout, baseline: str, choice: PolicyChoice) -> ChangedSources:
    """Return what differs from the commit ``baseline`` and may change the verdict.

    To be asked before any code of the candidate runs: it could put back what it changed.
    """
    prefix = checkout.prefix or "."
    changed = frozenset(posixpath.relpath(path, prefix) for path in checkout.changed_files(baseline))
    sides = _Sides(
        before=lambda path: _read_revision(checkout, baseline, path, changed),
        after=lambda path: _read_candidate(checkout, path),
        changed=changed,
    )
    policies = (choice.baseline, choice.candidate)
    stages = _list_both(checkout, sides)
    judging = [stage for stage in stages if _is_judging(stage, policies)]
    written = {path for stage in stages for path in stage.paths(*OUTPUT_KEYS)}
    pipeline = _drop_written(_list_inputs(stages), written) | _list_command_files(policies)
    reached = _reach(judging, policies, written, sides)
    evaluation = sides.find(reached | {f"{path}.dvc" for path in reached})  # test data under DVC
    sources = sides.find(pipeline) | evaluation
    edits = compare_pipelines(_list_templates(stages, changed), sides.before, sides.after)
    recorded = list_recorded(_named(changed, DVC_LOCK), sides.before, sides.after)
    shown = _Shown(checkout)
    return ChangedSources(
        sources=tuple(Change(kind="source", name=path) for path in sorted(map(shown.name, sources))),
        warnings=(
            *shown.warn_of_files("workflow_changed", "the workflow", sides.find(_outside(prefix, WORKFLOWS))),
            *shown.warn_of_pipeline(edits, changed),
            *shown.warn_of_files("evaluation_changed", "the evaluation code", evaluation),
            *shown.warn_of_files("tests_changed", "the tests of the model", sides.find(_list_tests(policies))),
            *shown.warn_of_files("environment_changed", "the packages of the stages", _find_packages(sides, policies)),
            *shown.warn_of_files("settings_changed", "settings of DVC or Git", _find_settings(sides, prefix)),
        ),
        paths=changed,
        edited=edits.edited,
        recorded=MappingProxyType(recorded),
        judges=bool(evaluation or recorded or edits.told),
        moved=frozenset(_list_judged(choice.candidate) - _list_judged(choice.baseline)),
        unclean=frozenset(posixpath.relpath(path, prefix) for path in checkout.changed_files(checkout.head_sha)),
        watched=frozenset(
            pipeline | reached | {FILE_NAME, PARAMETERS, *(join_paths(s.folder, DVC_YAML) for s in stages)}
        ),
    )


def find_rewritten(checkout: Checkout, changes: ChangedSources) -> tuple[Warning_, ...]:
    """Return a warning if files that decide the verdict were rewritten since ``changes`` were found.

    What ran is then not what the change shows.
    """
    now = {posixpath.relpath(path, checkout.prefix or ".") for path in checkout.changed_files(checkout.head_sha)}
    found = _Sides(before=_read_nothing, after=_read_nothing, changed=frozenset(now - changes.unclean))
    files = sorted(found.find(changes.watched))
    if not files:
        return ()
    names = list_names(map(_Shown(checkout).name, files))
    text = f"The pipeline rewrote files that it reads: {names}. What ran may differ from what this change shows."
    return (Warning_(code="rewritten_files", text=text),)


def _read_nothing(_: str) -> None:
    return None


def _list_judged(policy: Policy) -> set[str]:
    """Return the predictions, and the metrics files that gates name."""
    named = {name.split(":", 1)[0] for name in policy.metric_names if ":" in name}
    return {join_paths(path) for path in named | {spec.path for spec in policy.prediction_sets.values()}}


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


def _list_both(checkout: Checkout, sides: _Sides) -> list[WrittenStage]:
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


def _is_judging(stage: WrittenStage, policies: Iterable[Policy]) -> bool:
    """Return whether a stage writes what is judged: predictions, or the metrics files that gates name."""
    wanted = {path for policy in policies for path in _list_judged(policy)}
    outputs = {join_paths(path) for path in stage.paths(*OUTPUT_KEYS)}
    if any(path in outputs or outputs & set(_list_folders(path)) for path in wanted):
        return True
    return not wanted and any(True for _ in stage.paths("metrics"))


def _list_inputs(stages: Iterable[WrittenStage]) -> set[str]:
    return {path for stage in stages for path in (*stage.paths("deps"), *stage.list_named())}


def _drop_written(paths: Iterable[str], written: set[str]) -> set[str]:
    """Return the paths that no stage writes."""
    return {path for path in paths if path not in written and not written & set(_list_folders(path))}


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


def _list_tests(policies: Iterable[Policy]) -> set[str]:
    """Return what the commands of the policies' tests name, and pytest's settings."""
    named = {path for policy in policies if policy.tests for path in list_named_files(policy.tests.command)}
    return {*named, *TEST_SETTINGS} if any(policy.tests for policy in policies) else set()


def _reach(judging: Iterable[WrittenStage], policies: Iterable[Policy], written: set[str], sides: _Sides) -> set[str]:
    """Return what the code that judges names or imports, on either side."""
    starts = _drop_written(_list_inputs(judging), written) | _list_command_files(policies)
    return _drop_written(list_reached(starts, sides.after), written)


def _find_packages(sides: _Sides, policies: Iterable[Policy]) -> set[str]:
    named = {policy.pipeline.requirements for policy in policies if policy.pipeline.requirements}
    return sides.find({*PACKAGES, *named})


def _find_settings(sides: _Sides, prefix: str) -> set[str]:
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

    def warn_of_pipeline(self, edits: PipelineChanges, changed: frozenset[str]) -> tuple[Warning_, ...]:
        if not edits.told:
            return ()
        files = _named(changed, DVC_YAML) or [DVC_YAML]
        text = f"This change edits the pipeline: {list_names(edits.told, MAX_EDITS)}."
        return (Warning_(code="pipeline_changed", text=text, location=Location(path=self.name(files[0]), line=1)),)


def list_names(names: Iterable[str], limit: int = MAX_NAMED, length: int = NAME_LENGTH) -> str:
    """Return the first names, each shortened so that none hides the others, and how many more there are."""
    listed = list(names)
    more = f" and {len(listed) - limit} more" if len(listed) > limit else ""
    return f"{', '.join(plain_name(name, length) for name in listed[:limit])}{more}"


def locate_parameters(checkout: Checkout, changes: Iterable[Change]) -> tuple[Change, ...]:
    """Return the changes, those of parameters with their line in the candidate's file, where it has one."""
    lines: dict[str, _Lines] = {}
    return tuple(_locate(change, checkout, lines) if change.kind == "parameter" else change for change in changes)


def _locate(change: Change, checkout: Checkout, lines: dict[str, _Lines]) -> Change:
    file, _, key = change.name.rpartition(":")
    path = file or PARAMETERS
    if path not in lines:
        lines[path] = _read_lines(checkout, path)
    line = lines[path].get(tuple(key.split(".")))
    if line is None:
        return change
    return change.model_copy(update={"location": Location(path=checkout.prefix + path, line=line)})


def _read_lines(checkout: Checkout, path: str) -> _Lines:
    try:
        return read_document((checkout.directory / path).read_text(encoding="utf-8"), path).lines
    except (OSError, UnicodeDecodeError, ConfigurationError):
        return {}  # parameters in JSON, TOML or Python, or broken YAML, have no lines
