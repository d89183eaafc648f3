"""Logs of evaluation tools: golden ones, made by scripts/golden_logs.py, and damaged ones."""

import json
import shutil
import zipfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from metricgate.errors import PredictionsError
from metricgate.predictions import Predictions, infer_spec, read_predictions
from metricgate.predictions.column_roles import ColumnOptions
from metricgate.predictions.evaluation_logs.log_files import open_archive
from metricgate.settings.policy import PredictionsSpec

GOLDEN = Path(__file__).parent / "golden"
INSPECT = GOLDEN / "inspect-0.3.285.eval"
PROMPTFOO = GOLDEN / "promptfoo-0.121.20.json"
DEEPEVAL = GOLDEN / "deepeval-4.3.1.json"


def list_golden(pattern: str) -> list[Any]:
    found = sorted(GOLDEN.glob(pattern))
    assert found
    return [pytest.param(path, id=path.name) for path in found]


def read(path: Path, **roles: object) -> Predictions:
    spec = PredictionsSpec.model_validate({"path": path.name, **roles})
    return read_predictions(path, spec, shown=path.name)


def mean(predictions: Predictions, column: str) -> float:
    return float(predictions.sample.columns[column].mean())


def read_header(path: Path) -> dict[str, Any]:
    if path.suffix == ".json":
        return dict(json.loads(path.read_text(encoding="utf-8")))
    with open_archive(path, path.name) as archive:
        return dict(archive.read_json("header.json"))


@pytest.mark.parametrize("path", list_golden("inspect-*"))
@pytest.mark.parametrize("scorer", ["match", "includes"])
def test_inspects_accuracy_is_the_mean_of_the_questions(path: Path, scorer: str) -> None:
    own = {score["name"]: score["metrics"]["accuracy"]["value"] for score in read_header(path)["results"]["scores"]}
    found = read(path, score=scorer)

    assert mean(found, scorer) == pytest.approx(own[scorer], abs=1e-9)
    assert found.rows == 10
    assert found.questions is not None
    assert {len(answers) for answers in found.questions.answers} == {3}


@pytest.mark.parametrize("folder", list_golden("lm-eval-*"))
@pytest.mark.parametrize("chosen", ["first", "majority"])
def test_the_harness_metric_is_the_mean_of_the_documents(folder: Path, chosen: str) -> None:
    (results,) = folder.glob("results_*.json")
    own = json.loads(results.read_text(encoding="utf-8"))["results"]["small_sums"][f"exact_match,{chosen}"]

    assert mean(read(folder, where={"filter": chosen}), "exact_match") == pytest.approx(own, abs=1e-9)


@pytest.mark.parametrize("path", list_golden("promptfoo-*"))
def test_promptfoos_pass_rate_is_the_mean_of_the_questions(path: Path) -> None:
    whole = json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))["results"]
    own, stats = whole["prompts"][0]["metrics"], whole["stats"]
    total = stats["successes"] + stats["failures"]

    assert mean(read(path, score="success"), "success") == pytest.approx(stats["successes"] / total, abs=1e-9)
    assert mean(read(path, score="correct"), "correct") == pytest.approx(
        own["namedScores"]["correct"] / total, abs=1e-9
    )
    assert mean(read(path, score="score"), "score") == pytest.approx(own["score"] / total, abs=1e-9)
    assert mean(read(path, score="score"), "cost") * total == pytest.approx(own["cost"], abs=1e-9)
    assert mean(read(path, score="score"), "tokens") * total == pytest.approx(own["tokenUsage"]["total"], abs=1e-9)


@pytest.mark.parametrize("path", list_golden("deepeval-*.json"))
def test_deepevals_mean_is_the_mean_of_the_cases(path: Path) -> None:
    (own,) = json.loads(path.read_text(encoding="utf-8"))["metricsScores"]

    assert mean(read(path), "Correct") == pytest.approx(sum(own["scores"]) / len(own["scores"]), abs=1e-9)


def test_both_forms_of_a_log_hold_the_same_questions() -> None:
    archive, whole = read(INSPECT, score="match"), read(INSPECT.with_suffix(".json"), score="match")

    assert archive.ids is not None
    assert whole.ids is not None
    assert archive.ids.equals(whole.ids)
    assert list(archive.sample.columns["match"]) == list(whole.sample.columns["match"])
    assert archive.sample.answer_hash is not None
    assert whole.sample.answer_hash is not None
    assert list(archive.sample.answer_hash) == list(whole.sample.answer_hash)


def test_metadata_are_slices_and_a_passage_is_taken_for_a_group() -> None:
    found = read(INSPECT, score="match", slices=["metadata.topic"])

    assert found.slices["metadata.topic"].values == ("products", "sums")
    assert found.spec.group == "metadata.passage"
    assert any("metadata.passage count as one group" in note for note in found.notes)


def test_the_only_score_needs_no_name() -> None:
    assert infer_spec(DEEPEVAL).score == "Correct"


def test_where_takes_the_named_rows_alone() -> None:
    found = read(INSPECT, score="match", where={"metadata.topic": "sums", "epoch": [1, 2]})

    assert found.rows == 5
    assert found.questions is not None
    assert {len(answers) for answers in found.questions.answers} == {2}


def damage_status(log: dict[str, Any]) -> None:
    log["status"] = "started"


def damage_samples(log: dict[str, Any]) -> None:
    log["samples"] = []


def lose_samples(log: dict[str, Any]) -> None:
    log["samples"] = log["samples"][:-1]


def lose_results(log: dict[str, Any]) -> None:
    del log["eval"]["task"]
    log["eval"] = None


@pytest.mark.parametrize(
    ("damage", "reason"),
    [
        (damage_status, "has the status 'started'"),
        (damage_samples, "holds no samples"),
        (lose_samples, "holds 29 of 30 samples"),
        (lose_results, "is not a log of Inspect"),
    ],
)
def test_an_unfinished_log_is_refused(tmp_path: Path, damage: Callable[[dict[str, Any]], None], reason: str) -> None:
    log = json.loads(INSPECT.with_suffix(".json").read_text(encoding="utf-8"))
    damage(log)
    path = tmp_path / "log.json"
    path.write_text(json.dumps(log), encoding="utf-8")

    with pytest.raises(PredictionsError, match=reason):
        read(path, format="inspect", score="match")


@pytest.mark.parametrize("share", [0.001, 0.5, 0.99])
def test_a_truncated_archive_is_refused(tmp_path: Path, share: float) -> None:
    path = tmp_path / "cut.eval"
    content = INSPECT.read_bytes()
    path.write_bytes(content[: int(len(content) * share)])

    with pytest.raises(PredictionsError, match="not a complete zip archive"):
        read(path, score="match")


def test_a_flipped_byte_in_a_sample_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "flipped.eval"
    content = bytearray(INSPECT.read_bytes())
    content[3000] ^= 0xFF
    path.write_bytes(bytes(content))

    with pytest.raises(PredictionsError, match=r"not a complete zip archive|not valid JSON|not text in UTF-8"):
        read(path, score="match")


def test_an_archive_that_is_still_written_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "running.eval"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("_journal/start.json", "{}")

    with pytest.raises(PredictionsError, match="has not ended"):
        read(path, score="match")


def test_text_that_is_not_utf8_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "latin.json"
    path.write_bytes(PROMPTFOO.read_bytes().replace(b"arithmetic", b"arithm\xe9tique"))

    with pytest.raises(PredictionsError, match="not text in UTF-8"):
        read(path, score="success")


def test_json_of_another_tool_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "other.json"
    path.write_text('{"spec": {"completion_fns": ["x"]}}\n', encoding="utf-8")

    with pytest.raises(PredictionsError, match="no log of inspect"):
        read(path, format="inspect", score="match")
    with pytest.raises(PredictionsError, match="is a log of promptfoo, not of inspect"):
        read(PROMPTFOO, format="inspect", score="success")


def test_two_tasks_are_refused_until_one_is_chosen(tmp_path: Path) -> None:
    (samples,) = (GOLDEN / "lm-eval-0.4.13").glob("samples_*.jsonl")
    for task in ("first", "second"):
        shutil.copy(samples, tmp_path / samples.name.replace("small_sums", task))

    chosen = {"filter": "first"}
    with pytest.raises(PredictionsError, match="holds 2 tasks: first, second"):
        read(tmp_path, where=chosen)
    assert read(tmp_path, where={**chosen, "task": "second"}).rows == 10
    assert read(tmp_path, where=chosen, id=["task", "id"]).rows == 20
    assert read(tmp_path / "samples_*.jsonl", where=chosen, id=["task", "id"]).rows == 20


def test_an_older_log_beside_the_newest_is_refused(tmp_path: Path) -> None:
    shutil.copy(INSPECT, tmp_path / "2026-11-25.eval")
    shutil.copy(INSPECT, tmp_path / "2026-11-26.eval")

    with pytest.raises(PredictionsError, match="both hold the answer to the question"):
        read(tmp_path, score="match")


@pytest.mark.parametrize(
    ("roles", "reason"),
    [
        ({}, "has 2 scores, and none is chosen"),
        ({"score": "matsch"}, "has no score 'matsch'. Did you mean 'match'"),
        ({"score": "match", "where": {"metadata.topik": "sums"}}, "Did you mean 'metadata.topic'"),
        ({"score": "match", "where": {"epoch": 7}}, "no answer has epoch: 7"),
        ({"score": "match", "slices": ["metadata.none"]}, "has no column 'metadata.none'"),
    ],
)
def test_what_a_log_does_not_hold_is_named(roles: dict[str, Any], reason: str) -> None:
    with pytest.raises(PredictionsError, match=reason):
        read(INSPECT, **roles)


def test_several_filters_need_a_choice() -> None:
    with pytest.raises(PredictionsError, match="with the filters first, majority"):
        read(GOLDEN / "lm-eval-0.4.13")


def test_a_log_can_still_be_read_by_hand() -> None:
    (samples,) = (GOLDEN / "lm-eval-0.4.13").glob("samples_*.jsonl")
    roles = {"id": "doc.id", "score": "exact_match", "slices": ["doc.topic"], "where": {"filter": "majority"}}
    found = read(samples, task="score", **roles)

    assert found.rows == 10
    assert found.questions is None
    assert found.slices["doc.topic"].values == ("products", "sums")


def test_failed_answers_are_counted(tmp_path: Path) -> None:
    log = json.loads(INSPECT.with_suffix(".json").read_text(encoding="utf-8"))
    failed = log["samples"][0]
    failed["error"], failed["scores"] = {"message": "429 Too Many Requests\nat provider"}, None
    path = tmp_path / "failed.json"
    path.write_text(json.dumps(log), encoding="utf-8")
    found = read(path, score="match")

    assert mean(found, "match") == pytest.approx((19 - 1) / 30)
    assert any(
        "1 of 30 answers failed or could not be graded (the first: 429 Too Many Requests): each counts as 0" in note
        for note in found.notes
    )


def test_options_choose_columns_of_a_log() -> None:
    spec = infer_spec(INSPECT, ColumnOptions(score="match", slices=("metadata.topic",), where={"epoch": ("1",)}))

    assert (spec.format, spec.task, spec.where) == ("inspect", "score", {"epoch": ("1",)})


ROWS = """\
{"meta": {"q": "a", "topic": "x"}, "try": 1, "judge": {"grade": 1}, "cost": 0.5}
{"meta": {"q": "a", "topic": "x"}, "try": 2, "judge": {"grade": 0}, "cost": 0.5}
{"meta": {"q": "b", "topic": "y"}, "try": 1, "judge": {"grade": 1}, "cost": 0.25}
{"meta": {"q": "b", "topic": "y"}, "try": 2, "judge": {"grade": null}, "cost": 0.25}
{"meta": {"q": "c", "topic": "y"}, "try": 1, "judge": {"grade": 1}, "cost": 1}
"""
BY_HAND = {"id": "meta.q", "answer": "try", "score": "judge.grade", "slices": ["meta.topic"], "task": "score"}


def test_answers_written_by_hand_are_averaged_by_question(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_text(ROWS, encoding="utf-8")
    found = read(path, **BY_HAND)

    assert found.rows == 3
    assert sorted(found.sample.columns["judge.grade"]) == [0.5, 0.5, 1.0]
    assert mean(found, "cost") == pytest.approx((0.5 + 0.25 + 1) / 3)
    assert found.slices["meta.topic"].values == ("x", "y")
    assert any("1 of 5 answers failed or could not be graded" in note for note in found.notes)


def test_an_answer_that_stands_there_twice_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_text(ROWS + ROWS, encoding="utf-8")

    with pytest.raises(PredictionsError, match="5 answers stand there twice"):
        read(path, **BY_HAND)


JUNK = [None, 0, -1, "", "x", [], {}, [1], {"a": 1}, True, "\ud800", float("nan"), 10**400]


def list_places(value: Any, place: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """List where a JSON value has parts; of each list the first two."""
    parts = value.items() if isinstance(value, dict) else enumerate(value[:2]) if isinstance(value, list) else ()
    return [place, *(inner for key, part in parts for inner in list_places(part, (*place, key)))]


@pytest.mark.parametrize(
    ("name", "score"),
    [
        ("inspect-0.3.285.json", "match"),
        ("promptfoo-0.121.20.json", "correct"),
        ("promptfoo-0.121.20.jsonl", "correct"),
        ("deepeval-4.3.1.json", "Correct"),
        ("lm-eval-0.4.13/samples_*.jsonl", "exact_match"),
    ],
)
def test_a_log_with_a_wrong_value_anywhere_is_read_or_refused(tmp_path: Path, name: str, score: str) -> None:
    (golden,) = GOLDEN.glob(name)
    lines = golden.suffix == ".jsonl"
    text = golden.read_text(encoding="utf-8")
    original: Any = [json.loads(line) for line in text.splitlines()] if lines else json.loads(text)
    for sample in original["samples"] if name.startswith("inspect") else ():
        sample["events"] = sample["messages"] = []  # are not read
    places = list_places(original)[1:]
    path = tmp_path / golden.name
    rng = np.random.default_rng(1)
    for _ in range(12):
        changed = json.loads(json.dumps(original))
        *way, last = places[rng.integers(len(places))]
        inner: Any = changed
        for key in way:
            inner = inner[key]
        inner[last] = JUNK[rng.integers(len(JUNK))]
        path.write_text("\n".join(map(json.dumps, changed)) if lines else json.dumps(changed), encoding="utf-8")
        where = {"filter": "first"} if name.startswith("lm-eval") else {}
        with suppress(PredictionsError):
            assert (
                read(
                    path, format=name.split("-0", maxsplit=1)[0].split("-4", maxsplit=1)[0], score=score, where=where
                ).rows
                <= 11
            )
