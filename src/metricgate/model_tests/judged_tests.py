"""What the tests of both revisions mean: gate rows for those that decide, and a list of all for the report.

A test that passed and now fails is a failed gate, one that failed before is named, and one that is gone or skipped is
an error: a change does not choose which tests it is judged by.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from metricgate.models.model_test import (
    MOST_SHOWN,
    ModelTest,
    ModelTestReport,
    ModelTestRow,
    ModelTestState,
    spell_test,
)
from metricgate.models.outcome import Direction, Outcome, ReasonCode, Role
from metricgate.models.result import GateRow, Location

SOURCE = "tests"
ALL = "tests of the model"  # the metric of the row that stands for all tests
MOST_GATES = 50
Locate = Callable[[str, str, int | None], Location | None]
_RAN = ("passed", "failed")
_NEW = "it did not run on the baseline, and it fails"
_BROKEN: Mapping[ModelTestState, tuple[ReasonCode, str]] = {
    "passed": ("test_broken", "it passed on the baseline and fails now"),
    "unknown": ("test_broken", "it fails, and the baseline's tests could not be run"),
    "absent": ("test_new_and_failing", _NEW),
    "skipped": ("test_new_and_failing", _NEW),
}
_BLOCKING = (Outcome.ERROR, Outcome.FAILED)


@dataclass(frozen=True, kw_only=True)
class RevisionTests:
    """The tests of one revision, or the ``problem`` (a sentence) that kept them from running.

    ``junit`` is the XML that they were read from, and lasts as long as the run.
    """

    tests: tuple[ModelTest, ...] = ()
    problem: str = ""
    details: str = ""
    junit: Path | None = None
    seconds: float | None = None
    stored: bool = False


@dataclass(frozen=True, kw_only=True)
class JudgedTests:
    """The gate rows, those that block first, and what the report shows."""

    gates: tuple[GateRow, ...]
    report: ModelTestReport


@dataclass(frozen=True)
class _Finding:
    row: ModelTestRow
    outcome: Outcome | None = None  # None: the row that stands for all says it
    code: ReasonCode = "tests_pass"
    reason: str = ""


def judge_tests(
    command: str, candidate: RevisionTests, baseline: RevisionTests | None, *, locate: Locate
) -> JudgedTests:
    """Judge the candidate's tests by the baseline's; ``baseline`` is None where it has no tests yet.

    ``locate`` finds where the candidate defines a test, by its name and the file and line of its XML.
    """
    if candidate.problem:
        report = ModelTestReport(command=command, problem=candidate.problem, details=candidate.details)
        return JudgedTests(gates=(_build_gate(ALL, Outcome.ERROR, "tests_not_run", candidate.problem),), report=report)
    findings = _compare(candidate, baseline, locate)
    deciding = [finding for finding in findings if finding.outcome is not None]
    gates = [
        _build_gate(finding.row.name, finding.outcome, finding.code, finding.reason, finding.row.location)
        for finding in deciding[:MOST_GATES]
        if finding.outcome is not None
    ]
    if rest := deciding[MOST_GATES:]:
        worst = min((finding for finding in rest), key=_rank)
        assert worst.outcome is not None  # noqa: S101  of those that decide
        gates.append(_build_gate(ALL, worst.outcome, worst.code, f"{len(rest)} more tests: {worst.reason}"))
    of_all = _judge_all(candidate, baseline, findings)
    if not gates or of_all.outcome not in {Outcome.PASSED, Outcome.SKIPPED}:
        gates.append(of_all)
    return JudgedTests(gates=tuple(gates), report=_lay_out(command, candidate, baseline, findings))


def _compare(candidate: RevisionTests, baseline: RevisionTests | None, locate: Locate) -> list[_Finding]:
    is_known = baseline is not None and not baseline.problem
    earlier = {test.name: test for test in baseline.tests} if baseline and is_known else {}
    now = {test.name: test for test in candidate.tests}
    unread = {name for name, test in now.items() if test.outcome == "failed" and _hides(name, earlier.keys() - now)}
    findings = [
        _judge_one(
            ModelTestRow(
                name=name,
                words=spell_test(name),
                before=_state_of(earlier.get(name), is_known=is_known, has_tests=baseline is not None),
                after=test.outcome,
                message=test.message,
                location=locate(name, test.file, test.line),
            ),
            hidden=len(_list_hidden(name, earlier.keys() - now)) if name in unread else 0,
        )
        for name, test in now.items()
    ]
    for name in (name for name in earlier if name not in now and not any(_is_in(name, module) for module in unread)):
        row = ModelTestRow(name=name, words=spell_test(name), before=earlier[name].outcome, after="absent")
        findings.append(_judge_one(row))
    return sorted(findings, key=_rank)


def _state_of(test: ModelTest | None, *, is_known: bool, has_tests: bool) -> ModelTestState:
    if test is not None:
        return test.outcome
    return "absent" if is_known or not has_tests else "unknown"


def _is_in(name: str, module: str) -> bool:
    return name.startswith((f"{module}::", f"{module}."))


def _list_hidden(module: str, missing: Iterable[str]) -> list[str]:
    return [name for name in missing if _is_in(name, module)]


def _hides(module: str, missing: Iterable[str]) -> bool:
    """Return whether a failure is that of a whole module, which could not be read: pytest names it like a test."""
    return bool(_list_hidden(module, missing))


def _judge_one(row: ModelTestRow, hidden: int = 0) -> _Finding:
    said = f": {row.message}" if row.message else ""
    if hidden and row.after == "failed":
        reason = f"it could not be read, so {hidden} tests of the baseline did not run{said}"
        return _Finding(row, Outcome.ERROR, "test_removed", reason)
    if row.after == "failed" and row.before != "failed":
        code, reason = _BROKEN[row.before]
        return _Finding(row, Outcome.FAILED, code, f"{reason}{said}")
    if row.before in _RAN and row.after == "absent":
        return _Finding(row, Outcome.ERROR, "test_removed", "it ran on the baseline, and this change removes it")
    if row.before in _RAN and row.after == "skipped":
        return _Finding(row, Outcome.ERROR, "test_skipped", f"it ran on the baseline, and is skipped now{said}")
    return _Finding(row)


def _rank(finding: _Finding) -> tuple[int, str]:
    """Return the place in the list: what blocks, then what failed before as well, then the rest by its name."""
    if finding.outcome in _BLOCKING:
        return _BLOCKING.index(finding.outcome), finding.row.name
    return (2 if finding.row.after == "failed" else 3 if finding.row.after != "passed" else 4), finding.row.name


def _judge_all(candidate: RevisionTests, baseline: RevisionTests | None, findings: list[_Finding]) -> GateRow:
    """Return the row that stands for the tests which decide nothing by themselves."""
    counts = _count(candidate)
    if not counts["passed"] and not counts["failed"]:
        return _build_gate(ALL, Outcome.ERROR, "tests_not_run", "every test was skipped, so nothing was tested")
    if baseline is not None and baseline.problem:
        reason = f"which tests passed before is not known. {baseline.problem}"
        return _build_gate(ALL, Outcome.INCONCLUSIVE, "tests_without_baseline", reason)
    known = sum(finding.row.before == finding.row.after == "failed" for finding in findings)
    also = f"; {known} failed on the baseline as well" if known else ""
    reason = f"{counts['passed']} of {len(candidate.tests)} tests pass{also}"
    return _build_gate(ALL, Outcome.PASSED if counts["passed"] else Outcome.SKIPPED, "tests_pass", reason)


def _count(side: RevisionTests) -> Mapping[str, int]:
    return {name: sum(test.outcome == name for test in side.tests) for name in ("passed", "failed", "skipped")}


def _build_gate(
    name: str, outcome: Outcome, code: ReasonCode, reason: str, location: Location | None = None
) -> GateRow:
    return GateRow(
        rule=f"{spell_test(name)} must keep passing",
        metric=name,
        source=SOURCE,
        role=Role.REQUIRED,
        kind="max_drop",
        direction=Direction.HIGHER,
        bound=0.0,
        outcome=outcome,
        reason=reason,
        reason_code=code,
        beyond=outcome is Outcome.FAILED,
        location=location,
    )


def _lay_out(
    command: str, candidate: RevisionTests, baseline: RevisionTests | None, findings: list[_Finding]
) -> ModelTestReport:
    problem = baseline.problem if baseline else ""
    origin = "none" if baseline is None else "unknown" if problem else "stored" if baseline.stored else "run"
    return ModelTestReport(
        command=command,
        rows=tuple(finding.row for finding in findings[:MOST_SHOWN]),
        tests=len(candidate.tests),
        **_count(candidate),
        seconds=candidate.seconds,
        baseline=origin,
        problem=problem,
        details=baseline.details if baseline else "",
    )
