"""Each judged run becomes one MLflow run, whatever the server refuses, and never another verdict."""

from pathlib import Path
from typing import Any

import pytest

from metricgate.models.outcome import Verdict
from metricgate.models.result import Slice
from metricgate.models.snapshot import DataEntry, Parameter
from metricgate.publish.publication import Published
from metricgate.report.value import Report
from tests.github.fake import FakeGitHub
from tests.github.job import BASE, HEAD, PUSH, Job, make_candidate, make_chart, make_gate, make_report
from tests.mlflow.fake import FakeMlflow, Fault, RefusedError
from tests.mlflow.recording import METRIC, Record, judged, texts
from tests.services import awkward_replies as replies
from tests.services.awkward_server import serve

EXPERIMENT = "metricgate/acme/churn"


def publish(job: Job, report: Report, server: FakeMlflow, **changes: Any) -> Published:
    return job.publish(report, inputs={"mlflow-uri": server.url}, **changes)


def test_a_run_has_parameters_metrics_verdict_revisions_and_the_report(job: Job, mlflow: FakeMlflow) -> None:
    published = publish(job, judged(Verdict.FAILED, charts=(make_chart(),)), mlflow)

    assert published.notices == ()
    [run_id] = mlflow.active
    run, tags = mlflow.runs[run_id], mlflow.tags(run_id)
    assert [one["name"] for one in mlflow.experiments] == [EXPERIMENT]
    assert run["params"] == {"train.depth": "6", "conf/o.yaml:x": ""}
    assert run["metrics"] == {
        "roc_auc": 0.84,
        "roc_auc.baseline": 0.85,
        "roc_auc.difference": -0.01,
        "roc_auc.difference_low": -0.02,
        "roc_auc.difference_high": 0.001,
    }
    assert run["info"]["status"] == "FINISHED"
    assert tags["metricgate.verdict"] == "failed"
    assert tags["git.commit"] == tags["mlflow.source.git.commit"] == HEAD
    assert (tags["dvc:data/train.csv"], tags["metricgate.pull_request"]) == ("0a1b", "7")
    where = f"1/{run_id}/artifacts/metricgate"
    assert set(mlflow.artifacts) == {
        f"{where}/{name}" for name in ("report.json", "report.html", "report.md", "charts/forest.png")
    }
    assert Report.model_validate_json(mlflow.artifacts[f"{where}/report.json"]).verdict is Verdict.FAILED


def test_a_re_run_and_another_attempt_write_the_same_run(record: Record, mlflow: FakeMlflow) -> None:
    record(judged())
    again = judged(Verdict.FAILED, parameters=(Parameter(file="params.yaml", key="train.depth", value=7),))

    assert record(again).event.notices == ()

    [run_id] = mlflow.active
    assert mlflow.tags(run_id)["metricgate.verdict"] == "failed"
    assert mlflow.runs[run_id]["params"]["train.depth"] == "6"  # MLflow lets nobody change it


def test_another_commit_set_up_or_pull_request_is_another_run(record: Record, mlflow: FakeMlflow) -> None:
    record(judged())
    record(judged(), inputs={"id": "eu"})
    record(judged(), **PUSH)
    record(judged(), **{**PUSH, "sha": BASE, "report_sha": BASE})

    assert len(mlflow.active) == 4


def test_a_parallel_job_that_made_one_too_leaves_the_older(record: Record, mlflow: FakeMlflow) -> None:
    """The server's index is not unique: both jobs found nothing, and made a run."""
    search = mlflow.do_post_runs_search
    made: list[bool] = []

    def race(body: dict[str, Any]) -> dict[str, Any]:
        if not made:
            made.append(True)
            tags = [{"key": "metricgate.run", "value": f"acme/churn#7@{HEAD}:default"}]
            mlflow.do_post_runs_create({"experiment_id": "1", "start_time": 1, "tags": tags})
            return {}
        return search(body)

    mlflow.do_post_runs_search = race  # type: ignore[method-assign]

    assert record(judged()).event.notices == ()

    [run_id] = mlflow.active
    assert mlflow.runs[run_id]["info"]["start_time"] == 1
    assert mlflow.tags(run_id)["metricgate.verdict"] == "passed"


def test_a_run_that_a_parallel_job_gives_up_meanwhile_is_left_for_the_older(record: Record, mlflow: FakeMlflow) -> None:
    tags = [{"key": "metricgate.run", "value": f"acme/churn#7@{HEAD}:default"}]
    given_up = mlflow.log(artifacts={}, tags={tags[0]["key"]: tags[0]["value"]})
    write = mlflow.do_post_runs_log_batch

    def race(body: dict[str, Any]) -> dict[str, Any]:
        if mlflow.active == [given_up]:
            mlflow.do_post_runs_create({"experiment_id": "1", "start_time": 1, "tags": tags})
            mlflow.do_post_runs_delete({"run_id": given_up})
        return write(body)

    mlflow.do_post_runs_log_batch = race  # type: ignore[method-assign]

    assert record(judged()).event.notices == ()

    [run_id] = mlflow.active
    assert mlflow.runs[run_id]["info"]["start_time"] == 1
    assert mlflow.runs[run_id]["metrics"]["roc_auc"] == METRIC.candidate
    assert mlflow.tags(run_id)["metricgate.verdict"] == "passed"


@pytest.mark.parametrize("times", [1, 4])
def test_parallel_jobs_that_write_the_same_to_one_run_try_again(record: Record, mlflow: FakeMlflow, times: int) -> None:
    write = mlflow.do_post_runs_log_batch
    words = "(sqlite3.IntegrityError) UNIQUE constraint failed: params.key, params.run_uuid"
    conflicts = iter([RefusedError(400, "BAD_REQUEST", words)] * times)

    def race(body: dict[str, Any]) -> dict[str, Any]:
        if "params" in body and (conflict := next(conflicts, None)):
            raise conflict
        return write(body)

    mlflow.do_post_runs_log_batch = race  # type: ignore[method-assign]
    notices = texts(record(judged()))

    [run_id] = mlflow.active
    if times == 1:
        assert notices == []
        assert mlflow.runs[run_id]["params"]["train.depth"] == "6"
        assert mlflow.tags(run_id)["metricgate.verdict"] == "passed"
    else:
        assert ["UNIQUE constraint failed" in text for text in notices] == [True]


def test_a_thousand_metrics_strange_names_and_long_values_are_taken(record: Record, mlflow: FakeMlflow) -> None:
    rows = [METRIC.model_copy(update={"name": f"metrics.json:m{number}"}) for number in range(1000)]
    odd = ["sum(cost)/sum(orders)", "../x", "a//b", "ä=1", "n" * 400, "sum[cost]/sum[orders]", "\u202e", "/"]
    values = tuple(Parameter(file="params.yaml", key=f"p{number}", value="x" * 9000) for number in range(250))
    where = Slice(column="contract", value="Two year/../=")
    gate = make_gate("roc_auc").model_copy(update={"slice": where})
    report = judged(
        metrics=(
            *rows,
            *(METRIC.model_copy(update={"name": name}) for name in odd),
            METRIC.model_copy(update={"slice": where}),
        ),
        gates=(gate,),
        parameters=values,
        data=tuple(DataEntry(path=f"data/{number}", hash="0") for number in range(150)),
    )

    assert record(report).event.notices == ()

    [run_id] = mlflow.active
    run = mlflow.runs[run_id]
    assert len(run["metrics"]) == 5 * (1000 + len(odd) + 1)
    assert {"roc_auc:contract_Two year_..__", "ä_1", "sum_cost_/sum_orders_", "sum_cost_/sum_orders__2"} <= set(
        run["metrics"]
    )
    assert len(run["params"]) == 250
    assert run["params"]["p0"].endswith("… (9,000 characters)")
    assert len(run["params"]["p0"]) == 6000
    assert run["tags"]["dvc:data/149"] == "0"


def test_a_draft_and_a_cancelled_run_leave_nothing(record: Record, mlflow: FakeMlflow) -> None:
    record(make_report(Verdict.CANCELLED, candidate=make_candidate(HEAD)))
    record(make_report(Verdict.SKIPPED))

    assert mlflow.runs == {}


def test_a_forks_run_says_nothing(job: Job, mlflow: FakeMlflow) -> None:
    publish(job, judged(), mlflow, is_fork=True)

    assert mlflow.requests == []


@pytest.mark.parametrize(
    ("fault", "told"),
    [
        (Fault(path="get-by-name", status=401, body=b"You are not authenticated."), "`mlflow-username`"),
        (
            Fault(path="get-by-name", status=403, body=b"Invalid Host header - possible DNS rebinding attack detected"),
            "--allowed-hosts",
        ),
        (Fault(path="get-by-name", status=403, body=b"Cross-origin request blocked"), "--cors-allowed-origins"),
        (Fault(path="runs/create", status=403, body=b"Permission denied"), "Grant EDIT"),
        (Fault(path="get-by-name", status=302, headers={"Location": "/login"}), "most often to a login page"),
        (Fault(path="get-by-name", status=200, body=b"<html>Sign in</html>"), "with a page (text/html)"),
        (Fault(path="get-by-name", status=200, body=b"[]", content_type="application/json"), "with a page"),
        (Fault(path="get-by-name", status=404, body=b"<html>nginx"), "no MLflow API at this address"),
        (Fault(path="report.json", status=413, body=b"<html>too large"), "client_max_body_size"),
        (Fault(path="runs/create", status=500, body=b"oops"), "status 500"),
    ],
)
def test_what_the_server_refuses_is_a_notice_that_says_what_to_do(
    record: Record, mlflow: FakeMlflow, fault: Fault, told: str
) -> None:
    mlflow.faults.append(fault)

    delivery = record(judged(), inputs={"mlflow-username": "ann", "mlflow-password": "s3cr3tword"})

    [notice] = texts(delivery)
    assert told in notice
    assert [secret for secret in ("s3cr3tword", mlflow.url) if secret in notice] == []
    assert delivery.event.report == judged()


def test_trouble_is_in_the_summary_and_leaves_the_verdict(job: Job, mlflow: FakeMlflow) -> None:
    mlflow.faults.append(Fault(path="runs/create", status=500))

    published = publish(job, judged(), mlflow)

    [notice] = published.notices
    assert "The run on MLflow could not be written. MLflow answered with status 500." in notice
    assert notice.split(".")[0] in job.read("GITHUB_STEP_SUMMARY")
    assert (job.outputs()["verdict"], published.failed) == ("passed", False)


def test_a_deleted_experiment_is_named_and_not_tried_again(record: Record, mlflow: FakeMlflow) -> None:
    mlflow.experiments.append({"name": EXPERIMENT, "experiment_id": "1", "lifecycle_stage": "deleted"})

    [notice] = texts(record(judged()))
    assert f"{EXPERIMENT}' is deleted" in notice
    assert "mlflow experiments restore -x 1" in notice

    mlflow.experiments[0]["lifecycle_stage"] = "active"
    assert record(judged()).event.notices == ()
    assert len(mlflow.active) == 1


def test_the_base_branch_names_the_experiment(fake_github: FakeGitHub, job: Job, mlflow: FakeMlflow) -> None:
    fake_github.files[BASE, "metricgate.yaml"] = "mlflow: {experiment: /Shared/churn}"
    fake_github.files[HEAD, "metricgate.yaml"] = "mlflow: {experiment: /Shared/other}"

    publish(job, judged(), mlflow)

    assert [one["name"] for one in mlflow.experiments] == ["/Shared/churn"]


def test_a_mistake_in_the_names_is_told(fake_github: FakeGitHub, job: Job, mlflow: FakeMlflow) -> None:
    fake_github.files[BASE, "metricgate.yaml"] = "gates: 5\nmlflow: {model: a/b}"

    [notice] = publish(job, judged(), mlflow).notices

    assert "metricgate.yaml" in notice
    assert "no slash" in notice


@pytest.mark.parametrize(
    ("inputs", "sent"),
    [
        ({"mlflow-token": "t0ken-t0ken"}, "Bearer t0ken-t0ken"),
        ({"mlflow-username": "ann", "mlflow-password": "pw"}, "Basic YW5uOnB3"),
        ({}, None),
    ],
)
def test_the_secret_is_sent_as_the_server_wants_it(
    record: Record, mlflow: FakeMlflow, inputs: dict[str, str], sent: str | None
) -> None:
    record(judged(), inputs=inputs)

    assert {headers.get("Authorization") for _, _, headers in mlflow.requests} == {sent}


@pytest.mark.parametrize(
    ("inputs", "told"),
    [
        ({"mlflow-uri": "sqlite:///mlflow.db"}, "not that of a server"),
        ({"mlflow-uri": "databricks"}, "not that of a server"),
        ({"mlflow-token": "t", "mlflow-username": "ann"}, "Both `mlflow-token`"),
    ],
)
def test_an_address_that_is_none_and_two_users_are_told(
    record: Record, mlflow: FakeMlflow, inputs: dict[str, str], told: str
) -> None:
    [notice] = texts(record(judged(), inputs=inputs))

    assert told in notice
    assert mlflow.requests == []


def test_databricks_gets_the_run_without_its_files(record: Record, mlflow: FakeMlflow) -> None:
    mlflow.artifact_root = "dbfs:/databricks/mlflow-tracking/1"

    assert record(judged()).event.notices == ()
    assert len(mlflow.active) == 1
    assert mlflow.artifacts == {}


def test_a_server_that_passes_no_artifacts_on_is_told(record: Record, mlflow: FakeMlflow) -> None:
    mlflow.artifact_root = "s3://bucket/1"

    [notice] = texts(record(judged()))
    assert "keeps artifacts in s3" in notice
    assert len(mlflow.active) == 1


def test_a_server_that_drips_is_left_in_time(job: Job, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("metricgate.publish.announcers.MLFLOW_S", 0.4)
    with serve(replies.drip_body()) as server:
        published = job.publish(judged(), inputs={"mlflow-uri": server.url})

    [notice] = published.notices
    assert "did not answer" in notice


def test_a_missing_picture_is_left_out(job: Job, mlflow: FakeMlflow, tmp_path: Path) -> None:
    publication = job.open(inputs={"mlflow-uri": mlflow.url})
    publication.github.start()

    published = publication.finish(judged(charts=(make_chart(),)), tmp_path / "nothing")

    assert published.notices == ()
    assert mlflow.artifacts == {}
