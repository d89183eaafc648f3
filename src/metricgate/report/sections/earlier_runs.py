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
MANY_ATTEMPTS = 3


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
        answers=report.pairings[0].answers if report.pairings else "",
    )


def name_test_set(report: Report) -> str:
    """Return the hash of the first prediction set's test rows; empty where nothing was paired."""
    return report.pairings[0].test_set if report.pairings else ""


def count_attempts(report: Report, context: ViewContext) -> int:
    """Return the number of different attempts on this test set in the pull request, this one included."""
    test_set = name_test_set(report)
    if not test_set:
        return 1
    answers = [run.answers for run in context.history if run.test_set == test_set] + [report.pairings[0].answers]
    return len({known for known in answers if known}) + answers.count("")


def describe_attempts(report: Report, context: ViewContext) -> str:
    """Return what many attempts on one test set do to the promise of a gate, from the third one on; else nothing.

    The rate is Šidák's for independent attempts. Attempts on the same rows resemble each other, so theirs is lower.
    """
    attempts = count_attempts(report, context)
    if attempts < MANY_ATTEMPTS:
        return ""
    tail = (1.0 - report.confidence) / 2.0
    rate = 1.0 - (1.0 - tail) ** attempts
    return (
        f"This is attempt {attempts} on this test set. A model that loses exactly what is allowed passes any "
        f"one attempt in {tail:.1%} of cases, and at least one of {attempts} in up to {rate:.0%}. Fresh test rows help."
    )


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
