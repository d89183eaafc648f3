"""Against MLflow itself, in two versions: what MetricGate writes is what the official client reads."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from metricgate.errors import WorkspaceError
from metricgate.models.judged_model import FOLDER, JudgedModel
from metricgate.models.outcome import Verdict
from metricgate.models.result import Pairing
from metricgate.models.snapshot import Parameter, RevisionInfo, Source
from metricgate.publish.trial import send_test_messages
from metricgate.report.value import Report
from metricgate.services.mlflow_files import RunFileMissingError, fetch_run_file
from metricgate.services.mlflow_registry import find_registered_commit
from metricgate.settings.inputs import Inputs, read_inputs
from metricgate.settings.mlflow import MlflowSpec
from tests.github.job import PUSH, make_candidate
from tests.mlflow.real_server import PASSWORD, VERSIONS, MlflowProcess, make_environment, run_server
from tests.mlflow.recording import METRIC, judged, make_record, texts
from tests.mlflow.repository import write_rows

pytestmark = pytest.mark.acceptance

EXPERIMENT = "metricgate/acme/churn"


def sha(number: int) -> str:
    return f"{number:x}" * 40


@dataclass(frozen=True)
class Recorder:
    """Delivers reports to a server as its user."""

    server: MlflowProcess
    folder: Path

    @property
    def inputs(self) -> Inputs:
        given = {f"INPUT_{key.upper()}": value for key, value in self.server.inputs.items()}
        return read_inputs({**given, "INPUT_MLFLOW-URI": self.server.url})

    def deliver(self, report: Report, *, inputs: dict[str, str] | None = None, **options: Any) -> list[str]:
        record = make_record(self.server.url, self.folder)
        return texts(record(report, inputs={**self.server.inputs, **(inputs or {})}, within_s=300, **options))

    def push(self, number: int, verdict: Verdict) -> list[str]:
        """Record commit ``number`` of main, whose model is a folder of MLflow's."""
        kept = self.folder.parent / f"kept-{number}"
        (kept / FOLDER / "model/data").mkdir(parents=True)
        (kept / FOLDER / "model/MLmodel").write_text(f"model {number}", encoding="utf-8")
        (kept / FOLDER / "model/data/ä b.bin").write_bytes(b"x")
        JudgedModel(name="model", commit=sha(number), digest=f"{number}.dir").write(kept)
        baseline = RevisionInfo(revision=sha(number - 1), name="main", source=Source.GIT)
        report = judged(verdict, candidate=make_candidate(sha(number)), baseline=baseline)
        return self.deliver(report, model=kept, **{**PUSH, "report_sha": sha(number)})


@pytest.fixture(params=list(VERSIONS))
def recorder(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Recorder]:
    """The newer version asks for a user, the older one for nobody."""
    python = make_environment(tmp_path / "environment", request.param)
    with run_server(python, tmp_path / "server", with_users=request.param == next(iter(VERSIONS))) as server:
        yield Recorder(server, tmp_path / "folder")


def test_what_is_written_is_what_the_official_client_reads(recorder: Recorder, tmp_path: Path) -> None:
    """One test for each version: an environment takes as long as all of it."""
    check_runs_versions_and_champion(recorder)
    check_what_training_logged(recorder, tmp_path)
    check_missing_names(recorder)
    check_deleted_and_restored(recorder)
    check_parallel_jobs(recorder)
    check_trial_and_users(recorder)


def check_runs_versions_and_champion(recorder: Recorder) -> None:
    odd = tuple(METRIC.model_copy(update={"name": name}) for name in ("sum(a)/sum(b)", "../x", "ä=1", "n" * 400))
    many = tuple(METRIC.model_copy(update={"name": f"m{number}"}) for number in range(1000))
    long = tuple(Parameter(file="params.yaml", key=f"p{number}", value="x" * 9000) for number in range(120))

    for _ in range(2):
        assert recorder.deliver(judged(metrics=(METRIC, *odd, *many), parameters=long)) == []
    assert recorder.push(1, Verdict.PASSED) == []
    assert recorder.push(2, Verdict.FAILED) == []

    found = recorder.server.read(EXPERIMENT)
    pull, first, second = found["runs"]
    assert (pull["metrics"]["roc_auc"], pull["metrics"]["roc_auc.difference_low"]) == (0.84, -0.02)
    assert len(pull["metrics"]) == 5 * 1005
    assert pull["params"]["p119"].endswith("(9,000 characters)")
    assert (pull["tags"]["metricgate.verdict"], pull["tags"]["metricgate.pull_request"]) == ("passed", "7")
    assert pull["status"] == "FINISHED"
    assert first["files"] == ["metricgate/report.json", "model/MLmodel", "model/data/ä b.bin"]
    assert found["aliases"] == {"champion": "1", "challenger": "2"}
    assert {one["version"]: one["run"] for one in found["versions"]} == {"1": first["id"], "2": second["id"]}
    assert found["champion"]["MLmodel"] == "model 1"
    assert find_registered_commit(recorder.inputs.mlflow, "churn@champion") == sha(1)


def check_what_training_logged(recorder: Recorder, folder: Path) -> None:
    run_id = recorder.server.train("training", write_rows(0.5))
    name = f"mlflow:runs/{run_id}/eval/predictions.csv"
    pairing = Pairing(path=name, task="binary", method="id", rows=5, baseline_rows=5, candidate_rows=5)
    access = recorder.inputs.mlflow

    assert fetch_run_file(access, name, folder / "copy").read_text(encoding="utf-8") == write_rows(0.5)
    with pytest.raises(RunFileMissingError, match=r"the run has eval/predictions\.csv in eval"):
        fetch_run_file(access, name.replace("predictions", "other"), folder)
    with pytest.raises(RunFileMissingError, match="not found"):
        fetch_run_file(access, name.replace(run_id, "f" * 32), folder)
    spec = MlflowSpec(experiment="training")
    assert recorder.deliver(judged(pairings=(pairing,)), may_adopt=True, spec=spec) == []

    [run] = recorder.server.read("training")["runs"]
    assert (run["metrics"]["roc_auc"], run["metrics"]["metricgate.roc_auc"]) == (0.5, 0.84)
    assert run["params"] == {"depth": "3"}
    assert run["tags"]["metricgate.adopted"] == "true"
    assert set(run["files"]) == {"eval/predictions.csv", "metricgate/report.json"}


def check_missing_names(recorder: Recorder) -> None:
    for name in ("no-such-model@champion", "churn@nobody"):
        with pytest.raises(WorkspaceError, match="MLflow has no mlflow:"):
            find_registered_commit(recorder.inputs.mlflow, name)


def list_runs(server: MlflowProcess, spec: MlflowSpec) -> tuple[str, list[dict[str, Any]]]:
    """Return the ID of an experiment that exists, and its runs."""
    found = server.call("experiments/search", {"filter": f"name = '{spec.experiment}'", "max_results": 5})
    [experiment] = [one["experiment_id"] for one in found["experiments"]]
    runs = server.call("runs/search", {"experiment_ids": [experiment]}).get("runs", [])
    return experiment, [run["info"] | {"tags": run["data"]["tags"]} for run in runs]


def check_deleted_and_restored(recorder: Recorder) -> None:
    server, spec = recorder.server, MlflowSpec(experiment="doomed")
    assert recorder.deliver(judged(), spec=spec) == []
    number, [run] = list_runs(server, spec)

    server.call("experiments/delete", {"experiment_id": number})
    [notice] = recorder.deliver(judged(), spec=spec)
    assert f"mlflow experiments restore -x {number}" in notice

    server.call("experiments/restore", {"experiment_id": number})
    assert recorder.deliver(judged(), spec=spec) == []
    assert [one["run_id"] for one in list_runs(server, spec)[1]] == [run["run_id"]]

    server.call("runs/delete", {"run_id": run["run_id"]})
    assert recorder.deliver(judged(), spec=spec) == []
    [other] = list_runs(server, spec)[1]
    assert other["run_id"] != run["run_id"]


def check_parallel_jobs(recorder: Recorder) -> None:
    spec = MlflowSpec(experiment="parallel")
    with ThreadPoolExecutor(4) as jobs:
        told = [jobs.submit(recorder.deliver, judged(), spec=spec) for _ in range(4)]

    assert [one.result() for one in told] == [[]] * 4
    assert len(list_runs(recorder.server, spec)[1]) == 1


def check_trial_and_users(recorder: Recorder) -> None:
    [tried] = send_test_messages(recorder.inputs, "")
    assert tried.success
    assert list_runs(recorder.server, MlflowSpec(experiment="metricgate/notify-test"))[1] == []
    if not recorder.server.credentials:
        return
    recorder.server.call("users/create", {"username": "bob", "password": "password-of-bob-123"})
    bob = {"mlflow-username": "bob", "mlflow-password": "password-of-bob-123"}
    token = {"mlflow-username": "", "mlflow-password": "", "mlflow-token": "abc-def-ghi"}
    for inputs, expected in (
        ({"mlflow-password": "wrong-password"}, "did not accept the user"),
        (token, "did not accept the user"),
        ({**bob, "id": "eu"}, "does not let this user do that"),
    ):
        [notice] = recorder.deliver(judged(), inputs=inputs)
        assert expected in notice
        assert PASSWORD not in notice
