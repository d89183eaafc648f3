"""The commit of a registered version as the baseline; what cannot be resolved ends with exit code 4."""

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from pydantic import SecretStr

from metricgate.errors import ConfigurationError, WorkspaceError
from metricgate.models.judged_model import JudgedModel
from metricgate.models.outcome import Verdict
from metricgate.services.mlflow_registry import find_registered_commit
from metricgate.settings.mlflow import MlflowAccess
from metricgate.trigger import Trigger, TriggerKind
from tests.mlflow.fake import FakeMlflow, Fault
from tests.mlflow.repository import POLICY, Repository, judge


def register(server: FakeMlflow, tags: Mapping[str, str]) -> None:
    pairs = [{"key": key, "value": value} for key, value in tags.items()]
    server.models["churn"] = {"versions": [{"version": "1", "tags": pairs}], "aliases": {"champion": "1"}}


def test_the_input_names_the_champions_commit(
    repository: Repository, mlflow: FakeMlflow, access: MlflowAccess, tmp_path: Path
) -> None:
    champion = repository.commit(0.3)
    repository.commit(0.2)
    repository.commit(0.1)
    register(mlflow, {"git.commit": champion})

    report = judge(repository, tmp_path, access, baseline="mlflow:churn@champion")

    assert report.baseline is not None
    assert (report.baseline.revision, report.baseline.name) == (champion, "mlflow:churn@champion")
    assert report.verdict is Verdict.PASSED


@pytest.mark.acceptance
@pytest.mark.parametrize(
    "keys",
    [
        "release: {revision: 'mlflow:churn@champion'}\nanchor: {",
        "anchor: {revision: 'mlflow:churn@champion', ",
    ],
)
def test_the_release_is_the_anchor(
    repository: Repository, mlflow: FakeMlflow, access: MlflowAccess, tmp_path: Path, keys: str
) -> None:
    policy = f"{POLICY}{keys}max_drop: {{roc_auc: 0.4}}}}\n"
    register(mlflow, {"git.commit": repository.commit(0.3, policy)})
    repository.commit(0.2, policy)
    repository.commit(0.1, policy)

    report = judge(repository, tmp_path, access)

    [anchored] = [gate for gate in report.gates if gate.anchor]
    assert anchored.baseline is not None
    [gate] = [gate for gate in report.gates if not gate.anchor]
    assert gate.baseline is not None
    assert anchored.baseline > gate.baseline  # the champion is another commit than the one before


@pytest.mark.parametrize(
    ("break_it", "told"),
    [
        (lambda server: server.models.clear(), "MLflow has no mlflow:churn@champion"),
        (lambda server: server.models["churn"]["aliases"].clear(), "MLflow has no mlflow:churn@champion"),
        (lambda server: register(server, {}), "its tag `git.commit` is missing"),
        (lambda server: register(server, {"git.commit": "main"}), "is not a full commit"),
        (lambda server: register(server, {"git.commit": "--upload-pack=x"}), "is not a full commit"),
        (lambda server: register(server, {"git.commit": "d" * 40}), "neither in this clone nor on origin"),
        (lambda server: server.faults.append(Fault(path="alias", status=401)), "did not accept the user"),
        (lambda server: server.faults.append(Fault(path="alias", status=200, body=b"<html>")), "with a page"),
    ],
)
def test_what_cannot_be_resolved_is_never_another_baseline(
    repository: Repository, mlflow: FakeMlflow, tmp_path: Path, break_it: Callable[[FakeMlflow], object], told: str
) -> None:
    access = MlflowAccess(uri=SecretStr(mlflow.url))
    register(mlflow, {"git.commit": repository.commit(0.3)})
    repository.commit(0.2)
    break_it(mlflow)

    report = judge(repository, tmp_path, access, baseline="mlflow:churn@champion")

    assert (report.exit_code, report.verdict, report.baseline) == (4, Verdict.ERROR, None)
    assert report.failure is not None
    assert told in report.failure.what
    assert report.failure.fix


def test_without_a_server_it_says_which_input_is_missing() -> None:
    with pytest.raises(WorkspaceError, match="none is given") as caught:
        find_registered_commit(MlflowAccess(), "churn@champion")

    assert "mlflow-uri" in caught.value.fix


@pytest.mark.parametrize("name", ["churn", "a/b@champion", "a:b@champion", "@champion", "churn@", "churn@a b", "a'b@c"])
def test_a_name_that_is_none_is_refused(name: str, access: MlflowAccess) -> None:
    with pytest.raises(ConfigurationError, match="names no version of a registered model"):
        find_registered_commit(access, name)


@pytest.mark.parametrize(
    "checked_out", ["what was pushed", pytest.param("something else", marks=pytest.mark.acceptance)]
)
def test_a_run_on_the_default_branch_alone_keeps_the_model_that_it_judged(
    repository: Repository, tmp_path: Path, checked_out: str
) -> None:
    before = repository.commit(0.3)
    sha = repository.commit(0.2)
    pushed = sha if checked_out == "what was pushed" else before
    trigger = Trigger(
        kind=TriggerKind.PUSH,
        sha=pushed,
        report_sha=pushed,
        ref="refs/heads/main",
        default_branch="main",
        before=before,
    )
    folder = tmp_path / "kept"
    folder.mkdir()

    report = judge(repository, tmp_path, MlflowAccess(), trigger=trigger, model_folder=folder)

    assert report.failure is None
    model = JudgedModel.read(folder)
    if checked_out == "something else":
        assert model is None
        return
    assert model is not None
    assert (model.name, model.commit) == ("model.pkl", sha)
    assert model.digest != model.baseline_digest != ""
    [(name, file)] = model.list_files(folder)
    assert (name, file.read_bytes()) == ("model.pkl", b"model 0.2")
