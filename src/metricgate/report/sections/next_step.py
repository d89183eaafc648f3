"""One next step for the reader: where the loss is largest, and what changed."""

from metricgate.errors import PREDICTIONS_HELP
from metricgate.models.outcome import Direction, Outcome
from metricgate.models.result import MetricRow
from metricgate.report.document import unbroken
from metricgate.report.escape import code_block, code_span, escape_prose
from metricgate.report.gate_order import sort_gates
from metricgate.report.number_format import plural
from metricgate.report.sections.metric_tables import format_difference
from metricgate.report.value import Report
from metricgate.report.vocabulary import name_metric, slice_cell

MAX_PARAMETERS = 2
MISSING = (
    "add these lines to metricgate.yaml, on the base branch. The baseline's stored model is then judged on the rows "
    "that neither model was trained on."
)
ONE_FILE_MORE = (
    "With one file more, a table with one row for each test example, each change would have an interval and each slice "
    "its own numbers, and gates could tell a loss from noise."
)
TROUBLE = frozenset({Outcome.FAILED, Outcome.INCONCLUSIVE})


def draw_next_step(report: Report) -> str:
    """Return a line of Markdown: the run's own hint, or else the worst slice and the changed parameters."""
    if report.hints:
        return f"**Next:** {escape_prose(report.hints[0])}"
    parts = [part for part in (_describe_worst_slice(report), _describe_parameters(report)) if part]
    return f"**Next:** look at {'; '.join(parts)}." if parts else ""


def draw_missing_policy(report: Report) -> str:
    """Return the lines to add to metricgate.yaml; empty if there are none."""
    if not report.missing_policy:
        return ""
    return f"**To compare new rows too,** {MISSING}\n\n{code_block(report.missing_policy, language='yaml')}"


def lacks_predictions(report: Report) -> bool:
    """Return whether the report has nothing but the pipeline's own numbers."""
    return bool(report.metrics) and not report.pairings and not report.failure


def draw_one_file_more(report: Report) -> str:
    """Return what a predictions file would add to a report of the pipeline's own numbers."""
    return f"{ONE_FILE_MORE} [Ten lines write it]({PREDICTIONS_HELP})." if lacks_predictions(report) else ""


def _describe_worst_slice(report: Report) -> str:
    worst = find_worst_slice(report)
    if worst is None or worst.slice is None:
        return ""
    change, interval = format_difference(worst)
    loss = f"{unbroken(change)} ({unbroken(interval)})" if interval else unbroken(change)
    return f"{slice_cell(worst.slice)}, where {name_metric(worst)} loses most: {loss}"


def find_worst_slice(report: Report) -> MetricRow | None:
    """Return the slice whose interval shows the largest loss in the first metric that did not pass."""
    trouble = [gate for gate in sort_gates(report.gates) if gate.outcome in TROUBLE and gate.slice is None]
    if not trouble:
        return None
    names = (trouble[0].set, trouble[0].metric)
    rows = [row for row in report.metrics if row.slice and (row.set, row.name) == names and _shown_loss(row) > 0]
    return max(rows, key=_shown_loss, default=None)


def _shown_loss(row: MetricRow) -> float:
    """Return the smallest loss inside the interval; negative if the interval includes a gain."""
    if row.low is None or row.high is None:
        return 0.0
    return -row.high if row.direction is Direction.HIGHER else row.low


def _describe_parameters(report: Report) -> str:
    if not any(gate.outcome in TROUBLE for gate in report.gates):
        return ""
    changed = [change for change in report.changes if change.kind == "parameter"]
    shown = [
        f"{code_span(change.name)} ({code_span(change.before or '')} → {code_span(change.after or '')})"
        for change in changed[:MAX_PARAMETERS]
    ]
    more = [plural(len(changed) - MAX_PARAMETERS, "more parameter")] if len(changed) > MAX_PARAMETERS else []
    return " and ".join(part for part in (", ".join(shown), *more) if part)
