"""Earlier runs in the same pull request: they show which push changed what."""

from metricgate.report.document import DocumentPart, draw_table, fold
from metricgate.report.escape import escape_sentence
from metricgate.report.gate_order import gate_decimals
from metricgate.report.headline import headline
from metricgate.report.number_format import format_number
from metricgate.report.value import Report
from metricgate.report.view_context import PastRun, ViewContext
from metricgate.report.vocabulary import VERDICT_SIGNS, plain_metric

RANK = 5
MAX_GATES = 2


def remember_run(report: Report, revision: str) -> PastRun:
    """Return what later runs in the pull request show of this one."""
    gates = [gate for gate in report.gates if gate.slice is None and gate.difference is not None]
    changes = [
        f"{plain_metric(gate)} {format_number(gate.difference, gate_decimals(gate), signed=True)}" for gate in gates
    ]
    return PastRun(
        revision=revision,
        verdict=report.verdict,
        headline=headline(report),
        changes=tuple(changes[:MAX_GATES]),
        test_set=name_test_set(report),
    )


def name_test_set(report: Report) -> str:
    """Return the hash of the first prediction set's test rows; empty where nothing was paired."""
    return report.pairings[0].test_set if report.pairings else ""


def count_attempts(report: Report, context: ViewContext) -> int:
    """Return the number of runs on this test set in the pull request, this one included: many attempts wear it out."""
    test_set = name_test_set(report)
    return 1 + sum(run.test_set == test_set for run in context.history) if test_set else 1


def history_section(context: ViewContext) -> DocumentPart:
    """Return the folded table of earlier runs in this pull request, the newest first."""
    rows = [_draw_run(run) for run in reversed(context.history)]

    def draw(count: int) -> str:
        if not rows or not count:
            return ""
        table = draw_table(("Commit", "Verdict", "Change"), rows[:count], "lll")
        return fold(f"Earlier runs in this pull request: {len(rows)}", table)

    return DocumentPart(name="earlier runs", rank=RANK, size=max(1, len(rows)), draw=draw)


def _draw_run(run: PastRun) -> tuple[str, ...]:
    changes = "<br>".join(escape_sentence(change, 80) for change in run.changes)
    return (f"`{run.revision[:7]}`", f"{VERDICT_SIGNS[run.verdict]} {escape_sentence(run.headline)}", changes)
