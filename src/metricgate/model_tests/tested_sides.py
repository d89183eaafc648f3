"""Runs the tests on both revisions, each with its own code, model and data; the baseline's, unless they are stored."""

import hashlib
import os
import shlex
import shutil
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from types import MappingProxyType

from metricgate.context import RunContext
from metricgate.errors import WorkspaceError
from metricgate.execution.environment import fingerprint_environment
from metricgate.execution.file_copies import FileOrigin, copy_out, open_folder, open_stored_tests
from metricgate.execution.interface import Executor, Job, ShellCommand
from metricgate.execution.local import LocalExecutor
from metricgate.execution.messages import WorkerReply
from metricgate.execution.production import list_overrides, mark_file, produce_results
from metricgate.execution.session import explain_missing_module
from metricgate.execution.snapshots import SnapshotSet
from metricgate.execution.work_tree import WorkTree
from metricgate.model_tests.judged_tests import JudgedTests, RevisionTests, judge_tests
from metricgate.model_tests.junit_file import JunitError, read_junit
from metricgate.model_tests.places import DefinedTests
from metricgate.models.snapshot import RevisionInfo, Snapshot, Source
from metricgate.processes.owner import may_read
from metricgate.results.interface import ResultStore
from metricgate.results.retention import is_on_default_branch
from metricgate.results.workspace_results import WorkspaceResults
from metricgate.settings.model_tests import ModelTestsSpec
from metricgate.settings.policy import Policy, PredictionsSpec
from metricgate.settings.selection import PolicyChoice
from metricgate.trigger.triggers import Trigger

_KEPT = Policy(predictions=PredictionsSpec(path="junit.xml"))  # the one file of a kept snapshot, as its policy names it
_EXPECTED = "a command that runs the tests and writes JUnit XML."


@dataclass(frozen=True, kw_only=True)
class TriedChange:
    """The judged tests of a change, and the candidate's own run, for keeping."""

    judged: JudgedTests
    candidate: RevisionTests
    spec: ModelTestsSpec


def try_change(context: RunContext, choice: PolicyChoice, snapshots: SnapshotSet) -> TriedChange | None:
    """Run the tests that the policies name, and judge them; None where neither names any.

    A change that drops ``tests:`` is tested by the baseline's command. Whatever keeps tests from running becomes a gate
    in error, or an inconclusive one where it is the baseline's: the rest of the comparison goes on.
    """
    spec = choice.candidate.tests or choice.judging.tests
    if spec is None:
        return None
    checkout = context.checkout
    origin = FileOrigin.of_candidate(checkout, snapshots.candidate, choice.candidate.pipeline)
    candidate = _run_side(context, "candidate", choice.candidate, snapshots.candidate, spec=spec, origin=origin)
    baseline = None
    if snapshots.baseline is not None and choice.baseline.tests is not None:
        baseline = _find_baseline(context, choice.baseline, choice.baseline.tests, snapshots.baseline)
        if baseline.problem and any(warning.code == "first_policy" for warning in choice.warnings):
            baseline = None  # this change brings its first policy, and the tests with it
    judged = judge_tests(spec.command, candidate, baseline, locate=DefinedTests(checkout).locate)
    return TriedChange(judged=judged, candidate=candidate, spec=spec)


def keep_tests(context: RunContext, trigger: Trigger, tried: TriedChange, policy: Policy) -> str:
    """Store the candidate's JUnit XML, where it ran on the default branch; return why that failed, if it did."""
    checkout, junit = context.checkout, tried.candidate.junit
    if junit is None or trigger.is_fork or not is_on_default_branch(trigger, checkout.head_sha):
        return ""
    tree = WorkTree(context=context, directory=checkout.directory, files=context.scratch / "keep-tests", name="keep")
    environment = fingerprint_environment(policy.pipeline, partial(checkout.read_text, checkout.head_sha))
    snapshot = _wrap(junit, checkout.head_sha, _hash_inputs(context, tried.spec, checkout.head_sha))
    problem = open_stored_tests(tree).keep(snapshot, environment, _KEPT)
    return f"The tests' results were not stored for later pull requests: {problem}." if problem else ""


def _wrap(junit: Path, revision: str, inputs: str) -> Snapshot:
    """Return the XML in the form in which results are kept."""
    info = RevisionInfo(revision=revision, name="tests", source=Source.WORKSPACE)
    return Snapshot(info=info, inputs=inputs, predictions=MappingProxyType({"": junit}))


def _hash_inputs(context: RunContext, spec: ModelTestsSpec, revision: str) -> str:
    """Return the key of tests: what they read is unknown, so it is the whole commit."""
    tree = context.checkout.git("rev-parse", f"{revision}^{{tree}}")
    return hashlib.sha256(f"{spec.model_dump_json()}\n{context.checkout.prefix}\n{tree}".encode()).hexdigest()


def _find_baseline(context: RunContext, policy: Policy, spec: ModelTestsSpec, snapshot: Snapshot) -> RevisionTests:
    """Return the baseline's tests: stored by a run on the default branch, kept by an earlier run here, or run now."""
    checkout, revision = context.checkout, snapshot.info.revision or ""
    tree = WorkTree(
        context=context, directory=checkout.directory, files=context.scratch / "kept-tests", name="kept-tests"
    )
    key = _hash_inputs(context, spec, revision)
    environment = fingerprint_environment(
        policy.pipeline, partial(checkout.read_text, revision), use_active=context.use_active
    )
    earlier = WorkspaceResults.open(checkout, "tests")
    stores: Sequence[tuple[ResultStore, str | None]] = ((open_stored_tests(tree), None), (earlier, environment))
    for store, made_in in stores if context.baseline_results != "reproduce" else ():
        found = store.find(key, made_in, _KEPT, snapshot.info)
        junit = found.predictions.get("") if found else None
        if isinstance(junit, Path) and not (read := _read(junit)).problem:
            context.progress.line(f"the baseline's tests are those of {store.source.value}")
            return replace(read, stored=True)
    if context.baseline_results == "stored":
        return RevisionTests(problem="The baseline's tests are not stored, and must not be run.")
    side = _run_side(context, "baseline", policy, snapshot, spec=spec, origin=FileOrigin.of_baseline(snapshot))
    if side.junit is not None and (problem := earlier.keep(_wrap(side.junit, revision, key), environment, _KEPT)):
        context.progress.line(problem)
    return side


def _run_side(
    context: RunContext, side: str, policy: Policy, snapshot: Snapshot, *, spec: ModelTestsSpec, origin: FileOrigin
) -> RevisionTests:
    checkout = context.checkout
    try:
        with context.progress.step(f"Test the {side}'s model"), open_folder(checkout, origin) as directory:
            tree = WorkTree(
                context=context,
                directory=directory,
                files=context.scratch / f"{side}-tests",
                name=f"{side}-tests",
                shares_with=None if directory == checkout.directory else checkout.directory,
            )
            tree.make_folder(tree.files)
            _bring_files(tree, spec, policy, snapshot, origin)
            return _run(tree, spec, policy)
    except WorkspaceError as error:
        return RevisionTests(problem=f"{error.what} {_begin(error.fix)}", details=error.details)


def _begin(sentence: str) -> str:
    return sentence[:1].upper() + sentence[1:]


def _bring_files(tree: WorkTree, spec: ModelTestsSpec, policy: Policy, snapshot: Snapshot, origin: FileOrigin) -> None:
    """Bring what the tests read and the folder lacks. What a command wrote is in no cache: there it runs again."""
    if policy.pipeline.command is not None and origin.revision is not None:
        produce_results(tree, policy)
    tracked = [entry.path for entry in snapshot.data if entry.hash is not None and not entry.path.startswith("..")]
    wanted = {path: tree.directory / path for path in spec.needs or tracked}
    overrides = list_overrides(policy.pipeline) if origin.revision is not None else ()
    if not wanted:
        return
    try:
        copy_out(tree, origin, wanted, timeout_s=tree.context.timeout_s, overrides=overrides)
    except WorkspaceError as error:
        raise WorkspaceError(
            error.what,
            expected="every file that the tests may read.",
            fix="run `dvc push` on the machine that has it, or name only what the tests read: `tests: {needs: [...]}`.",
            details=error.details,
            topic=error.topic,
        ) from error


def _run(tree: WorkTree, spec: ModelTestsSpec, policy: Policy) -> RevisionTests:
    junit = tree.directory / spec.junit if spec.junit else tree.files / "junit.xml"
    before = mark_file(junit)
    options = f"{os.environ.get('PYTEST_ADDOPTS', '')} -p no:cacheprovider --junitxml={shlex.quote(str(junit))}"
    command = ShellCommand(
        text=spec.command,
        title="The tests' command",
        expected=_EXPECTED,
        environment=() if spec.junit else (("PYTEST_ADDOPTS", options.strip()),),
        may_fail=True,
    )
    executor: Executor = LocalExecutor()
    with executor.start(Job(tree=tree, pipeline=policy.pipeline, code=command)) as running:
        reply = running.wait()
    ended = f"`{spec.command}` ended with exit code {reply.exit_code}"
    name = spec.junit or "its JUnit XML"
    if mark_file(junit) == before:
        raise WorkspaceError(
            f"{ended}, and wrote no JUnit XML{f' to {spec.junit}' if spec.junit else ''}.",
            expected=_EXPECTED,
            fix=_advise(spec, reply),
            details=reply.output,
            topic="the-tests-wrote-no-results",
        )
    if junit.is_symlink() or not junit.is_file() or not may_read(junit, tree.owner):
        raise WorkspaceError(
            f"{ended}, and {name} is not a file of its own.",
            expected=_EXPECTED,
            fix=_advise(spec, reply),
            topic="the-tests-wrote-no-results",
        )
    kept = tree.context.scratch / f"{tree.name}-junit.xml"
    shutil.copyfile(junit, kept)
    read = replace(_read(kept), seconds=reply.stages[0].seconds)
    if read.problem:
        return replace(read, problem=f"{ended}, and {name} {read.problem}.", details=reply.output)
    if reply.exit_code != 0 and not any(test.outcome == "failed" for test in read.tests):
        problem = f"{ended}, although no test in {name} failed: it did not come to its end."
        return RevisionTests(problem=problem, details=reply.output)
    return read


def _read(junit: Path) -> RevisionTests:
    try:
        return RevisionTests(tests=read_junit(junit), junit=junit)
    except JunitError as error:
        return RevisionTests(problem=str(error))


def _advise(spec: ModelTestsSpec, reply: WorkerReply) -> str:
    if missing := explain_missing_module(reply.output):
        return missing
    if "pytest" in spec.command and ("No module named pytest" in reply.output or "not found" in reply.output):
        return "add pytest to the requirements file that metricgate.yaml names (`pipeline: {requirements: …}`)."
    if spec.junit is None and "pytest" not in spec.command:
        return "name the file that the command writes: `tests: {command: …, junit: FILE}`."
    return "run it on your machine and repair it."
