"""The watched features as one table, drifted ones first; the stable ones are folded."""

from metricgate.gates.drift_gates import SOURCE, format_amount
from metricgate.models.outcome import Outcome
from metricgate.models.result import GateRow
from metricgate.models.watch import WatchedFeature
from metricgate.report.document import DocumentPart, draw_table, fold, unbroken
from metricgate.report.escape import code_span, escape_prose
from metricgate.report.gate_order import sort_gates
from metricgate.report.number_format import NONE, decimals_for, format_about, format_level, format_number, plural
from metricgate.report.sections.gate_table import draw_gates
from metricgate.report.value import Report
from metricgate.report.vocabulary import OUTCOME_SIGNS
from metricgate.report.watch_words import WORDS, FeatureFinding, accept_line, describe_effect, list_findings

RANK = 1
FOLDED = (Outcome.PASSED, Outcome.SKIPPED)
MAX_OPEN = 30
RELEASED = "At the release → fresh rows"


def fresh_section(report: Report) -> DocumentPart:
    """Return the table of performance on fresh labelled rows."""
    gates = sort_gates([gate for gate in report.gates if gate.source != SOURCE])

    def draw(count: int) -> str:
        return draw_gates(gates[:count], report.confidence, RELEASED) if gates and count else ""

    return DocumentPart(name="performance", rank=RANK, size=max(1, len(gates)), draw=draw)


def drift_section(report: Report) -> DocumentPart:
    """Return the table of all watched features."""
    findings = list_findings(report)
    first = [one for one in findings if one.outcome not in FOLDED] or [one for one in findings if one.gates][:MAX_OPEN]
    rest = [one for one in findings if one not in first]

    def draw(count: int) -> str:
        shown, folded = first[:count], rest[: max(0, count - len(first))]
        tables = [draw_findings(shown, report.confidence)] if shown else []
        if folded:
            tables.append(fold(_summarise(rest), draw_findings(folded, report.confidence)))
        return "\n\n".join(tables)

    return DocumentPart(name="features", rank=RANK, size=max(1, len(findings)), draw=draw)


def _summarise(rest: list[FeatureFinding]) -> str:
    stable = sum(one.outcome is Outcome.PASSED for one in rest)
    detectors = sum(not one.gates and one.feature.role == "detector" for one in rest)
    skipped = len(rest) - stable - detectors
    parts = [f"{plural(stable, 'feature')} stable"] if stable else []
    parts += [f"{plural(skipped, 'feature')} not compared"] if skipped else []
    return ", ".join([*parts, "a detector's number"] if detectors else parts)


def draw_findings(findings: list[FeatureFinding], confidence: float) -> str:
    """Return a Markdown table of features in the order given."""
    header = ("", "Feature", f"Shift<br>({format_level(confidence)} interval)", "Reference → current")
    return draw_table([unbroken(title) for title in header], [_draw_row(one) for one in findings], "llrr")


def _draw_row(one: FeatureFinding) -> tuple[str, ...]:
    gate = one.telling
    lines = [f"**{code_span(one.feature.name)}**", *_describe(one)]
    shift = describe_shift(gate) if gate else NONE
    return (OUTCOME_SIGNS[one.outcome], "<br>".join(lines), shift, describe_sides(one.feature, gate))


def _describe(one: FeatureFinding) -> list[str]:
    """Return what is worth saying about a feature, each as a line of Markdown."""
    if not one.gates:
        return [escape_prose(note, 160) for note in one.feature.notes]
    drifted = [gate for gate in one.gates if gate.outcome is Outcome.FAILED]
    lines = [f"{unbroken(WORDS[one.outcome])}: {describe_effect(gate)}" for gate in drifted[:1]]
    lines += [f"also {describe_effect(gate)}" for gate in drifted[1:]]
    if not drifted and one.telling:
        lines = [f"{unbroken(WORDS[one.outcome])}{_explain_undecided(one.telling)}"]
    lines += [escape_prose(note, 160) for note in one.feature.notes]
    owner = [f"owner: {escape_prose(one.feature.owner, 60)}"] if one.feature.owner else []
    accept = [f"to accept it: {code_span(accept_line(drifted))}"] if drifted else []
    return [*lines, *owner, *accept]


def _explain_undecided(gate: GateRow) -> str:
    if gate.outcome is not Outcome.INCONCLUSIVE:
        return ""
    if gate.reason_code == "too_few_rows":
        return f": {escape_prose(gate.reason, 160)}"
    if gate.rows_needed:
        return f": about {unbroken(f'{format_about(gate.rows_needed)} rows')} on each side would settle it"
    return f": {escape_prose(gate.reason, 200)}"


def describe_shift(gate: GateRow) -> str:
    """Return an effect and, below it, its interval."""
    value, low, high = (format_amount(gate.metric, end or 0.0) for end in (gate.difference, gate.low, gate.high))
    ends = f"{low.split(' ')[0]} … {high.split(' ')[0]}"
    return f"**{unbroken(value)}**<br>{unbroken(ends)}"


def describe_sides(feature: WatchedFeature, gate: GateRow | None) -> str:
    """Return what each side looks like: the missing shares, the medians, or the category that changed most."""
    before, after = feature.reference, feature.current
    if before is None or after is None:
        return NONE
    if gate is not None and gate.metric == "missing":
        shares = [100 * side.missing / max(side.rows + side.missing, 1) for side in (before, after)]
        return unbroken(f"{shares[0]:.1f} % → {shares[1]:.1f} % missing")
    if feature.kind == "category" and feature.categories:
        most = feature.categories[0]
        return f"{code_span(most.value)}<br>{unbroken(f'{100 * most.reference:.1f} % → {100 * most.current:.1f} %')}"
    if gate is not None and gate.metric == "wasserstein_sd" and before.mean is not None and after.mean is not None:
        return _draw_values("mean", before.mean, after.mean)
    if before.median is None or after.median is None:
        return NONE
    return _draw_values("median", before.median, after.median)


def _draw_values(word: str, before: float, after: float) -> str:
    decimals = min(decimals_for(None, None, before, after), 3)
    return unbroken(f"{word} {format_number(before, decimals)} → {format_number(after, decimals)}")
