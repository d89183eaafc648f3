"""The pictures of a watching run: shifts against their margins, both distributions of what drifted, and the last runs.

At most ten, and of a size that does not grow with the rows.
"""

from collections.abc import Mapping, Sequence

import numpy as np

from metricgate.gates.drift_gates import SOURCE
from metricgate.models.column_counts import Histogram
from metricgate.models.outcome import Outcome
from metricgate.models.result import ChartData, CurveData, ForestRow, GateRow, Side
from metricgate.models.samples import FloatArray
from metricgate.models.watch import CategoryShare, PastFinding
from metricgate.report.escape import plain_name
from metricgate.report.figures.classification_curves import round_values
from metricgate.report.figures.forest import MAX_ROWS, forest_row
from metricgate.report.value import Report
from metricgate.report.vocabulary import plain_metric
from metricgate.report.watch_words import FeatureFinding, list_findings

DRAWN = ("feature", "prediction")
MAX_FEATURES = 6
MAX_CATEGORIES = 10
MAX_HISTORY = 8
FULL = 200  # percent of the margin at which a cell of the history is as dark as it gets


def draw_watch(report: Report, histograms: Mapping[str, Histogram]) -> tuple[ChartData, ...]:
    """Return the charts of a report. ``histograms``: of the watched numbers, by feature."""
    findings = [one for one in list_findings(report) if one.telling]
    drifted = [one for one in findings if one.outcome is Outcome.FAILED and one.feature.role in DRAWN]
    charts = [_draw_shifts(findings), *(_draw_feature(number, one, histograms) for number, one in enumerate(drifted))]
    shown = [chart for chart in charts if chart is not None][: MAX_FEATURES + 1]
    past = report.watch.past if report.watch else ()
    if not past:
        return tuple(shown)
    performance = next((gate for gate in report.gates if gate.source != SOURCE and gate.candidate is not None), None)
    over_time = [_draw_performance(performance, past) if performance else None, _draw_history(findings, past)]
    return (*shown, *(chart for chart in over_time if chart is not None))


def _draw_shifts(findings: Sequence[FeatureFinding]) -> ChartData | None:
    """Return the features with the largest shifts, in margins, the worst first."""
    gates = [one.telling for one in findings if one.telling and one.feature.role in DRAWN]
    if not gates:
        return None
    rows = [_shift_row(gate) for gate in gates[:MAX_ROWS]]
    return ChartData(
        name="shifts",
        kind="shifts",
        title="Shift against what is allowed",
        alt=f"Shifts with their intervals against what is allowed: {', '.join(row.label for row in rows)}",
        forest=tuple(rows),
        left_out=len(gates) - len(rows),
    )


def _shift_row(gate: GateRow) -> ForestRow:
    return forest_row(gate).model_copy(update={"label": plain_name(gate.feature)})


def _draw_feature(number: int, one: FeatureFinding, histograms: Mapping[str, Histogram]) -> ChartData | None:
    name = one.feature.name
    if name in histograms:
        return _draw_distributions(number, name, histograms[name])
    return _draw_categories(number, name, one.feature.categories) if one.feature.categories else None


def _draw_distributions(number: int, name: str, histogram: Histogram) -> ChartData:
    return ChartData(
        name=f"feature-{number}",
        kind="distributions",
        title=name,
        alt=f"Distribution of {plain_name(name)} in the reference and in the current rows",
        x_label=name,
        y_label="share of rows",
        curves=(
            _trace("reference", histogram.edges, histogram.reference),
            _trace("current", histogram.edges, histogram.current),
        ),
    )


def _trace(label: str, edges: FloatArray, shares: FloatArray) -> CurveData:
    heights = np.append(shares, shares[-1])
    side: Side = "baseline" if label == "reference" else "candidate"
    return CurveData(label=label, side=side, x=round_values(edges), y=round_values(heights))


def _draw_categories(number: int, name: str, categories: Sequence[CategoryShare]) -> ChartData:
    shown = sorted(categories[:MAX_CATEGORIES], key=lambda one: -max(one.reference, one.current))
    places = tuple(float(place) for place in range(len(shown)))
    return ChartData(
        name=f"feature-{number}",
        kind="bars",
        title=name,
        alt=f"Categories of {plain_name(name)} whose share changed most, in the reference and in the current rows",
        x_label="share of rows",
        labels=tuple(one.value for one in shown),
        curves=(
            CurveData(label="reference", side="baseline", x=tuple(one.reference for one in shown), y=places),
            CurveData(label="current", side="candidate", x=tuple(one.current for one in shown), y=places),
        ),
    )


def _draw_performance(gate: GateRow, past: Sequence[PastFinding]) -> ChartData | None:
    values = [run.metrics[gate.metric] for run in past if gate.metric in run.metrics]
    if gate.candidate is None or not values:
        return None
    values.append(gate.candidate)
    steps = tuple(float(number) for number in range(1 - len(values), 1))
    curves = [CurveData(label="fresh rows", side="candidate", x=steps, y=tuple(values))]
    if gate.baseline is not None:
        level = (gate.baseline,) * len(values)
        curves.insert(0, CurveData(label="at the release", side="baseline", x=steps, y=level))
    return ChartData(
        name="performance",
        kind="curves",
        title=f"{plain_metric(gate)} over the last runs",
        alt=f"{plain_metric(gate)} on fresh rows over the last {len(values)} runs",
        x_label="runs before this one",
        y_label=plain_metric(gate),
        curves=tuple(curves),
    )


def _draw_history(findings: Sequence[FeatureFinding], past: Sequence[PastFinding]) -> ChartData | None:
    """Return how far the worst features lay over the last runs, in percent of their margins."""
    worst = [one for one in findings if one.feature.role in DRAWN][:MAX_HISTORY]
    if not worst:
        return None
    rows = []
    for one in worst:
        now = max(((gate.difference or 0.0) / gate.bound for gate in one.gates), default=0.0)
        rows.append(tuple(_percent(shift) for shift in (*(run.shifts.get(one.feature.name, 0.0) for run in past), now)))
    return ChartData(
        name="history",
        kind="history",
        title="The worst features over the last runs",
        alt=f"Shift of the worst features in percent of what is allowed, over the last {len(past) + 1} runs",
        x_label=f"{past[0].at} to now; 100 is what is allowed",
        labels=tuple(one.feature.name for one in worst),
        matrices=(tuple(rows),),
    )


def _percent(shift: float) -> int:
    return round(min(shift, 99.0) * 100)
