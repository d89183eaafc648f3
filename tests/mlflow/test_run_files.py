"""Predictions that lie in an MLflow run: for compare and for policies, without DVC, named where the change chose them."""

from pathlib import Path

import pytest
from pydantic import SecretStr

from metricgate.cli import commands
from metricgate.cli.run_files import bring_run_files
from metricgate.compare import compare_files
from metricgate.errors import ConfigurationError, MetricgateError, WorkspaceError
from metricgate.models.outcome import Verdict
from metricgate.models.result import Pairing
from metricgate.report.value import Report
from metricgate.services.mlflow_files import RunFileMissingError, fetch_run_file
from metricgate.settings.mlflow import MlflowAccess
from tests.github.job import HEAD, PUSH
from tests.mlflow.fake import FakeMlflow, Fault
from tests.mlflow.recording import Record, judged, texts
from tests.mlflow.repository import Repository, judge, write_rows

FILE = "eval/p.csv"


def log_predictions(server: FakeMlflow, shift: float, name: str = FILE) -> str:
    return server.log(artifacts={name: write_rows(shift).encode()})


def write_policy(run_id: str, path: str = FILE) -> str:
    return (
        f"predictions: {{path: 'mlflow:runs/{run_id}/{path}', id: id, label: y, score: s}}\n"
        "gates: [{metric: roc_auc, max_drop: 0.1}]\n"
    )


def test_a_change_of_the_run_is_judged_and_named_as_not_reproduced(
    repository: Repository, mlflow: FakeMlflow, access: MlflowAccess, tmp_path: Path
) -> None:
    repository.commit(0.0, write_policy(log_predictions(mlflow, 0.5)))
    worse = log_predictions(mlflow, 0.0)
    repository.commit(0.0, write_policy(worse))

    report = judge(repository, tmp_path, access)

    assert report.verdict is Verdict.FAILED
    assert [(one.what, one.reason) for one in report.not_reproduced] == [
        (f"mlflow:runs/{worse}/{FILE}", "this change chose the MLflow run")
    ]
    codes = {warning.code for warning in report.warnings}
    assert {"not_reproduced", "own_policy_changed"} <= codes
    assert report.baseline is not None
    assert report.baseline.source == "mlflow run"


def test_the_same_run_on_both_sides_is_no_change_and_read_once(
    repository: Repository, mlflow: FakeMlflow, access: MlflowAccess, tmp_path: Path
) -> None:
    run_id = log_predictions(mlflow, 0.5)
    repository.commit(0.0, write_policy(run_id))
    repository.commit(0.1, write_policy(run_id))

    report = judge(repository, tmp_path, access)

    assert (report.verdict, report.not_reproduced) == (Verdict.PASSED, ())
    assert report.pairings[0].identical
    assert [path for _, path, _ in mlflow.requests].count(
        f"/api/2.0/mlflow-artifacts/artifacts/1/{run_id}/artifacts/{FILE}"
    ) == 1


def test_the_first_policy_is_not_compared_with_its_own_run(
    repository: Repository, mlflow: FakeMlflow, access: MlflowAccess, tmp_path: Path
) -> None:
    repository.commit(0.0, "")
    (repository.root / "metricgate.yaml").unlink()
    repository.git("commit", "--quiet", "--all", "--message", "No policy")
    run_id = log_predictions(mlflow, 0.0)
    repository.commit(0.1, write_policy(run_id))

    report = judge(repository, tmp_path, access)

    assert report.verdict is Verdict.SKIPPED
    assert [one.what for one in report.not_reproduced] == [f"mlflow:runs/{run_id}/{FILE}"]


@pytest.mark.parametrize(
    ("path", "error", "told"),
    [
        ("mlflow:runs/{0}/eval/q.csv", RunFileMissingError, "the run has eval/p.csv in eval"),
        ("mlflow:runs/{0}/eval", RunFileMissingError, "the run has eval in its artifacts"),
        ("mlflow:runs/ffffffffffff/eval/p.csv", RunFileMissingError, "not found"),
        ("mlflow:runs/{1}/eval/p.csv", WorkspaceError, "is deleted on the MLflow server"),
        ("mlflow:runs/{0}/../p.csv", ConfigurationError, "names no file of an MLflow run"),
        ("mlflow:runs/{0}/a//b", ConfigurationError, "names no file of an MLflow run"),
        ("mlflow:runs/x/p.csv", ConfigurationError, "names no file of an MLflow run"),
        ("mlflow:churn/p.csv", ConfigurationError, "names no file of an MLflow run"),
    ],
)
def test_a_run_or_a_file_that_is_not_there_is_told(
    mlflow: FakeMlflow, tmp_path: Path, path: str, error: type[MetricgateError], told: str
) -> None:
    good, deleted = log_predictions(mlflow, 0.5), log_predictions(mlflow, 0.5)
    mlflow.do_post_runs_delete({"run_id": deleted})

    with pytest.raises(error, match=told):
        fetch_run_file(MlflowAccess(uri=SecretStr(mlflow.url)), path.format(good, deleted), tmp_path)


@pytest.mark.acceptance
def test_a_candidate_whose_file_is_not_there_is_an_error(
    repository: Repository, mlflow: FakeMlflow, access: MlflowAccess, tmp_path: Path
) -> None:
    run_id = log_predictions(mlflow, 0.5)
    repository.commit(0.0, write_policy(run_id))
    repository.commit(0.1, write_policy(run_id, "eval/q.csv"))

    report = judge(repository, tmp_path, access)

    assert (report.verdict, report.exit_code) == (Verdict.ERROR, 3)
    assert report.failure is not None
    assert "the run has eval/p.csv in eval" in report.failure.what


def test_without_a_server_the_reason_names_the_input(tmp_path: Path) -> None:
    with pytest.raises(WorkspaceError, match="none is given") as caught:
        fetch_run_file(MlflowAccess(), f"mlflow:runs/{'0' * 32}/p.csv", tmp_path)

    assert caught.value.exit_code == 4
    assert "mlflow-uri" in caught.value.fix


def test_compare_reads_runs_with_mlflows_own_variables(mlflow: FakeMlflow, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", mlflow.url)
    monkeypatch.setenv("MLFLOW_TRACKING_TOKEN", "t0ken-t0ken")
    names = [
        f"mlflow:runs/{log_predictions(mlflow, shift, name)}/{name}" for shift, name in ((0.5, "p.csv"), (0.0, FILE))
    ]
    columns = {"id_": ("id",), "label": "y", "score": "s"}

    with bring_run_files([Path(name) for name in names]) as (before, after):
        report = compare_files(before, after, policy=None, columns=columns, names=(names[0], names[1]))

    assert report.verdict is Verdict.FAILED
    assert [side.name for side in (report.baseline, report.candidate) if side] == names
    assert {headers["Authorization"] for _, _, headers in mlflow.requests} == {"Bearer t0ken-t0ken"}


def test_an_artifact_that_is_a_login_page_is_told(
    mlflow: FakeMlflow, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", mlflow.url)
    name = f"mlflow:runs/{log_predictions(mlflow, 0.5)}/{FILE}"
    mlflow.faults.append(Fault(path="p.csv", status=200, body=b"<html>Sign in"))

    with pytest.raises(WorkspaceError, match="with a page"):
        commands.main(["compare", name, name, "--output", str(tmp_path / "report")], standalone_mode=False)


def chosen(run_id: str) -> Report:
    pairing = Pairing(
        path=f"mlflow:runs/{run_id}/{FILE}", task="binary", method="id", rows=5, baseline_rows=5, candidate_rows=5
    )
    return judged(pairings=(pairing,))


def test_the_run_that_the_predictions_lie_in_is_adopted(record: Record, mlflow: FakeMlflow) -> None:
    run_id = log_predictions(mlflow, 0.5)

    for _ in range(2):
        assert texts(record(chosen(run_id), may_adopt=True)) == []

    assert mlflow.active == [run_id]
    run = mlflow.runs[run_id]
    assert run["metrics"]["roc_auc"] == 0.99  # training's own
    assert run["metrics"]["metricgate.roc_auc"] == 0.84
    assert run["params"] == {}
    assert not [name for name in run["tags"] if name.startswith("mlflow.")]
    assert run["tags"]["metricgate.verdict"] == "passed"
    assert run["info"]["status"] == "RUNNING"  # as training left it


def test_the_only_run_that_training_logged_at_the_commit_is_adopted(record: Record, mlflow: FakeMlflow) -> None:
    mlflow.do_post_experiments_create({"name": "metricgate/acme/churn"})
    run_id = mlflow.log(artifacts={}, tags={"mlflow.source.git.commit": HEAD})

    record(judged(), may_adopt=True)
    record(judged(), may_adopt=True)
    assert mlflow.active == [run_id]

    mlflow.log(artifacts={}, tags={"mlflow.source.git.commit": HEAD})  # which of both?
    record(judged(), may_adopt=True, inputs={"id": "eu"})
    assert len(mlflow.active) == 3


def test_a_run_of_main_is_not_taken_by_a_pull_request_but_the_other_way(record: Record, mlflow: FakeMlflow) -> None:
    run_id = log_predictions(mlflow, 0.5)

    record(chosen(run_id), may_adopt=True)
    record(chosen(run_id), may_adopt=True, **PUSH)
    assert mlflow.active == [run_id]
    assert mlflow.tags(run_id)["metricgate.run"] == f"acme/churn@{HEAD}:default"

    record(chosen(run_id), may_adopt=True)
    assert mlflow.tags(run_id)["metricgate.run"] == f"acme/churn@{HEAD}:default"
    assert len(mlflow.active) == 2


def test_a_report_from_an_artifact_adopts_nothing(record: Record, mlflow: FakeMlflow) -> None:
    run_id = log_predictions(mlflow, 0.5)

    record(chosen(run_id))

    assert mlflow.tags(run_id) == {}
    assert len(mlflow.active) == 2
