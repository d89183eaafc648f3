"""The rules, fixed before any comparison, that say which rows a metric can be judged on."""

import numpy as np

from metricgate.models.samples import FloatArray, Sample
from metricgate.stats.confusion import ConfusionMetric
from metricgate.stats.metric import Metric, relative_weight

MIN_SLICE_ROWS = 30
MIN_SLICE_CLASS_ROWS = 10  # with fewer, simultaneous bounds of slice AUCs raise 15 to 23 % false alarms, not 2.5
MIN_EFFECTIVE_CLASS_ROWS = 50  # of weighted rows; with 32, a recall's interval misses 6.6 % on one side, not 2.5


def find_obstacle(sample: Sample, metric: Metric) -> str:
    """Say why the metric cannot be judged on these rows, from labels and weights alone; empty where it can.

    Both models share them, so that nothing of the comparison itself decides. Weighted rows count as (sum w)² / sum w².
    """
    weight = relative_weight(sample)
    few = _compare_count(sample.rows, weight, MIN_SLICE_ROWS, "")
    if few or sample.label is None or not (metric.per_class_rows or metric.of_class is not None):
        return few
    own = 1 if metric.of_class is None else metric.of_class
    is_own = np.asarray(sample.label) == own
    name = sample.classes[own] if sample.classes else str(own)
    is_table = weight is not None and isinstance(metric, ConfusionMetric)
    least = MIN_EFFECTIVE_CLASS_ROWS if is_table else MIN_SLICE_CLASS_ROWS
    for chosen, which in ((is_own, "with"), (~is_own, "without")):
        part = None if weight is None else weight[chosen]
        few = _compare_count(int(np.count_nonzero(chosen)), part, least, f" {which} the label {name}")
        if few:
            return few
    return ""


def _compare_count(rows: int, weight: FloatArray | None, least: int, which: str) -> str:
    if weight is None:
        return f"too few rows: {rows}{which}, and {least} are needed" if rows < least else ""
    squares = float(weight @ weight)
    effective = float(weight.sum()) ** 2 / squares if squares > 0 else 0.0
    if effective >= least:
        return ""
    return f"too few rows: weights leave {effective:.0f} effective ones{which}, and {least} are needed"
