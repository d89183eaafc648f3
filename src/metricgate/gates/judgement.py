"""How one rule is judged, on numbers alone. Every function works on gains: positive is better for every metric.

A relative rule is a non-inferiority test, as FDA's guidance of 2016 phrases it: the model must be shown not to be
worse by more than a margin fixed beforehand. What the outcomes mean, and their error rates: docs/statistics.md.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from metricgate.models.outcome import MissingCode, Outcome, ReasonCode, Role

RELATIVE_TOLERANCE = 1e-9


@dataclass(frozen=True, kw_only=True)
class Judgement:
    """The outcome of a rule, its reason as a sentence, and a code for the reason, which tools can rely on."""

    outcome: Outcome
    code: ReasonCode
    reason: str
    beyond: bool = False  # the estimate itself lies beyond what is allowed


@dataclass(frozen=True, kw_only=True)
class Gain:
    """How much better the candidate is, with its bounds.

    ``low`` is pointwise and lets it pass. ``high`` is simultaneous in its family and lets it fail. Where the margin is
    a percentage, ``high`` bounds what is tested against the margin, and ``high_difference`` the plain difference.
    """

    estimate: float
    low: float
    high: float
    high_difference: float
    scale: float = 1.0  # size of the compared values, for the rounding error that equality forgives

    @property
    def tolerance(self) -> float:
        return RELATIVE_TOLERANCE * max(abs(self.scale), 1e-300)


IDENTICAL = Judgement(outcome=Outcome.PASSED, code="identical", reason="the predictions are identical on all rows")
NOT_POSITIVE = Judgement(
    outcome=Outcome.ERROR,
    code="baseline_not_positive",
    reason="a percentage of the baseline needs a positive baseline; write the margin in the unit of the metric",
)
ADVISORY = Judgement(
    outcome=Outcome.SKIPPED,
    code="advisory",
    reason="time and memory decide only if both models were produced in this run; shown for information",
)
BROKEN_CODES: Mapping[tuple[str, MissingCode], ReasonCode] = MappingProxyType(
    {
        ("baseline", "unreadable"): "baseline_unreadable",
        ("baseline", "not_a_number"): "baseline_not_a_number",
        ("candidate", "absent"): "candidate_absent",
        ("candidate", "unreadable"): "candidate_unreadable",
        ("candidate", "not_a_number"): "candidate_not_a_number",
    }
)
"""What one side broke or removed, as opposed to what was never there."""


def judge_gain(gain: Gain, *, allowed_loss: float, role: Role) -> Judgement:
    """Judge a relative rule: required or guardrail. ``allowed_loss`` is negative where a gain is demanded."""
    bound = -allowed_loss
    is_beyond = gain.estimate < bound - gain.tolerance
    if gain.high < bound - gain.tolerance:
        reason = "worse by more than is allowed" if allowed_loss >= 0 else "the required gain is not there"
        return Judgement(outcome=Outcome.FAILED, code="beyond_margin", reason=reason, beyond=True)
    if gain.high_difference < -gain.tolerance and is_beyond:
        reason = "certainly worse; probably by more than is allowed"
        return Judgement(outcome=Outcome.FAILED, code="worse_probably_beyond", reason=reason, beyond=True)
    if gain.low >= bound - gain.tolerance:
        reason = "shown not to be worse by more than is allowed" if allowed_loss >= 0 else "shown to be better"
        return Judgement(outcome=Outcome.PASSED, code="within_margin", reason=reason)
    if role is Role.GUARDRAIL:
        reason = "no loss beyond what is allowed was shown"
        return Judgement(outcome=Outcome.PASSED, code="no_harm_shown", reason=reason, beyond=is_beyond)
    reason = "this test set is too small to tell"
    return Judgement(outcome=Outcome.INCONCLUSIVE, code="cannot_tell", reason=reason, beyond=is_beyond)


def judge_number_gain(gain: float, *, allowed_loss: float, scale: float) -> Judgement:
    """Judge a relative rule on two plain numbers, which have no interval; equality at the margin passes."""
    if gain >= -allowed_loss - RELATIVE_TOLERANCE * max(abs(scale), 1e-300):
        reason = "the numbers are compared as they are, without an interval"
        return Judgement(outcome=Outcome.PASSED, code="number_within_margin", reason=reason)
    reason = "the number is worse by more than is allowed (compared as it is, without an interval)"
    return Judgement(outcome=Outcome.FAILED, code="number_beyond_margin", reason=reason, beyond=True)


def judge_bar(value: float, bound: float | None, *, bar: float, sign: int) -> Judgement:
    """Judge an absolute rule: ``sign`` +1 for a floor, -1 for a ceiling.

    The value decides, as an assertion would. Where ``bound`` is given (``confident: true``), the end of the
    candidate's interval must clear the bar too.
    """
    tolerance = RELATIVE_TOLERANCE * max(abs(bar), abs(value), 1e-300)
    if sign * (value - bar) < -tolerance:
        side = "below" if sign > 0 else "above"
        return Judgement(outcome=Outcome.FAILED, code="bar_missed", reason=f"the value is {side} the bar", beyond=True)
    if bound is not None and sign * (bound - bar) < -tolerance:
        reason = "the value clears the bar, but its interval does not: this test set is too small to tell"
        return Judgement(outcome=Outcome.INCONCLUSIVE, code="bar_not_cleared_with_confidence", reason=reason)
    return Judgement(outcome=Outcome.PASSED, code="bar_cleared", reason="the value clears the bar")
