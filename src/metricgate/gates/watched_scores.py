"""What is watched without a policy where rows carry only numbers of their own: the mean of each column."""

from metricgate.comparison.file_numbers import guess_direction
from metricgate.gates.rules import DEFAULT_LOSS_MARGIN, DEFAULT_MARGIN, Rule, guard
from metricgate.models.outcome import Direction
from metricgate.models.samples import COST_COLUMNS, FloatArray, Sample
from metricgate.settings.policy import Margin
from metricgate.stats.registry import list_metrics


def watch_scores(baseline: Sample, set_name: str) -> tuple[Rule, ...]:
    """Return a guardrail on the mean of each column; higher is better unless its name says otherwise.

    What an answer took is shown, and not watched: seconds of another hour differ by themselves.
    """
    listed = list_metrics(baseline)
    scores = [metric for metric in listed if metric.columns[0] not in COST_COLUMNS] or listed
    return tuple(
        guard(metric.name, _guess(metric.columns[0]), _choose_margin(baseline.columns[metric.columns[0]]), set_name)
        for metric in scores
    )


def _guess(column: str) -> Direction:
    return guess_direction(column) or Direction.HIGHER


def _choose_margin(values: FloatArray) -> Margin:
    """Return 0.01 for shares, else 5 % of the baseline's mean; nothing where that mean is not positive."""
    if values.min() >= 0 and values.max() <= 1:
        return DEFAULT_MARGIN
    return DEFAULT_LOSS_MARGIN if values.mean() > 0 else Margin(value=0.0)
