"""Watching runs that could not compare: rows that are too old, and errors. Their reports say who wants to hear of it."""

from datetime import timedelta
from pathlib import Path

from metricgate.errors import ConfigurationError
from metricgate.models.outcome import Verdict
from metricgate.models.watch import Watch
from metricgate.report.failure import report_skip
from metricgate.report.value import Report
from metricgate.settings.policy import Policy
from metricgate.settings.policy_file import read_policy
from metricgate.settings.selection import read_policy_text


def read_own_policy(directory: Path, name: str) -> Policy:
    """Return the policy of the checkout; the default one where there is no file."""
    file = directory / name
    return read_policy(read_policy_text(file), origin=name) if file.is_file() else Policy()


def asks_for_issue(directory: Path, name: str) -> bool:
    """Return whether the policy asks for an issue; a policy that cannot be read asks for none."""
    try:
        spec = read_own_policy(directory, name).monitor
    except ConfigurationError:
        return False
    return spec is not None and spec.issue


def mark_unjudged(report: Report, *, issue: bool, model: str = "") -> Report:
    """Return the report as that of a watching run which compared nothing."""
    return report.model_copy(update={"watch": Watch(reference_rows=0, current_rows=0, issue=issue, model=model)})


def report_stale(age: timedelta, allowed: timedelta, *, id_: str) -> Report:
    """Return the report of fresh rows that are older than allowed."""
    from metricgate.gates.drift_gates import judge_age  # noqa: PLC0415

    gate = judge_age(age / timedelta(days=1), allowed / timedelta(days=1))
    report = report_skip(gate.reason, id_=id_)
    return report.model_copy(update={"verdict": Verdict.FAILED, "exit_code": 1, "gates": (gate,)})
