"""The default branch's model becomes a version once; the champion moves by the gate alone, and by what it says."""

import itertools
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from metricgate.models.judged_model import FOLDER, JudgedModel
from metricgate.models.outcome import Direction, Outcome, Role, Verdict
from metricgate.models.result import GateRow
from metricgate.models.snapshot import RevisionInfo, Source
from metricgate.report.value import Report
from metricgate.settings.mlflow import MlflowSpec
from metricgate.trigger import TriggerKind
from tests.github.job import PUSH, make_candidate, make_report
from tests.mlflow.fake import FakeMlflow, Fault
from tests.mlflow.recording import Record, judged, texts


def commit(number: int) -> str:
    return f"{number:x}" * 40


def gate(outcome: Outcome, *, baseline: float, candidate: float) -> GateRow:
    return GateRow(
        rule="ROC AUC may drop by 0.01",
        metric="roc_auc",
        role=Role.REQUIRED,
        kind="max_drop",
        direction=Direction.HIGHER,
        bound=0.01,
        outcome=outcome,
        reason="because",
        reason_code="code",
        baseline=baseline,
        candidate=candidate,
    )


class Main:
    """Runs on pushes to main, one after the other, each with a model of its own."""

    def __init__(self, record: Record, folder: Path) -> None:
        self._record, self._folder = record, folder
        self._folders: Iterator[int] = itertools.count()

    def push(
        self,
        number: int,
        verdict: Verdict = Verdict.PASSED,
        *,
        value: float = 0.85,
        before: float = 0.85,
        content: bytes | None = None,
        baseline: int | None = None,
        baseline_digest: str = "",
        remote: str = "",
        spec: MlflowSpec | None = None,
        **changes: Any,
    ) -> list[str]:
        """Judge commit ``number``, compared with the commit before it."""
        outcomes = {Verdict.PASSED: Outcome.PASSED, Verdict.FAILED: Outcome.FAILED}
        compared = number - 1 if baseline is None else baseline
        info = RevisionInfo(revision=commit(compared), name="main", source=Source.GIT)
        report = judged(
            verdict,
            candidate=make_candidate(commit(number)),
            baseline=info,
            gates=(gate(outcomes.get(verdict, Outcome.INCONCLUSIVE), baseline=before, candidate=value),),
        )
        folder = self.keep(number, content or f"model {number}".encode(), baseline_digest, remote)
        trigger = {**PUSH, "sha": commit(number), "report_sha": commit(number), **changes}
        return texts(self._record(report, model=folder, spec=spec, **trigger))

    def keep(self, number: int, content: bytes, baseline_digest: str = "", remote: str = "") -> Path:
        folder = self._folder / str(next(self._folders))
        (folder / FOLDER).mkdir(parents=True)
        (folder / FOLDER / "model.pkl").write_bytes(content)
        digest = content.hex()
        JudgedModel(
            name="model.pkl", commit=commit(number), digest=digest, baseline_digest=baseline_digest, remote=remote
        ).write(folder)
        return folder


@pytest.fixture
def main(record: Record, tmp_path: Path) -> Main:
    return Main(record, tmp_path / "models")


def tags_of(server: FakeMlflow, version: int, model: str = "churn") -> dict[str, str]:
    return {one["key"]: one["value"] for one in server.versions(model)[version - 1]["tags"]}


def test_a_passed_model_is_a_version_with_its_commit_challenger_and_champion(main: Main, mlflow: FakeMlflow) -> None:
    assert main.push(1) == []

    [version] = mlflow.versions("churn")
    [run_id] = mlflow.active
    assert version["source"] == f"mlflow-artifacts:/1/{run_id}/artifacts/model"
    assert version["run_id"] == run_id
    assert mlflow.artifacts[f"1/{run_id}/artifacts/model/model.pkl"] == b"model 1"
    assert mlflow.aliases("churn") == {"challenger": "1", "champion": "1"}
    assert tags_of(mlflow, 1)["git.commit"] == commit(1)
    assert tags_of(mlflow, 1)["metricgate.verdict"] == "passed"


@pytest.mark.parametrize("verdict", [Verdict.FAILED, Verdict.INCONCLUSIVE, Verdict.SKIPPED])
def test_a_model_that_did_not_pass_is_the_challenger_alone(main: Main, mlflow: FakeMlflow, verdict: Verdict) -> None:
    main.push(1)

    assert main.push(2, verdict, value=0.8) == []

    assert mlflow.aliases("churn") == {"challenger": "2", "champion": "1"}


def test_the_first_model_that_did_not_pass_is_no_champion(main: Main, mlflow: FakeMlflow) -> None:
    main.push(1, Verdict.FAILED, value=0.8)

    assert mlflow.aliases("churn") == {"challenger": "1"}


def test_a_run_that_could_not_judge_registers_nothing(main: Main, mlflow: FakeMlflow) -> None:
    main.push(1, Verdict.ERROR)

    assert mlflow.models == {}


@pytest.mark.parametrize(
    "changes",
    [
        {"ref": "refs/heads/topic"},
        {"kind": TriggerKind.PULL_REQUEST},
        {"kind": TriggerKind.MERGE_GROUP},
        {"is_fork": True},
    ],
)
def test_no_other_run_registers_a_version(main: Main, mlflow: FakeMlflow, changes: dict[str, Any]) -> None:
    main.push(1, **changes)

    assert mlflow.models == {}


def test_a_re_run_makes_no_other_version(main: Main, mlflow: FakeMlflow) -> None:
    main.push(1, Verdict.FAILED, value=0.8)
    main.push(1, content=b"trained again")

    assert len(mlflow.versions("churn")) == 1
    assert mlflow.aliases("churn") == {"challenger": "1", "champion": "1"}
    assert tags_of(mlflow, 1)["metricgate.verdict"] == "passed"


def test_a_push_that_leaves_the_model_as_it_is_makes_no_version(main: Main, mlflow: FakeMlflow) -> None:
    main.push(1)
    main.push(2, content=b"model 1")

    assert len(mlflow.versions("churn")) == 1
    assert tags_of(mlflow, 1)["git.commit"] == commit(1)
    assert main.push(3, baseline_digest=b"model 1".hex()) == []  # compared with 2, which has the champion's model
    assert mlflow.aliases("churn") == {"challenger": "2", "champion": "2"}


@pytest.mark.parametrize("verdict", [Verdict.FAILED, Verdict.INCONCLUSIVE])
def test_after_a_loss_a_push_that_changes_nothing_does_not_promote_it(
    main: Main, mlflow: FakeMlflow, verdict: Verdict
) -> None:
    main.push(1)
    main.push(2, verdict, value=0.83)

    [same] = main.push(3, content=b"model 2", value=0.83, before=0.83)
    [other] = main.push(4, value=0.832, before=0.83, baseline_digest=b"model 2".hex())

    assert "The champion stays version 1: the gate passed, but only against what had lost before" in same
    assert "ROC AUC is 0.832" in other
    assert mlflow.aliases("churn") == {"challenger": "3", "champion": "1"}


def test_what_regains_the_loss_is_promoted(main: Main, mlflow: FakeMlflow) -> None:
    main.push(1)
    main.push(2, Verdict.FAILED, value=0.82)
    main.push(3, value=0.82, before=0.82)

    assert main.push(4, value=0.86, before=0.82) == []

    assert mlflow.aliases("churn") == {"challenger": "4", "champion": "4"}


def test_the_champions_own_model_is_the_challenger_again(main: Main, mlflow: FakeMlflow) -> None:
    main.push(1)
    main.push(2, Verdict.FAILED, value=0.82)

    assert main.push(3, content=b"model 1", value=0.85, before=0.82) == []

    assert mlflow.aliases("churn") == {"challenger": "1", "champion": "1"}


def test_a_pass_against_a_commit_that_nobody_judged_says_nothing_of_the_champion(
    main: Main, mlflow: FakeMlflow
) -> None:
    main.push(1)

    [notice] = main.push(5)

    assert "no run says how that compares with the champion (111111111)" in notice
    assert "`baseline: mlflow:churn@champion`" in notice
    assert mlflow.aliases("churn") == {"challenger": "2", "champion": "1"}
    assert main.push(6, baseline=1) == []  # as that input would have it
    assert mlflow.aliases("churn") == {"challenger": "3", "champion": "3"}


def test_a_champion_that_a_person_chose_stays(main: Main, mlflow: FakeMlflow) -> None:
    main.push(1)
    main.push(2)
    mlflow.models["churn"]["aliases"]["champion"] = "1"  # 2 is bad where it runs

    [notice] = main.push(3)

    assert "The champion stays version 1" in notice


def test_the_policy_names_the_model(main: Main, mlflow: FakeMlflow) -> None:
    main.push(1, spec=MlflowSpec(model="Kündigung v2"))

    assert mlflow.aliases("Kündigung v2") == {"challenger": "1", "champion": "1"}


def test_a_repository_whose_name_cannot_be_a_models_is_told(main: Main) -> None:
    [notice] = main.push(1, repository="acme/chu'rn")

    assert "mlflow: {model: churn}" in notice


def test_a_folder_is_uploaded_whole_without_links(record: Record, mlflow: FakeMlflow, tmp_path: Path) -> None:
    folder = tmp_path / "kept"
    inside = folder / FOLDER / "model/weights"
    inside.mkdir(parents=True)
    (inside.parent / "MLmodel").write_text("flavors: {}")
    (inside / "ä b.bin").write_bytes(b"1")
    (inside / "secret").symlink_to("/etc/passwd")
    JudgedModel(name="model", commit=commit(1), digest="0.dir").write(folder)

    assert texts(record(judged(), model=folder, **PUSH)) == []

    names = {name.partition("/artifacts/")[2] for name in mlflow.artifacts}
    assert names == {"metricgate/report.json", "model/MLmodel", "model/weights/ä b.bin"}


@pytest.mark.parametrize("remote", ["s3://bucket/dvc/files/md5/ab/cd", ""])
def test_a_model_that_the_server_does_not_take_is_read_from_dvcs_remote(
    main: Main, mlflow: FakeMlflow, remote: str
) -> None:
    mlflow.faults.append(Fault(path="model.pkl", status=413))

    told = main.push(1, remote=remote)

    assert [one["source"] for one in mlflow.versions("churn")] == ([remote] if remote else [])
    assert [("client_max_body_size" in one) for one in told] == ([] if remote else [True])


def test_a_run_without_its_model_is_recorded(record: Record, mlflow: FakeMlflow, tmp_path: Path) -> None:
    assert texts(record(judged(), model=tmp_path, **PUSH)) == []
    assert len(mlflow.active) == 1
    assert mlflow.models == {}


def test_a_missing_permission_for_models_leaves_the_run(main: Main, mlflow: FakeMlflow) -> None:
    mlflow.faults.append(Fault(path="registered-models/create", status=403, body=b"Permission denied"))

    [notice] = main.push(1)

    assert notice.startswith("The model's version on MLflow could not be written.")
    assert len(mlflow.active) == 1


def test_databricks_gets_no_version(main: Main, mlflow: FakeMlflow) -> None:
    mlflow.artifact_root = "dbfs:/databricks/mlflow-tracking/1"

    assert main.push(1) == []
    assert mlflow.models == {}


def test_a_report_without_a_baseline_says_nothing_of_a_champion(main: Main, record: Record) -> None:
    main.push(1)
    report: Report = make_report(candidate=make_candidate(commit(2)))
    folder = main.keep(2, b"model 2")

    [notice] = texts(record(report, model=folder, **{**PUSH, "report_sha": commit(2)}))

    assert "against nothing" in notice
