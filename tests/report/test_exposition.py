"""metricgate.prom: few series, each once, with labels that cannot break the format."""

import re

import pytest

from metricgate.models.outcome import Verdict
from metricgate.models.result import Slice
from metricgate.report.formats.exposition import MAX_LABEL, MAX_METRICS, MAX_SLICES, Occurrence, render_exposition
from metricgate.report.value import Report
from tests.report.reports import (
    CANDIDATE_SHA,
    make_error_report,
    make_gate,
    make_large_report,
    make_metric,
    make_report,
)

WHEN = Occurrence(ended_at=1_790_000_000.5, trained_at=1_780_000_000.0)
LINE = re.compile(
    r'(?P<name>metricgate_[a-z_]+)(?:\{(?P<labels>(?:[a-z]+="(?:[^"\\\n]|\\["\\])*",?)*)\})? (?P<value>\S+)'
)


def read(report: Report, when: Occurrence = WHEN, **labels: str) -> dict[str, float]:
    """Return every series with its value; a line that is none, or a series that stands there twice, is an error."""
    series: dict[str, float] = {}
    text = render_exposition(report, when, labels)
    assert text.endswith("\n")
    for line in text.splitlines():
        if not line.startswith("# "):
            found = LINE.fullmatch(line)
            assert found, line
            key = f"{found['name']}{{{found['labels'] or ''}}}"
            assert key not in series
            series[key] = float(found["value"])
    return series


def test_every_verdict_is_there_and_one_is_true() -> None:
    series = read(make_report())

    verdicts = {key: value for key, value in series.items() if key.startswith("metricgate_verdict")}
    assert len(verdicts) == len(Verdict)
    assert [key for key, value in verdicts.items() if value] == ['metricgate_verdict{verdict="failed"}']


def test_values_differences_margins_and_times_are_those_of_the_report() -> None:
    gate = make_gate(difference=-0.021, bound=0.01)
    metric = make_metric(name="roc_auc", candidate=0.8241, difference=-0.0211, low=-0.03, high=None)

    series = read(make_report(gates=(gate,), metrics=(metric,)), repository="acme/churn")

    start = 'repository="acme/churn",metric="roc_auc"'
    assert series[f"metricgate_metric{{{start}}}"] == 0.8241
    assert series[f'metricgate_metric_difference{{{start},bound="low"}}'] == -0.03
    assert f'metricgate_metric_difference{{{start},bound="high"}}' not in series
    assert series[f'metricgate_gate_margin{{{start},gate="max_drop"}}'] == pytest.approx(-0.011)
    assert series['metricgate_last_run_timestamp_seconds{repository="acme/churn"}'] == WHEN.ended_at
    assert series['metricgate_model_trained_timestamp_seconds{repository="acme/churn"}'] == WHEN.trained_at


def test_an_unknown_time_of_training_is_left_out() -> None:
    series = read(make_report(), Occurrence(ended_at=1.0))

    assert not any("model_trained" in key for key in series)


def test_the_commit_is_a_label_of_one_series() -> None:
    series = read(make_report())

    assert len([key for key in series if CANDIDATE_SHA in key]) == 1


def test_a_run_that_judged_nothing_still_has_its_verdict_and_time() -> None:
    series = read(make_error_report())

    assert series['metricgate_verdict{verdict="error"}'] == 1
    assert any(key.startswith("metricgate_last_run") for key in series)


def test_only_slices_that_a_gate_names_have_series() -> None:
    where, other = Slice(column="contract", value="One year"), Slice(column="contract", value="Two year")
    metrics = tuple(make_metric(name="roc_auc", slice=one) for one in (None, where, other))

    series = read(make_report(gates=(make_gate(slice=where),), metrics=metrics))

    assert [key for key in series if key.startswith("metricgate_metric{")] == [
        'metricgate_metric{metric="roc_auc"}',
        'metricgate_metric{metric="roc_auc",slice="contract=One year"}',
    ]


def test_a_large_report_has_few_series() -> None:
    series = read(make_large_report())

    assert len([key for key in series if key.startswith("metricgate_metric{")]) <= MAX_METRICS + MAX_SLICES
    assert len(series) < 600


def test_gates_on_the_same_series_show_the_worst() -> None:
    loose, strict = make_gate(difference=-0.021, bound=0.1), make_gate(difference=-0.021, bound=0.01)

    series = read(make_report(gates=(loose, strict)))

    assert series['metricgate_gate_margin{metric="roc_auc",gate="max_drop"}'] == pytest.approx(-0.011)


@pytest.mark.parametrize("name", ['a"} 1\nx 2', "back\\slash", "\u202ertl", "é 🎲", "x" * 5000, '\\"'])
def test_no_name_can_leave_its_label(name: str) -> None:
    where = Slice(column=name, value=name)

    report = make_report(gates=(make_gate(metric=name, slice=where),), metrics=(make_metric(name=name, slice=where),))
    series = read(report)

    assert all(len(word) <= 2 * MAX_LABEL for key in series for word in re.findall(r'"((?:[^"\\]|\\.)*)"', key))
