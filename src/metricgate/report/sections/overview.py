"""What a reader sees without unfolding anything: verdict, context, warnings, gates, next step, picture."""

from metricgate.errors import find_help
from metricgate.models.outcome import Outcome
from metricgate.models.snapshot import Source
from metricgate.report.escape import code_block, code_span, escape_sentence
from metricgate.report.formats.budget import Section
from metricgate.report.headline import headline
from metricgate.report.numbers import plural
from metricgate.report.place import Place
from metricgate.report.sections.context import describe_context
from metricgate.report.sections.gate_table import TELLING, draw_gates, sort_gates
from metricgate.report.sections.next_step import draw_missing_policy, draw_next_step
from metricgate.report.sections.pictures import main_picture
from metricgate.report.tables import fold
from metricgate.report.value import Acceptance, Failure, Report
from metricgate.report.vocabulary import VERDICT_SIGNS

FOLD_PASSED_ABOVE = 6
MANY_WARNINGS = 8
RECORDED = frozenset({Source.GIT, Source.DVC_CACHE, Source.DVC_REMOTE})


def overview_sections(report: Report, place: Place, *, quiet: bool) -> tuple[Section, ...]:
    """Return the sections above the folds; ``quiet`` leaves out the gates, which then stand folded below."""
    top = (
        fixed("headline", f"## {VERDICT_SIGNS[report.verdict]} {escape_sentence(headline(report))}"),
        fixed("context", describe_context(report, place)),
        fixed("warnings", _draw_warnings(report)),
        fixed("acceptance", _draw_acceptance(report.accepted)),
        fixed("failure", _draw_failure(report.failure)),
    )
    if quiet:
        return top
    proposal = f"**Policy:** {escape_sentence(report.candidate_policy)}" if report.candidate_policy else ""
    return (
        *top,
        _gate_section(report),
        fixed("policy", proposal),
        fixed("next step", draw_next_step(report)),
        fixed("missing policy", draw_missing_policy(report)),
        fixed("picture", main_picture(report, place)),
    )


def fixed(name: str, text: str) -> Section:
    """Return a section that is never shortened."""
    return Section(name=name, rank=0, draw=lambda _: text)


def _draw_warnings(report: Report) -> str:
    texts = [*_describe_staleness(report), *(warning.text for warning in report.warnings)]
    if not texts:
        return ""
    sentences = [escape_sentence(text) for text in texts[:MANY_WARNINGS]]
    more = len(texts) - MANY_WARNINGS
    tail = [f"and {plural(more, 'more warning')} in report.json"] if more > 0 else []
    lines = sentences if len(texts) == 1 else [f"- {line}" for line in (*sentences, *tail)]
    return "\n".join(f"> {line}" for line in ("[!WARNING]", *lines))


def _describe_staleness(report: Report) -> list[str]:
    """Return that the baseline's results lag behind its inputs, where they were used nevertheless."""
    baseline = report.baseline
    if baseline is None or not baseline.stale or baseline.source not in RECORDED:
        return []
    return [f"The baseline's recorded results lag behind its own inputs: {baseline.stale}"]


def _draw_acceptance(accepted: Acceptance | None) -> str:
    if accepted is None:
        return ""
    reason = escape_sentence(accepted.reason) if accepted.reason.strip() else "no reason was given"
    return f"**Accepted by** {code_span(accepted.by)}: {reason}"


def _draw_failure(failure: Failure | None) -> str:
    if failure is None:
        return ""
    parts = (("Expected", failure.expected), ("What to do", failure.fix))
    said = [f"**{escape_sentence(failure.title)}:** {escape_sentence(failure.what)}"]
    said += [f"**{name}:** {escape_sentence(text)}" for name, text in parts if text]
    said.append(f"[The longer answer]({find_help(failure.anchor)})")
    return "\n\n".join((*said, code_block(failure.details)) if failure.details.strip() else said)


def _gate_section(report: Report) -> Section:
    """Return the gates over all rows and those of slices that have something to say; the rest is under "Slices"."""
    ordered = sort_gates(tuple(gate for gate in report.gates if gate.slice is None or gate.outcome in TELLING))
    passed = [gate for gate in ordered if gate.outcome is Outcome.PASSED]
    folded = passed if len(ordered) > FOLD_PASSED_ABOVE and len(passed) < len(ordered) else []
    first = ordered[: len(ordered) - len(folded)]

    def draw(count: int) -> str:
        shown, rest = first[:count], folded[: max(0, count - len(first))]
        tables = [draw_gates(shown, report.confidence)] if shown else []
        if rest:
            tables.append(fold(f"{plural(len(folded), 'gate')} passed", draw_gates(rest, report.confidence)))
        return "\n\n".join(tables)

    return Section(name="gates", rank=1, size=max(1, len(ordered)), draw=draw)
