"""The headline: the verdict in one plain sentence, the same in every view."""

import re

from metricgate.gates.other_readings import ROW_CODES
from metricgate.gates.policy_check import is_never_found
from metricgate.models.outcome import Direction, Outcome, Role, Verdict
from metricgate.models.result import GateRow
from metricgate.models.retraining import Retraining
from metricgate.report.escape import clean, shorten
from metricgate.report.gate_order import gate_decimals, gates_with
from metricgate.report.number_format import format_bound, format_number, plural
from metricgate.report.value import Report
from metricgate.report.vocabulary import is_relative, plain_metric
from metricgate.report.watch_words import describe_watch, is_watch

MAX_LENGTH = 240
# How a headline starts; `metricgate history` reads it back from the checks on GitHub.
BLOCKED, WOULD_BLOCK, UNDECIDED, UNJUDGED = "Blocked: ", "Would block: ", "Undecided: ", "Could not judge: "
# A name ("MetricGate", "Git") keeps its capital.
_ORDINARY_START = re.compile(
    r"(?:A|All|An|Both|Every|Its?|Neither|No|None|Nothing|One|Only|Some|Something|That|The|There|These|This) "
)


def headline(report: Report) -> str:
    """Return the verdict in one sentence of plain text, without its sign; names are not escaped."""
    return shorten(clean(_describe(report)), MAX_LENGTH)


def _describe(report: Report) -> str:  # noqa: PLR0911  # one per verdict
    if report.retraining is not None and report.verdict in (Verdict.SKIPPED, Verdict.FAILED):
        return _describe_retraining(report, report.retraining)
    if is_watch(report) and report.verdict not in (Verdict.ERROR, Verdict.CANCELLED):
        return describe_watch(report)
    match report.verdict:
        case Verdict.FAILED:
            return f"{BLOCKED if report.enforced else WOULD_BLOCK}{_describe_failures(report)}"
        case Verdict.PASSED if report.accepted:
            return f"Accepted by {report.accepted.by}: {_describe_accepted(report)}"
        case Verdict.PASSED:
            return _describe_pass(report)
        case Verdict.INCONCLUSIVE:
            return _describe_doubt(report)
        case Verdict.SKIPPED:
            return f"Nothing was compared: {_continue(report.reason)}"
        case Verdict.CANCELLED:
            return f"Cancelled: {_continue(report.reason)}"
        case Verdict.ERROR:
            return f"{UNJUDGED}{_describe_error(report)}"


def _describe_retraining(report: Report, plan: Retraining) -> str:
    if report.verdict is Verdict.FAILED:
        return f"Retraining did not help: {_describe_failures(report)}"
    if not plan.is_due:
        return f"Not due: {_continue(report.reason)}"
    return f"Due, and not trained: {_continue(plan.why_not)}" if plan.obstacle else f"Due: {plan.reasons[0].text}"


def _describe_failures(report: Report) -> str:
    failed = gates_with(report.gates, Outcome.FAILED)
    if not failed:
        return _continue(report.reason)
    more = f", and {plural(len(failed) - 1, 'more gate')} failed" if len(failed) > 1 else ""
    return f"{_describe_loss(failed[0])}{more}"


def _describe_loss(gate: GateRow) -> str:
    decimals = gate_decimals(gate)
    if not is_relative(gate):
        required = f"{'at least' if gate.kind == 'min' else 'at most'} {format_bound(gate.bound, decimals)}"
        return f"{plain_metric(gate)} is {format_number(gate.candidate, decimals)}; {required} is required"
    if gate.difference is None:
        return f"{plain_metric(gate)}: {_continue(gate.reason)}"
    word = "higher" if gate.difference > 0 else "lower"
    amount = format_number(abs(gate.difference), decimals)
    since = " than the anchor" if gate.anchor else ""
    bound = format_bound(gate.bound, decimals)
    better = "rise" if gate.direction is Direction.HIGHER else "fall"
    rule = f"it must {better} by {bound}" if gate.kind == "min_gain" else f"{bound} is allowed"
    return f"{plain_metric(gate)} is {amount} {word}{since}{_range_of(gate, decimals)}; {rule}"


def _range_of(gate: GateRow, decimals: int) -> str:
    if gate.low is None or gate.high is None:
        return ""
    if gate.low < 0 < gate.high:
        return (
            f" ({format_number(gate.low, decimals, signed=True)} to {format_number(gate.high, decimals, signed=True)})"
        )
    small, large = sorted((abs(gate.low), abs(gate.high)))
    return f" ({format_number(small, decimals)} to {format_number(large, decimals)})"


def _describe_pass(report: Report) -> str:
    if is_unchanged(report):
        belief = ", as committed and not reproduced" if report.not_reproduced else ""
        return f"No change: predictions are identical{belief}"
    judged = [gate for gate in report.gates if gate.outcome is Outcome.PASSED]
    nothing = sum(map(is_never_found, report.gates))
    rest = f"; {plural(nothing, 'gate')} found nothing to judge" if nothing else ""
    if judged and all(gate.role is Role.GUARDRAIL for gate in judged):
        return f"No loss beyond what is allowed was shown ({plural(len(judged), 'guardrail')}{rest})"
    return f"No loss beyond what is allowed ({plural(len(judged), 'gate')}{rest})"


def is_unchanged(report: Report) -> bool:
    """Return whether the predictions of every set are identical on all rows, and no metric differs."""
    same = all(pairing.identical for pairing in report.pairings)
    return bool(report.pairings) and same and all(not row.difference for row in report.metrics)


def _describe_accepted(report: Report) -> str:
    doubtful = gates_with(report.gates, Outcome.INCONCLUSIVE)
    if gates_with(report.gates, Outcome.FAILED) or not doubtful:
        return _describe_failures(report)
    return _describe_possible_loss(doubtful[0])


def is_untouched(report: Report) -> bool:
    """Return whether the change touches nothing that the pipeline or the policy depends on, and there is no doubt."""
    same = all(pairing.identical for pairing in report.pairings) and all(not row.difference for row in report.metrics)
    reached = any(change.kind != "file" for change in report.changes)
    told = reached or report.warnings or report.candidate_policy or report.accepted
    ran = not report.candidate or any(stage.state == "ran" for stage in report.candidate_stages)
    compared = report.baseline is not None and report.verdict in (Verdict.PASSED, Verdict.SKIPPED)
    return compared and same and not told and not ran


def _describe_doubt(report: Report) -> str:
    doubtful = gates_with(report.gates, Outcome.INCONCLUSIVE)
    allowed = "merging is allowed" if report.exit_code == 0 else "merging is blocked"
    if not doubtful:
        return f"{UNDECIDED}{_continue(report.reason)}; {allowed}"
    more = f" (and {plural(len(doubtful) - 1, 'more gate')} undecided)" if len(doubtful) > 1 else ""
    return f"{UNDECIDED}{_describe_possible_loss(doubtful[0])}{more}; {allowed}"


def _describe_possible_loss(gate: GateRow) -> str:
    worst = gate.low if gate.direction is Direction.HIGHER else gate.high
    if worst is None or not is_relative(gate):
        return f"{plain_metric(gate)}: {_continue(gate.reason)}"
    decimals = gate_decimals(gate)
    loss = -worst if gate.direction is Direction.HIGHER else worst
    if gate.kind == "min_gain" or loss <= 0:
        return f"a gain of {format_bound(gate.bound, decimals)} in {plain_metric(gate)} is not shown"
    verb = "be lost" if gate.direction is Direction.HIGHER else "be added"
    allowed = f", {format_bound(gate.bound, decimals)} is allowed"
    why = f": {_continue(gate.reason)}" if gate.reason_code in ROW_CODES else ""
    return f"up to {format_number(loss, decimals)} of {plain_metric(gate)} may {verb}{allowed}{why}"


def describe_gate(gate: GateRow) -> str:
    """Return a sentence of plain text about a gate that did not pass."""
    if gate.outcome is Outcome.FAILED:
        return _describe_loss(gate)
    if gate.outcome is Outcome.INCONCLUSIVE:
        return _describe_possible_loss(gate)
    return f"{plain_metric(gate)}: {_continue(gate.reason)}"


def _describe_error(report: Report) -> str:
    if report.failure:
        return _continue(report.failure.what)
    broken = gates_with(report.gates, Outcome.ERROR)
    return describe_gate(broken[0]) if broken else _continue(report.reason)


def _continue(sentence: str) -> str:
    """Return the sentence as it continues after a colon: no full stop, and an ordinary first word in lower case."""
    bare = sentence.strip().removesuffix(".")
    if not bare:
        return "no reason was given"
    return bare[0].lower() + bare[1:] if _ORDINARY_START.match(bare) else bare
