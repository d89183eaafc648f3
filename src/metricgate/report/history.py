"""The verdicts of earlier pushes, kept in the comment itself: a hidden line that the next run reads back."""

import base64
import binascii
import re

from pydantic import TypeAdapter, ValidationError

from metricgate.models.outcome import Verdict
from metricgate.report.budget import Section
from metricgate.report.escape import escape_sentence
from metricgate.report.headline import gate_decimals, headline
from metricgate.report.labels import VERDICT_SIGNS, plain_metric
from metricgate.report.numbers import format_number
from metricgate.report.place import PastRun, Place
from metricgate.report.tables import draw_table, fold
from metricgate.report.value import Report

KEPT = 10
RANK = 5
_LINE = re.compile(r"^<!-- metricgate-history:([A-Za-z0-9+/=]{0,20000}) -->$", re.MULTILINE)
_RUNS = TypeAdapter(tuple[PastRun, ...])


def read_history(comment: str) -> tuple[PastRun, ...]:
    """Return the runs that an earlier comment of ours remembers, oldest first; none if its line was tampered with."""
    found = _LINE.search(comment)
    if found is None:
        return ()
    try:
        return _RUNS.validate_json(base64.b64decode(found[1], validate=True), strict=True)[-KEPT:]
    except (binascii.Error, ValidationError):
        return ()


def write_history(report: Report, place: Place) -> str:
    """Return the hidden line that remembers the earlier runs and this one."""
    runs = _RUNS.dump_json((*place.history, *_this_run(report))[-KEPT:])
    return f"<!-- metricgate-history:{base64.b64encode(runs).decode()} -->"


def _this_run(report: Report) -> tuple[PastRun, ...]:
    if report.candidate is None or report.candidate.revision is None or report.verdict is Verdict.CANCELLED:
        return ()
    return (
        PastRun(
            revision=report.candidate.revision,
            verdict=report.verdict,
            headline=headline(report),
            changes=tuple(_describe_changes(report)),
        ),
    )


def _describe_changes(report: Report) -> list[str]:
    """Return the differences of the first gates in the policy's order, the same ones in every run."""
    gates = [gate for gate in report.gates if gate.slice is None and gate.difference is not None]
    return [
        f"{plain_metric(gate)} {format_number(gate.difference, gate_decimals(gate), signed=True)}" for gate in gates[:2]
    ]


def history_section(report: Report, place: Place) -> Section:
    """Return the folded table of the runs in this pull request, the newest first."""
    runs = [*place.history, *_this_run(report)] if place.history else []
    rows = [
        (f"`{run.revision[:7]}`", f"{VERDICT_SIGNS[run.verdict]} {escape_sentence(run.headline)}", _draw_changes(run))
        for run in reversed(runs)
    ]

    def draw(count: int) -> str:
        if not rows or not count:
            return ""
        table = draw_table(("Commit", "Verdict", "Change"), rows[:count], "lll")
        return fold(f"Runs in this pull request: {len(rows)}", table)

    return Section(name="runs", rank=RANK, size=max(1, len(rows)), draw=draw)


def _draw_changes(run: PastRun) -> str:
    return "<br>".join(escape_sentence(change, 80) for change in run.changes)
