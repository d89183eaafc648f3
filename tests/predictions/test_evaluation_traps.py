"""What looks like the same test and is not, and what a log calls by a name that is taken."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from metricgate.compare import compare_files
from metricgate.errors import PredictionsError
from metricgate.models.outcome import Outcome
from metricgate.predictions import Predictions, read_predictions
from metricgate.report.value import Report
from metricgate.settings.policy import PredictionsSpec
from tests.simulated_logs import Grades, write_inspect

GOLDEN = Path(__file__).parent / "golden"
RIGHT: Grades = {f"q{number}": ["C"] for number in range(200)}
Edit = Callable[[dict[str, Any]], None]


def read(path: Path, **roles: object) -> Predictions:
    spec = PredictionsSpec.model_validate({"path": path.name, **roles})
    return read_predictions(path, spec, shown=path.name)


def edit(path: Path, change: Edit) -> Path:
    log = json.loads(path.read_text(encoding="utf-8"))
    change(log)
    path.write_text(json.dumps(log), encoding="utf-8")
    return path


def keep(log: dict[str, Any]) -> None:
    """Change nothing."""


def write_pair(folder: Path, change: Edit, both: Edit = keep) -> tuple[Path, Path]:
    """Write two logs with equal grades and one other answer; the branch's log is changed."""
    before = write_inspect(folder / "main.json", RIGHT)
    after = write_inspect(folder / "branch.json", RIGHT, texts={"q7": "Right, in other words."})
    return edit(before, both), edit(edit(after, both), change)


def judge(folder: Path, before: Path, after: Path, metric: str = "mean(match)", rule: str = "max_drop: 0.05") -> Report:
    policy = folder / "metricgate.yaml"
    policy.write_text(
        f"predictions: {{path: log.json, score: match}}\ngates:\n  - {{metric: {metric}, {rule}}}\n", encoding="utf-8"
    )
    report = compare_files(before, after, policy=policy, columns={})
    assert report.failure is None, report.failure
    return report


def rename_task(log: dict[str, Any]) -> None:
    log["eval"]["task"] = "another"


def change_data_set(log: dict[str, Any]) -> None:
    log["eval"]["dataset"]["name"] = "simulated-2"


def change_model(log: dict[str, Any]) -> None:
    log["eval"]["model"] = "mockllm/newer"


def grade_by_model(log: dict[str, Any]) -> None:
    log["eval"]["scorers"] = [{"name": "inspect_ai/model_graded_qa", "options": {}}]


@pytest.mark.parametrize(
    ("change", "both", "told"),
    [
        (rename_task, keep, "task: simulated before, another now"),
        (change_data_set, keep, "data set: simulated before, simulated-2 now"),
        (change_model, grade_by_model, "judge: the model itself (mockllm/model) before"),
    ],
)
def test_another_test_is_not_compared(tmp_path: Path, change: Edit, both: Edit, told: str) -> None:
    report = judge(tmp_path, *write_pair(tmp_path, change, both))

    assert told in report.pairings[0].other_test
    assert report.gates[0].outcome is Outcome.INCONCLUSIVE


def name_judge(log: dict[str, Any]) -> None:
    log["eval"]["scorers"] = [{"name": "model_graded_qa", "options": {"model": "mockllm/model"}}]
    for sample in log["samples"]:
        sample["model_usage"]["mockllm/model"] = {"total_tokens": 20}


def answer_by_another(log: dict[str, Any]) -> None:
    change_model(log)
    for sample in log["samples"]:
        sample["model_usage"]["mockllm/newer"] = {"total_tokens": 20}


def add_scorer(log: dict[str, Any]) -> None:
    log["eval"]["scorers"].append({"name": "includes", "options": {}})


@pytest.mark.parametrize("change", [answer_by_another, add_scorer])
def test_the_same_judge_is_the_same_test(tmp_path: Path, change: Edit) -> None:
    """A judge may be the model that main asks; and another scorer beside it changes no grade."""
    assert judge(tmp_path, *write_pair(tmp_path, change, name_judge)).pairings[0].other_test == ""


def test_another_judge_of_one_task_is_seen_among_several(tmp_path: Path) -> None:
    for side, judge_name in (("main", "judge-1"), ("branch", "judge-2")):
        folder = tmp_path / side
        folder.mkdir()
        write_inspect(folder / "a.json", RIGHT, options={"model": judge_name})
        edit(write_inspect(folder / "b.json", RIGHT, options={"model": "judge-1"}), rename_task)
    found = [read(tmp_path / side, score="match", id=["task", "id"]).questions for side in ("main", "branch")]

    assert found[0] is not None
    assert found[1] is not None
    assert found[0].log.graded_by != found[1].log.graded_by


def ask_otherwise(log: dict[str, Any]) -> None:
    for sample in log["samples"]:
        sample["input"] = "Another question?"


def lose_grades(log: dict[str, Any]) -> None:
    for sample in log["samples"][:3]:
        sample["scores"]["match"]["value"] = "great"


@pytest.mark.parametrize(
    ("change", "code", "text"),
    [
        (ask_otherwise, "questions_changed", "200 of 200 questions read differently behind the same ids"),
        (lose_grades, "answers_ungraded", "3 of 200 answers of the candidate failed or could not be graded"),
    ],
)
def test_a_reader_is_warned(tmp_path: Path, change: Edit, code: str, text: str) -> None:
    found = {warning.code: warning.text for warning in judge(tmp_path, *write_pair(tmp_path, change)).warnings}

    assert text in found[code]


def test_a_word_that_is_no_grade_is_quoted_unless_redacted(tmp_path: Path) -> None:
    path = edit(write_inspect(tmp_path / "log.json", RIGHT), lose_grades)

    assert any("match graded with the word 'great'" in note for note in read(path, score="match").notes)
    assert not any("great" in note for note in read(path, score="match", redact=True).notes)


def test_the_same_epoch_twice_is_refused(tmp_path: Path) -> None:
    path = edit(write_inspect(tmp_path / "log.json", RIGHT), lambda log: log["samples"].append(log["samples"][0]))

    with pytest.raises(PredictionsError, match="2 answers to the question q0 in epoch 1"):
        read(path, score="match")


def test_where_names_the_values_that_exist() -> None:
    with pytest.raises(PredictionsError, match=r"no answer has metadata\.topic: chess") as raised:
        read(GOLDEN / "inspect-0.3.285.json", score="match", where={"metadata.topic": "chess"})

    assert raised.value.expected == "metadata.topic: products, sums."


def set_costs(values: list[float | None]) -> Edit:
    def change(log: dict[str, Any]) -> None:
        for sample, value in zip(log["samples"], values * 200, strict=False):
            sample["model_usage"]["mockllm/model"]["total_cost"] = value

    return change


def test_a_negative_cost_passes_no_gate(tmp_path: Path) -> None:
    pair = write_pair(tmp_path, set_costs([-1.0]), set_costs([0.01]))

    assert judge(tmp_path, *pair, metric="mean(cost)", rule="max_increase: 20%").gates[0].outcome is Outcome.ERROR


def test_costs_that_only_some_answers_have_are_counted(tmp_path: Path) -> None:
    grades: Grades = {f"q{number}": ["C", "C"] for number in range(40)}
    path = edit(write_inspect(tmp_path / "log.json", grades), set_costs([0.01, None]))

    assert "Known of 80 answers are the cost of 40 alone." in read(path, score="match").notes


@pytest.mark.parametrize("name", ["answers", "Cost", "target"])
def test_a_score_that_is_called_like_a_count_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(PredictionsError, match="has the name of something else"):
        read(write_inspect(tmp_path / "log.json", RIGHT, scorer=name), score=name)


def test_a_score_hides_a_fact_of_the_same_name(tmp_path: Path) -> None:
    assert read(write_inspect(tmp_path / "log.json", RIGHT, scorer="Task"), score="Task").rows == 200


def test_promptfoos_assertion_on_cost_is_not_the_cost(tmp_path: Path) -> None:
    log = json.loads((GOLDEN / "promptfoo-0.121.20.json").read_text(encoding="utf-8"))
    for row in log["results"]["results"]:
        row["namedScores"]["cost"] = 1
    path = tmp_path / "out.json"
    path.write_text(json.dumps(log), encoding="utf-8")
    found = read(path, score="named.cost")

    assert found.sample.columns["cost"].max() < 1
    assert found.sample.columns["named.cost"].tolist() == [1.0] * found.rows


def test_deepevals_cases_with_one_name_stay_apart(tmp_path: Path) -> None:
    run = json.loads((GOLDEN / "deepeval-4.3.1.json").read_text(encoding="utf-8"))
    for case in run["testCases"]:
        case["name"], case["expectedOutput"] = "test_support", None
    path = tmp_path / "test_run.json"
    path.write_text(json.dumps(run), encoding="utf-8")

    assert read(path, score="Correct").rows == 10
