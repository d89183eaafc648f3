"""Charts are data first and pictures second; pictures are tested by what they are made of, never by pixels."""

from collections.abc import Iterator

import numpy as np
import pytest
from sklearn.metrics import average_precision_score, confusion_matrix, roc_auc_score, roc_curve

from metricgate.models.outcome import Direction, Outcome
from metricgate.models.result import ChartData, CurveData
from metricgate.models.samples import Sample, SamplePair
from metricgate.report.figures import draw_chart
from metricgate.report.figures.forest import MAX_AXIS, build_forest, span_of
from metricgate.report.figures.png import choose_fonts, draw_figure, find_fonts
from metricgate.report.figures.regression_charts import CELLS
from metricgate.report.figures.task_charts import MAX_CLASSES, build_charts
from tests.report.reports import make_doubtful_gate, make_gate, make_passed_gate

RNG = np.random.default_rng(7)


def make_binary(rows: int, *, noise: float = 1.0, weight: bool = False, ties: bool = False) -> SamplePair:
    label = RNG.integers(0, 2, rows)
    label[:2] = (0, 1)
    scores = 1 / (1 + np.exp(-(2.0 * label - 1 + RNG.normal(0, noise, rows))))
    rounded = np.round(scores, 1) if ties else scores
    weights = RNG.uniform(0.1, 3, rows) if weight else None
    prediction = (rounded >= 0.5).astype(np.int64)
    sample = Sample(
        task="binary",
        rows=rows,
        label=label,
        prediction=prediction,
        scores=rounded,
        weight=weights,
        classes=("No", "Yes"),
    )
    return SamplePair(baseline=sample, candidate=sample)


def make_multiclass(rows: int, classes: int) -> SamplePair:
    label = RNG.integers(0, classes, rows)
    prediction = np.where(RNG.random(rows) < 0.7, label, RNG.integers(0, classes, rows))
    names = tuple(f"class {index}" for index in range(classes))
    sample = Sample(task="multiclass", rows=rows, label=label, prediction=prediction, classes=names)
    return SamplePair(baseline=sample, candidate=sample)


def make_regression(rows: int) -> SamplePair:
    label = RNG.gamma(2, 100, rows)
    baseline = Sample(task="regression", rows=rows, label=label, prediction=label + RNG.normal(0, 20, rows))
    candidate = Sample(task="regression", rows=rows, label=label, prediction=label + RNG.normal(5, 30, rows))
    return SamplePair(baseline=baseline, candidate=candidate)


def find_chart(pair: SamplePair, name: str) -> ChartData:
    return next(chart for chart in build_charts(pair) if chart.name == name)


@pytest.mark.parametrize("rows", [30, 100_000])
@pytest.mark.parametrize("weight", [False, True])
@pytest.mark.parametrize("ties", [False, True])
def test_the_area_below_a_reduced_curve_is_that_of_all_rows(rows: int, *, weight: bool, ties: bool) -> None:
    pair = make_binary(rows, weight=weight, ties=ties)
    sample = pair.candidate

    curve = find_chart(pair, "roc").curves[1]

    expected = roc_auc_score(sample.label, sample.scores, sample_weight=sample.weight)
    assert len(curve.x) <= 200
    assert np.trapezoid(curve.y, curve.x) == pytest.approx(expected, abs=2e-4)


def test_a_small_roc_curve_goes_through_every_point_of_the_whole_one() -> None:
    pair = make_binary(40, ties=True)

    curve = find_chart(pair, "roc").curves[0]

    x, y, _ = roc_curve(pair.candidate.label, pair.candidate.scores, drop_intermediate=False)
    assert curve.x == pytest.approx(x, abs=1e-5)
    assert curve.y == pytest.approx(y, abs=1e-5)


def test_a_precision_recall_curve_holds_the_average_precision_of_all_rows() -> None:
    pair = make_binary(100_000)

    curve = find_chart(pair, "precision-recall").curves[1]

    steps = np.sum(np.diff(np.append(0.0, curve.x)) * np.array(curve.y))
    expected = average_precision_score(pair.candidate.label, pair.candidate.scores)
    assert steps == pytest.approx(expected, abs=3e-3)


def test_a_calibration_curve_says_how_often_rows_of_a_score_are_positive() -> None:
    scores = np.repeat([0.1, 0.9], 50)
    label = np.concatenate([np.repeat([1, 0], [10, 40]), np.repeat([1, 0], [30, 20])])
    sample = Sample(task="binary", rows=100, label=label, scores=scores, classes=("No", "Yes"))

    curve = find_chart(SamplePair(baseline=sample, candidate=sample), "calibration").curves[0]

    assert (curve.x, curve.y) == ((0.1, 0.9), (0.2, 0.6))


def test_scores_that_are_not_probabilities_have_no_calibration() -> None:
    sample = Sample(
        task="binary", rows=20, label=np.tile([0, 1], 10), scores=np.linspace(-3, 3, 20), classes=("a", "b")
    )

    names = [chart.name for chart in build_charts(SamplePair(baseline=sample, candidate=sample))]

    assert names == ["roc", "precision-recall"]


def test_one_class_alone_draws_no_curve() -> None:
    sample = Sample(
        task="binary", rows=20, label=np.ones(20, dtype=int), scores=np.linspace(0, 1, 20), classes=("a", "b")
    )

    assert [chart.name for chart in build_charts(SamplePair(baseline=sample, candidate=sample))] == ["calibration"]


@pytest.mark.parametrize("classes", [2, MAX_CLASSES])
def test_the_cells_are_those_of_the_confusion_matrix(classes: int) -> None:
    pair = make_multiclass(500, classes)

    chart = find_chart(pair, "confusion")

    expected = confusion_matrix(pair.candidate.label, pair.candidate.prediction, labels=range(classes))
    assert np.array_equal(chart.matrices[1], expected)


def test_rare_classes_are_counted_together() -> None:
    pair = make_multiclass(5000, 30)

    chart = find_chart(pair, "confusion")

    matrix = np.array(chart.matrices[0])
    most_frequent = int(np.bincount(pair.candidate.label if pair.candidate.label is not None else []).argmax())
    assert chart.labels[0] == f"class {most_frequent}"
    assert chart.labels[-1] == "others"
    assert matrix.sum() == 5000
    assert matrix[0].sum() == np.sum(pair.candidate.label == most_frequent)


def test_many_points_become_a_density_that_counts_every_row() -> None:
    chart = find_chart(make_regression(20_000), "predictions")

    assert [np.array(matrix).shape for matrix in chart.matrices] == [(CELLS, CELLS)] * 2
    assert [np.array(matrix).sum() for matrix in chart.matrices] == [20_000, 20_000]
    assert len(chart.model_dump_json()) < 40_000


def test_few_points_are_kept_as_they_are() -> None:
    pair = make_regression(50)

    chart = find_chart(pair, "predictions")

    assert chart.curves[1].x == pytest.approx(pair.candidate.label, rel=1e-4)
    assert chart.curves[1].y == pytest.approx(pair.candidate.prediction, rel=1e-4)


def test_residuals_of_both_models_share_their_bars() -> None:
    baseline, candidate = find_chart(make_regression(5000), "residuals").curves

    assert baseline.x == candidate.x
    assert sum(baseline.y[:-1]) == pytest.approx(1.0, abs=1e-3)
    assert np.average(candidate.x, weights=candidate.y) > np.average(baseline.x, weights=baseline.y)


def test_a_constant_prediction_can_be_drawn() -> None:
    sample = Sample(task="regression", rows=10, label=np.ones(10), prediction=np.ones(10))

    charts = build_charts(SamplePair(baseline=sample, candidate=sample))
    assert [chart.x_range for chart in charts] == [(0.5, 1.5), (-0.5, 0.5)]
    assert all(draw_chart(chart, "light").startswith(b"\x89PNG") for chart in charts)


def test_the_forest_plot_takes_the_gates_that_compare_worst_first_and_draws_a_number_as_a_point() -> None:
    number = make_gate(metric="loss", source="metrics.json", difference=-0.03, low=None, high=None)
    chart = build_forest((make_passed_gate(), make_doubtful_gate(), make_gate(), number, make_gate(difference=None)))

    assert chart is not None
    assert [row.label for row in chart.forest] == ["metrics.json:loss", "ROC AUC", "F1"]
    assert (chart.forest[0].low, chart.forest[0].high) == (-0.03, -0.03)
    assert [row.margin for row in chart.forest] == [-0.01, -0.01, -0.03]
    assert build_forest((make_passed_gate(),)) is None


def spans_of(chart: ChartData) -> list[list[float]]:
    axes = draw_figure(chart, "light").axes[0]
    return [sorted({float(x) for x in np.asarray(line.get_xdata())}) for line in axes.lines]


def test_the_forest_plot_puts_the_margin_at_minus_one_whichever_direction_is_better() -> None:
    lower = make_gate(
        metric="log_loss",
        kind="max_increase",
        direction=Direction.LOWER,
        bound=0.02,
        difference=0.01,
        low=-0.02,
        high=0.03,
    ).model_copy(update={"simultaneous_low": None, "simultaneous_high": 0.04})
    chart = build_forest((lower,))
    assert chart is not None

    spans = spans_of(chart)

    assert [-1.0] in spans  # the margin
    assert [-2.0, 1.0] in spans  # the thin bound reaches 0.04 worse
    assert [-1.5, 1.0] in spans  # the thick interval
    assert [-0.5] in spans  # the difference


def test_what_lies_beyond_the_axis_ends_in_an_arrow() -> None:
    chart = build_forest((make_gate(difference=-0.5, low=-0.9, high=-0.1),))
    assert chart is not None

    axes = draw_figure(chart, "light").axes[0]
    marks = [(line.get_marker(), float(np.asarray(line.get_xdata())[0])) for line in axes.lines]
    left = span_of(chart.forest).left
    assert MAX_AXIS[0] - 1 < left < MAX_AXIS[0]
    assert ("<", left) in marks
    assert ("s", left) in marks


def test_the_axis_holds_every_interval_and_always_the_margin() -> None:
    near = build_forest(
        (make_doubtful_gate(difference=0.0, low=-0.001, high=0.001, simultaneous_low=None, simultaneous_high=None),)
    )
    far = build_forest((make_gate(difference=0.02, low=-0.01, high=0.05),))
    assert near is not None
    assert far is not None

    assert span_of(near.forest) == pytest.approx((-1.756, 1.156))
    assert span_of(far.forest).right > 5.0


def test_a_chart_without_curves_is_an_empty_frame() -> None:
    chart = ChartData(name="c", kind="curves", title="t", alt="a")

    assert list(draw_figure(chart, "light").axes[0].lines) == []


def test_coinciding_curves_both_stay_visible() -> None:
    line = {"x": (0.0, 1.0), "y": (0.0, 1.0)}
    chart = ChartData(
        name="c",
        kind="curves",
        title="t",
        alt="a",
        curves=(
            CurveData(label="candidate", side="candidate", **line),
            CurveData(label="baseline", side="baseline", **line),
        ),
    )

    below, above = draw_figure(chart, "dark").axes[0].lines

    assert (below.get_label(), above.get_label()) == ("baseline", "candidate")
    assert below.get_linewidth() > 2 * above.get_linewidth()


def make_every_kind() -> Iterator[ChartData]:
    forest = build_forest((make_gate(), make_doubtful_gate()))
    assert forest is not None
    yield forest
    yield find_chart(make_binary(50), "roc")
    yield find_chart(make_multiclass(50, 3), "confusion")
    yield find_chart(make_regression(2000), "predictions")


@pytest.mark.parametrize("chart", list(make_every_kind()), ids=lambda chart: chart.name)
def test_the_same_chart_is_the_same_bytes_and_both_themes_differ(chart: ChartData) -> None:
    light = draw_chart(chart, "light")

    assert light.startswith(b"\x89PNG")
    assert draw_chart(chart, "light") == light
    assert draw_chart(chart, "dark") != light


def test_fonts_of_other_scripts_are_asked_only_where_a_text_has_them() -> None:
    fonts = find_fonts()

    assert choose_fonts("ROC \N{RIGHTWARDS ARROW} \N{GREEK SMALL LETTER ALPHA}") == fonts[:1]
    assert choose_fonts("ROC \N{CJK UNIFIED IDEOGRAPH-7CBE}") == fonts


@pytest.mark.parametrize("text", [r"$\frac{1}{0}$ \alpha", "精度 العربية ไทย 🦜", "\ud800 \u202e\n\x00", "x" * 500])
def test_a_name_of_any_kind_is_drawn_within_its_chart(text: str) -> None:
    gate = make_gate(metric=text, outcome=Outcome.INCONCLUSIVE)
    forest = build_forest((gate,))
    assert forest is not None
    names = {"name": text, "title": text, "alt": text}
    matrix = ChartData(
        **names, kind="confusion", labels=(text, text), matrices=(((1, 2), (3, 4)),), sides=("baseline",)
    )

    for chart in (forest.model_copy(update=names), matrix):
        assert draw_chart(chart, "light").startswith(b"\x89PNG")
    assert all(len(label.get_text()) <= 40 for label in draw_figure(forest, "light").axes[0].texts)
