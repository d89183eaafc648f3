"""A pull request whose model is much worse (AUC −0.3), and a trick by which it once passed without a word."""

from tests.tricks.conftest import PullRequest


def test_without_a_trick_it_is_blocked(change: PullRequest) -> None:
    change.make_worse()

    answer = change.judge()

    assert answer.report.verdict == "failed"
    assert answer.codes == set()
    assert answer.states == {"prepare": "unchanged", "train": "ran", "evaluate": "ran"}


def test_a_command_that_does_nothing_is_named_and_its_results_are_not_called_unchanged(change: PullRequest) -> None:
    change.make_worse()
    change.edit("metricgate.yaml", "gates:", "pipeline: {command: 'true'}\ngates:")

    answer = change.judge()

    assert "pipeline.command (not set → 'true')" in answer.text("own_policy_changed")
    assert "eval/predictions.csv (the pipeline's command did not write it)" in answer.text("not_reproduced")
    assert "as committed, not reproduced" in answer.top
    assert "pipeline unchanged" not in answer.comment
    assert [entry.what for entry in answer.report.not_reproduced] == ["eval/predictions.csv"]


def test_a_stage_that_is_frozen_runs_all_the_same(change: PullRequest) -> None:
    change.make_worse()
    change.edit("dvc.yaml", "cmd: python src/train.py", "cmd: python src/train.py\n    frozen: true")

    answer = change.judge()

    assert answer.report.verdict == "failed"
    assert "stage train (frozen)" in answer.text("pipeline_changed")
    assert answer.states["train"] == answer.states["evaluate"] == "ran"


def test_a_stage_that_loses_its_parameters_runs_with_the_changed_ones(change: PullRequest) -> None:
    change.make_worse()
    change.edit("dvc.yaml", "    params: [noise]\n", "")
    change.project.dvc("commit", "--force", "--quiet")

    answer = change.judge()

    assert answer.report.verdict == "failed"
    assert "stage train (params)" in answer.text("pipeline_changed")
    assert answer.states["train"] == "ran"


def test_a_command_that_is_another_script_is_named(change: PullRequest) -> None:
    change.make_worse()
    change.project.write("src/other.py", change.project.read("src/train.py").replace("read_noise()", "0.0"))
    change.edit("dvc.yaml", "cmd: python src/train.py", "cmd: python src/other.py")

    answer = change.judge()

    assert "stage train (cmd)" in answer.text("pipeline_changed")
    assert "src/other.py" in [entry.name for entry in answer.report.changes]
    assert "pipeline unchanged" not in answer.comment


def test_predictions_that_are_committed_instead_of_a_pipeline_are_named(change: PullRequest) -> None:
    change.make_worse()
    change.project.git("rm", "--quiet", "dvc.yaml", "dvc.lock")
    ignored = change.project.root / "eval/.gitignore"
    ignored.unlink(missing_ok=True)

    answer = change.judge(push=False)

    assert "dvc.yaml is gone, with prepare, train, evaluate" in answer.text("pipeline_changed")
    assert "eval/predictions.csv (it is this change's own file" in answer.text("not_reproduced")
    assert "as committed, not reproduced" in answer.top


def test_made_up_results_that_are_committed_are_made_again(change: PullRequest) -> None:
    change.make_worse()
    change.project.dvc("commit", "--force", "--quiet")  # the results of main, for the worse parameter

    answer = change.judge()

    assert answer.report.verdict == "failed"
    assert answer.states == {"prepare": "unchanged", "train": "ran", "evaluate": "ran"}


def test_made_up_predictions_with_consistent_metrics_are_made_again(change: PullRequest) -> None:
    change.make_worse()
    change.project.dvc("repro", "--quiet")
    honest = change.project.git("show", "main:metrics.json")
    worse = change.project.read("eval/predictions.csv")
    change.project.write("metrics.json", honest)
    change.project.write("eval/predictions.csv", make_perfect(worse))
    change.project.dvc("commit", "--force", "--quiet")

    answer = change.judge()

    assert answer.report.verdict == "failed"
    assert answer.states["evaluate"] == "ran"
    assert "train" in answer.text("not_reproduced")


def make_perfect(table: str) -> str:
    header, *rows = table.splitlines()
    return "\n".join(
        [header, *(f"{row.split(',')[0]},{row.split(',')[1]},{int(row.split(',')[0]) / 300:.6f}" for row in rows)]
    )


def test_predictions_that_are_read_from_a_committed_file_are_named(change: PullRequest) -> None:
    change.make_worse()
    change.project.write("kept/predictions.csv", change.project.read("eval/predictions.csv"))
    change.edit("metricgate.yaml", "path: eval/predictions.csv", "path: kept/predictions.csv")

    answer = change.judge()

    assert "predictions.path ('eval/predictions.csv' → 'kept/predictions.csv')" in answer.text("own_policy_changed")
    assert "kept/predictions.csv (it is this change's own file" in answer.text("not_reproduced")
