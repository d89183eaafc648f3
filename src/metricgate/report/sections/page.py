"""The page: all sections of a report in order, and the short parts above the folds and at the foot."""

from metricgate.errors import find_help
from metricgate.models.outcome import Verdict
from metricgate.models.snapshot import Source
from metricgate.report.document import DocumentPart, fixed
from metricgate.report.escape import code_block, code_span, escape_prose, escape_sentence
from metricgate.report.headline import headline, is_unchanged
from metricgate.report.number_format import plural
from metricgate.report.sections.change_table import change_section, name_changes
from metricgate.report.sections.context_line import describe_context, describe_cost
from metricgate.report.sections.drift_table import drift_section, fresh_section
from metricgate.report.sections.earlier_runs import describe_attempts, history_section
from metricgate.report.sections.gate_table import folded_gate_section, gate_section
from metricgate.report.sections.method import method_section
from metricgate.report.sections.metric_tables import metric_section, slice_section
from metricgate.report.sections.model_tests import model_test_section
from metricgate.report.sections.next_step import draw_missing_policy, draw_next_step, draw_one_file_more
from metricgate.report.sections.pictures import chart_section, main_picture
from metricgate.report.sections.question_table import question_section
from metricgate.report.sections.retraining import draw_retraining
from metricgate.report.sections.serving import serving_section
from metricgate.report.value import Acceptance, Failure, Report
from metricgate.report.view_context import ViewContext
from metricgate.report.vocabulary import VERDICT_SIGNS

MAX_WARNINGS = 10
WARNINGS_LENGTH = 4800
RECORDED = frozenset({Source.GIT, Source.DVC_CACHE, Source.DVC_REMOTE})


def page_sections(report: Report, context: ViewContext) -> tuple[DocumentPart, ...]:
    """Return all sections, the headline first; where nothing changed, the gates are folded and no picture is shown."""
    quiet = report.verdict is Verdict.PASSED and is_unchanged(report) and not report.accepted
    return (
        fixed("headline", f"## {VERDICT_SIGNS[report.verdict]} {escape_prose(headline(report))}"),
        fixed("context", describe_context(report, context)),
        fixed("retraining", draw_retraining(report)),
        fixed("changed", name_changes(report)),
        fixed("warnings", _draw_warnings(report, context)),
        fixed("acceptance", _draw_acceptance(report.accepted)),
        fixed("failure", _draw_failure(report.failure)),
        *(() if quiet else _open_sections(report, context)),
        *((folded_gate_section(report),) if quiet and report.gates else (chart_section(report, context),)),
        model_test_section(report),
        serving_section(report),
        question_section(report),
        slice_section(report),
        change_section(report),
        metric_section(report),
        method_section(report, context),
        history_section(context),
        fixed("footer", _draw_footer(report)),
    )


def _open_sections(report: Report, context: ViewContext) -> tuple[DocumentPart, ...]:
    if report.watch:
        return (fresh_section(report), drift_section(report), fixed("shifts", main_picture(report, context)))
    proposal = f"**Policy:** {escape_prose(report.candidate_policy)}" if report.candidate_policy else ""
    return (
        gate_section(report),
        fixed("policy", proposal),
        fixed("next step", draw_next_step(report)),
        fixed("missing policy", draw_missing_policy(report)),
        fixed("one file more", draw_one_file_more(report)),
        fixed("picture", main_picture(report, context)),
    )


def _draw_warnings(report: Report, context: ViewContext) -> str:
    texts = [*_describe_staleness(report), *(warning.text for warning in report.warnings)]
    texts += [text for text in [describe_attempts(report, context)] if text]
    if not texts:
        return ""
    length = WARNINGS_LENGTH // min(max(len(texts), 4), MAX_WARNINGS)
    sentences = [escape_prose(text, length) for text in texts[:MAX_WARNINGS]]
    more = len(texts) - MAX_WARNINGS
    tail = [f"and {plural(more, 'more warning')} in report.json"] if more > 0 else []
    lines = sentences if len(texts) == 1 else [f"- {line}" for line in (*sentences, *tail)]
    return "\n".join(f"> {line}" for line in ("[!WARNING]", *lines))


def _describe_staleness(report: Report) -> list[str]:
    """Return a warning if the baseline's results were used although they are older than its inputs."""
    baseline = report.baseline
    if baseline is None or not baseline.stale or baseline.source not in RECORDED:
        return []
    return [f"The baseline's recorded results are older than its inputs: {baseline.stale}"]


def _draw_acceptance(accepted: Acceptance | None) -> str:
    if accepted is None:
        return ""
    reason = escape_sentence(accepted.reason) if accepted.reason.strip() else "no reason was given"
    return f"**Accepted by** {code_span(accepted.by)}: {reason}"


def _draw_failure(failure: Failure | None) -> str:
    if failure is None:
        return ""
    parts = (("Expected", failure.expected), ("What to do", failure.fix))
    said = [f"**{escape_sentence(failure.title)}:** {escape_prose(failure.what)}"]
    said += [f"**{name}:** {escape_prose(text)}" for name, text in parts if text]
    said.append(f"[More about this error]({find_help(failure.anchor, failure.topic)})")
    return "\n\n".join((*said, code_block(failure.details)) if failure.details.strip() else said)


def _draw_footer(report: Report) -> str:
    origin = f" · gates from {escape_sentence(report.policy_origin)}" if report.policy_origin else ""
    cost = f" · cost: {describe_cost(report.cost)}" if report.cost else ""
    return f"<sub>MetricGate {escape_sentence(report.metricgate)}{origin}{cost}</sub>"
