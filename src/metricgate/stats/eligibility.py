"""The rules, fixed before any comparison, that say which rows a metric can be judged on."""

import numpy as np

from metricgate.models.samples import Sample
from metricgate.stats.confusion import ConfusionMetric
from metricgate.stats.metric import Metric

MIN_SLICE_ROWS = 30
MIN_SLICE_CLASS_ROWS = 10  # with fewer, simultaneous bounds of slice AUCs raise 15 to 23 % false alarms, not 2.5
MIN_EFFECTIVE_CLASS_ROWS = 50  # of weighted rows; with 32, a recall's interval misses 6.6 % on one side, not 2.5


def find_obstacle(sample: Sample, metric: Metric) -> str:
    """Say why the metric cannot be judged on these rows, from labels and weights alone; empty where it can.

    Both models share them, so that nothing of the comparison itself decides.
    """
    if sample.rows < MIN_SLICE_ROWS:
        return f"too few rows: {sample.rows}, and {MIN_SLICE_ROWS} are needed"
    if sample.label is None or not (metric.per_class_rows or metric.of_class is not None):
        return ""
    own = 1 if metric.of_class is None else metric.of_class
    matching = int(np.count_nonzero(np.asarray(sample.label) == own))
    name = sample.classes[own] if sample.classes else str(own)
    if matching < MIN_SLICE_CLASS_ROWS:
        return f"too few rows: {matching} with the label {name}, and {MIN_SLICE_CLASS_ROWS} are needed"
    if sample.rows - matching < MIN_SLICE_CLASS_ROWS:
        return f"too few rows: {sample.rows - matching} without the label {name}, and {MIN_SLICE_CLASS_ROWS} are needed"
    return _find_light_class(sample, metric, own)


def _find_light_class(sample: Sample, metric: Metric, own: int) -> str:
    """Say which class the weights leave too little of, for metrics that count rows."""
    if sample.weight is None or not isinstance(metric, ConfusionMetric):
        return ""
    is_own = np.asarray(sample.label) == own
    name = sample.classes[own] if sample.classes else str(own)
    for chosen, which in ((is_own, "with"), (~is_own, "without")):
        weight = sample.weight[chosen]
        squares = float(weight @ weight)
        effective = float(weight.sum()) ** 2 / squares if squares > 0 else 0.0
        if effective < MIN_EFFECTIVE_CLASS_ROWS:
            return (
                f"too few rows: weights leave {effective:.0f} effective ones {which} the label {name}, "
                f"and {MIN_EFFECTIVE_CLASS_ROWS} are needed"
            )
    return ""
