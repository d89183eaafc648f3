"""Rules that decide something: a margin or a bar beyond the metric's range, which always passes or never does, is refused."""

from math import inf

from metricgate.errors import ConfigurationError
from metricgate.gates.rules import ABSOLUTE_KINDS, Rule
from metricgate.stats.metric import Metric

_LARGEST_PERCENT = 100


class UndecidingRuleError(ConfigurationError):
    """A rule that no predictions can fail, or none can pass."""

    usual_topic = "the-gate-decides-nothing"


def require_decision(rule: Rule, metric: Metric) -> None:
    """Raise UndecidingRuleError for a rule whose outcome the metric's range alone decides."""
    lowest, highest = metric.value_range
    if rule.kind in ABSOLUTE_KINDS:
        _check_bar(rule, metric, lowest, highest)
    elif rule.margin is not None and rule.margin.relative:
        if rule.kind == "max_drop" and rule.margin.value >= 1 and lowest >= 0:
            raise _refuse(rule, metric, "fail", "a percentage below 100%")
    elif rule.margin is not None and rule.margin.value >= highest - lowest:
        never = "pass" if rule.kind == "min_gain" else "fail"
        raise _refuse(rule, metric, never, f"a margin below {highest - lowest:.3g}")


def _check_bar(rule: Rule, metric: Metric, lowest: float, highest: float) -> None:
    assert rule.bar is not None  # noqa: S101  # absolute rules have a bar
    is_floor = rule.kind == "min"
    if rule.bar <= lowest if is_floor else rule.bar >= highest:
        raise _refuse(rule, metric, "fail", f"a bar {'above' if is_floor else 'below'} that end")
    if rule.bar > highest if is_floor else rule.bar < lowest:
        raise _refuse(rule, metric, "pass", "a bar within that range")


def _refuse(rule: Rule, metric: Metric, never: str, expected: str) -> UndecidingRuleError:
    amount = f"{rule.bar:g}" if rule.margin is None else str(rule.margin)
    return UndecidingRuleError(
        f"The gate on {metric.name} says {rule.kind}: {amount}, and can never {never}: "
        f"{metric.label} {_describe_range(*metric.value_range)}.",
        expected=f"{expected}.",
        fix=_suggest(rule),
    )


def _describe_range(lowest: float, highest: float) -> str:
    if highest == inf:
        return f"is never below {lowest:g}"
    if lowest == -inf:
        return f"is never above {highest:g}"
    return f"lies between {lowest:g} and {highest:.3g}"


def _suggest(rule: Rule) -> str:
    value = rule.bar if rule.margin is None else rule.margin.value
    assert value is not None  # noqa: S101  # every rule has a bar or a margin
    if (rule.margin is None or not rule.margin.relative) and 1 < value <= _LARGEST_PERCENT:
        return f"If {value:g} percent is meant, write `{rule.kind}: {value / 100:g}`."
    return f"Write what decides, such as `{rule.kind}: {'0.8' if rule.margin is None else '0.01'}`; or remove the gate."
