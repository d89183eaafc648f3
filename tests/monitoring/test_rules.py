"""The alert rules and the metrics, by promtool."""

import pytest

from metricgate.report.formats.exposition import Occurrence, render_exposition
from metricgate.report.value import Report
from tests.monitoring.servers import promtool
from tests.report.reports import make_error_report, make_large_report, make_report, make_unchanged_report

pytestmark = pytest.mark.acceptance


def test_the_rules_and_the_configuration_are_valid() -> None:
    promtool("check", "rules", "rules.yml")
    promtool("check", "config", "prometheus.yml")


def test_every_alert_has_its_cases() -> None:
    assert "SUCCESS" in promtool("test", "rules", "rules-tests.yml")


@pytest.mark.parametrize("report", [make_report(), make_error_report(), make_unchanged_report(), make_large_report()])
def test_the_metrics_please_prometheus_own_linter(report: Report) -> None:
    labels = {"repository": "acme/churn", "setup": "default", "ref": "main"}
    text = render_exposition(report, Occurrence(ended_at=1.79e9, trained_at=1.78e9), labels)

    assert promtool("check", "metrics", text=text) == ""


def test_the_linter_would_object() -> None:
    """A wrong name must not slip through because nothing was read."""
    with pytest.raises(AssertionError, match="help"):
        promtool("check", "metrics", text="metricgateVerdict 1\n")
