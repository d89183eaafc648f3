from pathlib import Path

import pytest

from metricgate.errors import ConfigurationError, WorkspaceError
from metricgate.execution.evaluation import EvaluationCase, evaluate_model
from metricgate.execution.file_copies import FileOrigin
from metricgate.models.snapshot import Unreadable
from metricgate.settings.policy import EvaluationSpec, Policy, PredictionsSpec
from tests.execution.conftest import POLICY, make_context
from tests.projects import TinyProject

SPEC = EvaluationSpec(command="python src/evaluate.py", model="params.yaml", data="data/prepared.csv")


def evaluate(tiny: TinyProject, tmp_path: Path, policy: Policy, *, model: str, data: str | None) -> Path | Unreadable:
    case = EvaluationCase(model=FileOrigin(revision=model), data=FileOrigin(revision=data))
    return evaluate_model(make_context(tiny.root, tmp_path), case, policy)[""]


@pytest.mark.acceptance
def test_stored_model_is_judged_on_the_data_of_another_revision(tiny: TinyProject, tmp_path: Path) -> None:
    old = tiny.sha()
    tiny.write("data/raw.csv", "3\n4")
    tiny.dvc("add", "--quiet", "data/raw.csv")
    tiny.write("params.yaml", "shift: 0.2\n")
    tiny.dvc("repro", "--quiet")
    new = tiny.commit("new data and a new model")
    policy = POLICY.model_copy(update={"evaluation": SPEC})

    found = evaluate(tiny, tmp_path, policy, model=old, data=new)

    assert isinstance(found, Path)
    assert found.read_text(encoding="utf-8").splitlines() == ["id,label,score", "3,0,0.3", "4,0,0.4"]
    assert tiny.git("status", "--porcelain") == ""
    assert tiny.read("params.yaml") == "shift: 0.2\n"


def test_model_that_nobody_has_is_an_error_that_names_it(tiny: TinyProject, tmp_path: Path) -> None:
    policy = POLICY.model_copy(update={"evaluation": SPEC.model_copy(update={"model": "models/model.pkl"})})

    with pytest.raises(WorkspaceError, match=r"models/model\.pkl is not available at"):
        evaluate(tiny, tmp_path, policy, model=tiny.sha(), data=tiny.sha())


def test_policy_without_evaluation_says_what_is_missing(tiny: TinyProject, tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="how to evaluate a stored model") as caught:
        evaluate(tiny, tmp_path, POLICY, model=tiny.sha(), data=tiny.sha())

    assert "evaluation: {command:" in caught.value.fix


def test_predictions_in_git_are_not_taken_for_what_the_command_wrote(tiny: TinyProject, tmp_path: Path) -> None:
    tiny.git("add", "--force", "eval/predictions.csv")
    tiny.commit("Keep predictions in Git")
    policy = POLICY.model_copy(update={"evaluation": SPEC.model_copy(update={"command": "true"})})

    found = evaluate(tiny, tmp_path, policy, model=tiny.sha(), data=None)

    assert isinstance(found, Unreadable)
    assert found.reason == "the evaluation command did not write it"


# shared: a link in Git, to another folder at each revision
@pytest.mark.parametrize("name", ["shared/test.csv", "..", "/nobody/test.csv"])
def test_nothing_outside_the_work_tree_is_written_or_removed(tiny: TinyProject, tmp_path: Path, name: str) -> None:
    revisions = []
    for version in ("one", "two"):
        (tmp_path / version).mkdir()
        (tmp_path / version / "test.csv").write_text(f"{version}\n", encoding="utf-8")
        (tiny.root / "shared").unlink(missing_ok=True)
        (tiny.root / "shared").symlink_to(tmp_path / version)
        revisions.append(tiny.commit(version))
    named = POLICY.predictions
    assert isinstance(named, PredictionsSpec)
    as_data = POLICY.model_copy(update={"evaluation": SPEC.model_copy(update={"data": name})})
    as_predictions = Policy(predictions=named.model_copy(update={"path": name}), evaluation=SPEC)

    for policy in (as_data, as_predictions):
        with pytest.raises(WorkspaceError, match="leads out of the repository"):
            evaluate(tiny, tmp_path, policy, model=revisions[0], data=revisions[1])

    assert [(tmp_path / version / "test.csv").read_text() for version in ("one", "two")] == ["one\n", "two\n"]
