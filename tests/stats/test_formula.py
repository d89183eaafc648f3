"""Formulas of row sums: values and influence by hand, and nothing but arithmetic is read."""

import math

import numpy as np
import pytest

from metricgate.errors import ConfigurationError
from metricgate.models.samples import FloatArray, Sample
from metricgate.stats.formula import parse_formula
from metricgate.stats.metric import MetricUndefined


def make_sample(*, weight: FloatArray | None = None, **columns: list[float]) -> Sample:
    arrays = {name.replace("_", " "): np.array(values, dtype=np.float64) for name, values in columns.items()}
    return Sample(task="score", rows=len(next(iter(arrays.values()))), columns=arrays, weight=weight)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("mean(tp)", 2.0),
        ("sum(fp) / sum(tp)", 3 / 8),
        ("2*sum(tp)/(2*sum(tp)+sum(fp)+sum(fn))", 16 / 20),
        ("exp(mean(fn))", math.exp(0.25)),
        ("sqrt(mean(tp)) - log(sum(fp)) ** 2", math.sqrt(2) - math.log(3) ** 2),
        ("-sum(tp) / count()", -2.0),
        ('sum("tp")', 8.0),
        ("1 - sum(fn)/sum(tp)", 7 / 8),
    ],
)
def test_values_by_hand(text: str, value: float) -> None:
    sample = make_sample(tp=[1, 2, 3, 2], fp=[1, 0, 1, 1], fn=[0, 1, 0, 0])

    assert parse_formula(text).evaluate(sample).value == pytest.approx(value)


@pytest.mark.parametrize("text", ["sum(e)/sum(w)", "exp(mean(e))", "sum(e)", "mean(w)*sqrt(sum(e)/count())"])
def test_influence_is_the_derivative_by_the_weight_of_a_row(text: str) -> None:
    """Numerically, at unequal weights; centred, for a sum of a fixed number of rows."""
    rng = np.random.default_rng(2)
    weight = rng.exponential(size=30)
    columns = {"e": rng.exponential(size=30).tolist(), "w": rng.exponential(size=30).tolist()}
    metric = parse_formula(text)

    def compute(row: int, factor: float) -> float:
        moved = weight.copy()
        moved[row] *= factor
        return metric.evaluate(make_sample(weight=moved, **columns)).value

    slope = np.array([(compute(row, 1 + 1e-5) - compute(row, 1 - 1e-5)) / 2e-5 * 30 for row in range(30)])
    influence = metric.evaluate(make_sample(weight=weight, **columns)).influence

    assert influence is not None
    np.testing.assert_allclose(influence, slope - slope.mean(), atol=1e-6)


@pytest.mark.parametrize(
    "text",
    [
        "__import__('os').system('true')",
        "sum(a).__class__",
        "sum(a if a else a)",
        "sum(a[0])",
        "open('x')",
        "sum(a) and sum(b)",
        "lambda: sum(a)",
        "sum(a, b)",
        "sum(*a)",
        "sum(a, start=1)",
        "sum(a) // 2",
        "True + sum(a)",
        "sum(a) + 'x'",
        "(1)",
        "sum(",
        "sum(a)" + "+sum(a)" * 200,
        "(" * 240 + "sum(a)" + ")" * 240,
        "9" * 400 + "*sum(a)",
    ],
)
def test_anything_but_arithmetic_is_refused(text: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        parse_formula(text)

    assert "sum(errors)/sum(words)" in caught.value.expected


def test_an_unknown_column_is_answered_with_the_nearest() -> None:
    with pytest.raises(ConfigurationError) as caught:
        parse_formula("sum(eror)/sum(words)", ("error", "words"))

    assert "'error'" in caught.value.fix


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("sum(b)/sum(a)", "zero_denominator"),
        ("log(sum(a))", "not_finite"),
        ("exp(sum(b))", "not_finite"),
        ("(0-sum(b))**0.5", "not_finite"),
        ("sum(c)", "missing_columns"),
    ],
)
def test_a_formula_without_a_value_says_why(text: str, code: str) -> None:
    with pytest.raises(MetricUndefined) as caught:
        parse_formula(text).evaluate(make_sample(a=[0, 0, 0], b=[300, 300, 300]))

    assert caught.value.code == code
