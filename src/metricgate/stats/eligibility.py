"""The rules, fixed before any comparison, that say which rows a metric can be judged on."""

import numpy as np

from metricgate.models.samples import FloatArray, Sample
from metricgate.stats.metric import MIN_SLICE_CLASS_ROWS, Metric, relative_weight

MIN_SLICE_ROWS = 30


def find_obstacle(sample: Sample, metric: Metric) -> str:
    """Return why the metric cannot be judged on these rows, from labels and weights alone; empty where it can.

    Both models share labels and weights, so that nothing of the comparison itself decides. Weighted rows count as
    (sum w)² / sum w².
    """
    weight = relative_weight(sample)
    few = _compare_count(sample.rows, weight, MIN_SLICE_ROWS, "")
    own = metric.own_class
    if few or sample.label is None or own is None:
        return few
    is_own = np.asarray(sample.label) == own
    name = sample.classes[own] if sample.classes else str(own)
    least = MIN_SLICE_CLASS_ROWS if weight is None else metric.min_weighted_class_rows
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
