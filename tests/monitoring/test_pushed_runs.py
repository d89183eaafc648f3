"""Real runs, a real Pushgateway and a real Prometheus: what was pushed is there, and alerts fire and end."""

import json
import re
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import requests

from metricgate.demo.project import BRANCH
from metricgate.models.outcome import Verdict
from metricgate.publish.pushgateway import group_path
from tests.churn import Churn
from tests.e2e.workflow import Step, Workflow, workflow
from tests.github.fake import FakeGitHub
from tests.github.fixtures import fake_github
from tests.github.job import PUSH, Job, make_report
from tests.monitoring.dashboard import list_expressions, load_dashboard
from tests.monitoring.servers import Prometheus, Server, promtool, run_prometheus, run_pushgateway, wait_for

__all__ = ["fake_github", "workflow"]

pytestmark = pytest.mark.acceptance

GROUP = {"job": "metricgate", "repository": "acme/churn", "setup": "default", "ref": "main"}


@pytest.fixture
def gateway(tmp_path: Path) -> Iterator[Server]:
    with run_pushgateway(tmp_path) as server:
        yield server


@pytest.fixture
def prometheus(tmp_path: Path, gateway: Server) -> Iterator[Prometheus]:
    with run_prometheus(tmp_path, gateway) as server:
        yield server


class Main:
    """Runs of the action on pushes to main, one after the other."""

    def __init__(self, workflow: Workflow, gateway: Server) -> None:
        self._workflow = workflow
        self._gateway = gateway
        self._count = 0

    def push(self, change: Callable[[Churn], object]) -> Step:
        churn = self._workflow.churn
        previous = churn.sha("main")
        churn.git("switch", "--quiet", "main")
        change(churn)
        churn.commit()
        self._count += 1
        run = replace(self._workflow, runner=self._workflow.runner / str(self._count))
        run.runner.mkdir(parents=True)
        run.push_to_main(previous)
        return run.run(pushgateway=self._gateway.url)


def test_runs_on_main_are_seen_alert_and_recover(workflow: Workflow, gateway: Server, prometheus: Prometheus) -> None:
    main = Main(workflow, gateway)

    failed = main.push(lambda churn: churn.git("checkout", BRANCH, "--", "params.yaml"))

    assert failed.report["verdict"] == "failed", failed.log
    prometheus.wait_for_alert("MetricGateDefaultBranchFailed")
    [verdict] = prometheus.query('metricgate_verdict{verdict="failed"}')
    assert verdict["value"][1] == "1"
    assert {key: verdict["metric"].get(key) for key in GROUP} == GROUP
    [margin] = wait_for("the recorded margin", lambda: prometheus.query("metricgate:gate_margin:min"))
    assert float(margin["value"][1]) < 0
    [shown] = prometheus.query('metricgate_metric{metric="roc_auc", slice=""}')
    told = next(row for row in failed.report["metrics"] if row["name"] == "roc_auc" and row["slice"] is None)
    assert float(shown["value"][1]) == pytest.approx(told["candidate"])
    assert_dashboard_is_filled(prometheus)

    workflow.fake.commit_dates["dvc.lock"] = "2026-01-02T03:04:05Z"
    passed = main.push(lambda churn: churn.write("README.md", "Only words.\n"))

    assert passed.report["verdict"] == "passed", passed.log
    prometheus.wait_for_silence("MetricGateDefaultBranchFailed")
    prometheus.wait_for_alert("MetricGateModelOld")
    groups = json.loads(requests.get(f"{gateway.url}/api/v1/metrics", timeout=20).content)["data"]
    assert [group["labels"] for group in groups] == [GROUP]

    push_old_run(gateway)
    prometheus.wait_for_alert("MetricGateNoRun")
    prometheus.wait_for_alert("MetricGateDrift", "pending")  # it fires after an hour

    gateway.stop()
    prometheus.wait_for_alert("MetricGateGatewayGone", "pending")  # it fires after a quarter of an hour


def push_old_run(gateway: Server) -> None:
    """Push what a branch without runs, and a monitor of features, would have left."""
    samples = {
        "metricgate_last_run_timestamp_seconds": time.time() - 8 * 86400,
        'metricgate_drift_ratio{feature="tenure"}': 0.3,
        'metricgate_drift_limit_ratio{feature="tenure"}': 0.2,
    }
    lines = (f"# TYPE {name.partition('{')[0]} gauge\n{name} {value}\n" for name, value in samples.items())
    body = "".join(lines)
    group = group_path({"repository": "acme/old", "setup": "default", "ref": "main"})
    requests.put(gateway.url + group, data=body, timeout=20).raise_for_status()


def assert_dashboard_is_filled(prometheus: Prometheus) -> None:
    for expression in list_expressions(load_dashboard(), repository="acme/churn", setup="default"):
        wait_for(expression, lambda expression=expression: prometheus.query(expression))  # type: ignore[misc]


def test_the_textfile_of_a_run_is_what_the_collector_reads(fake_github: FakeGitHub, tmp_path: Path) -> None:
    job = Job(fake_github, tmp_path)
    job.open(**PUSH).publish(make_report, job.directory)

    text = (job.directory / "metricgate.prom").read_text(encoding="utf-8")
    assert promtool("check", "metrics", text=text) == ""


def test_a_second_run_replaces_the_first(fake_github: FakeGitHub, tmp_path: Path, gateway: Server) -> None:
    for verdict in (Verdict.FAILED, Verdict.PASSED):
        assert push(fake_github, tmp_path, gateway, verdict) == ()

    text = requests.get(f"{gateway.url}/metrics", timeout=20).text
    assert re.findall(r'^metricgate_verdict\{.*verdict="(\w+)"\} 1$', text, re.MULTILINE) == ["passed"]


def test_what_the_gateway_refuses_is_a_notice_with_its_reason(
    fake_github: FakeGitHub, tmp_path: Path, gateway: Server
) -> None:
    """A type that differs from what another group pushed is refused."""
    other = f"{gateway.url}/metrics/job/other"
    data = "# TYPE metricgate_verdict counter\nmetricgate_verdict 1\n"
    requests.put(other, data=data, timeout=20).raise_for_status()

    [notice] = push(fake_github, tmp_path, gateway, Verdict.FAILED)

    assert "status 400" in notice
    assert "are invalid or inconsistent with existing" in notice
    assert gateway.url not in notice


def push(fake: FakeGitHub, folder: Path, gateway: Server, verdict: Verdict) -> tuple[str, ...]:
    return Job(fake, folder).publish(make_report(verdict), inputs={"pushgateway": gateway.url}, **PUSH).notices
