from pathlib import Path

import duckdb
import numpy as np
import pytest

from metricgate.errors import PredictionsError
from metricgate.models.result import Pairing
from metricgate.models.snapshot import FilePart
from metricgate.predictions import FreshRows, note_fresh_rows, read_predictions
from metricgate.predictions.fresh_rows import compare_answers, count_new_rows, read_ids, sort_rows_out
from metricgate.predictions.prediction_table import open_table, require_joinable
from metricgate.predictions.row_keys import RowKeys
from metricgate.settings.policy import PredictionsSpec
from tests.predictions.conftest import write_parquet

SPEC = PredictionsSpec(path="p.csv", id=("id",), label="y", score="s")


def write(path: Path, *rows: str, header: str = "id,y,s") -> Path:
    path.write_text("\n".join([header, *rows]) + "\n", encoding="utf-8")
    return path


def ids(*values: int) -> RowKeys:
    return RowKeys(kind="integer", values=np.array(values, dtype=np.int64))


def test_only_new_rows_in_nobodys_training_data_are_fresh() -> None:
    found = sort_rows_out(ids(1, 2, 3), ids(3, 2, 4, 5, 6, 7), [ids(4, 9), ids(5)], [ids(5, 6)])

    assert found.fresh.values.tolist() == [7]
    assert found.counts == FreshRows(new=4, fresh=1, by_baseline=2, by_candidate=2)
    assert found.comparable == 3


def test_a_row_of_both_test_sets_that_a_model_was_trained_on_is_left_out() -> None:
    found = sort_rows_out(ids(1, 2, 3), ids(2, 3, 4), [], [ids(1, 2)])

    assert found.stored.tolist() == [True, False, True]
    assert (found.counts.common_trained, found.counts.trained, found.comparable) == (1, 1, 2)


def test_ids_as_numbers_in_one_file_and_as_text_in_another_are_the_same_ids(tmp_path: Path) -> None:
    stored = read_ids(write(tmp_path / "stored.csv", "a1,1,0.5", "7,0,0.5"), ("id",), shown="stored")
    candidate = read_ids(write(tmp_path / "candidate.csv", "7,0,0.5", "8,1,0.5"), ("id",), shown="candidate")
    training = read_ids(write(tmp_path / "train.csv", "8", "x9", header="id"), ("id",), shown="train")

    assert {stored.kind, candidate.kind, training.kind} == {"text", "integer"}
    assert count_new_rows(stored, candidate) == 1
    assert sort_rows_out(stored, candidate, [training], []).counts == FreshRows(new=1, fresh=0, by_baseline=1)


def test_ids_that_a_reader_takes_for_the_same_number_are_the_same_ids(tmp_path: Path) -> None:
    """pandas reads 0042 as 42, and writes 42 as 42.0 from a column that once had a gap."""
    stored = read_ids(write(tmp_path / "stored.csv", "7,0,0.5"), ("id",), shown="stored")
    texts = [f"{number},0,0.5" for number in (7, 42, 43, 10, -5)]
    candidate = read_ids(write(tmp_path / "candidate.csv", *texts), ("id",), shown="candidate")
    padded = read_ids(write(tmp_path / "padded.csv", "0042", "-05", header="id"), ("id",), shown="train")
    gapped = read_ids(write(tmp_path / "gapped.csv", "43.0", "10.0", "a100", header="id"), ("id",), shown="train")

    found = sort_rows_out(stored, candidate, [padded], [gapped])

    assert found.counts == FreshRows(new=4, fresh=0, by_baseline=2, by_candidate=2)


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        (
            FreshRows(new=980, fresh=0, by_baseline=980),
            "980 rows are new. All are left out: the baseline was trained on them, as happens when the split moves.",
        ),
        (
            FreshRows(new=1, fresh=1),
            (
                "1 row is new. On it, fresh for both models, the baseline's stored model was evaluated in this run "
                "(`evaluation`)."
            ),
        ),
        (
            FreshRows(new=9, fresh=8, by_candidate=1),
            "9 rows are new. 1 of them is left out: the candidate was trained on",
        ),
        (
            FreshRows(new=1200, fresh=85, by_baseline=1110, by_candidate=10, common_trained=2),
            (
                "1,115 of them are left out: the baseline was trained on 1,110 of them, the candidate on 10. "
                "On the other 85, fresh for both models, the baseline's stored model was evaluated in this run "
                "(`evaluation`). 2 rows are in both test sets and in training data: left out."
            ),
        ),
    ],
)
def test_what_became_of_new_rows_is_one_readable_text(rows: FreshRows, said: str) -> None:
    assert said in rows.describe()


def test_a_pairing_counts_rows_as_the_files_hold_them() -> None:
    joined = Pairing(
        path="p.csv", task="binary", method="id", rows=90, baseline_rows=100, candidate_rows=130,
        only_baseline=10, only_candidate=40, notes=("old", "kept"),
    )  # fmt: skip

    noted = note_fresh_rows(joined, FreshRows(new=60, fresh=20, by_baseline=40))

    assert (noted.baseline_rows, noted.fresh, noted.trained, noted.test_set_changed) == (80, 20, 40, True)
    assert noted.notes[0].endswith(
        "10 rows are only in the baseline's predictions: the candidate's worst answers are assumed there."
    )
    assert noted.notes[1:] == ("kept",)


def part(path: Path, *selected: bool) -> FilePart:
    return FilePart(file=path, selected=np.array(selected))


def test_joined_rows_keep_their_text_whatever_order_the_columns_are_in(tmp_path: Path) -> None:
    one = write(tmp_path / "one.csv", "007,1,0.25", "8,0,0.5")
    other = write(tmp_path / "other.csv", "1,0.75,9", "0,0.125,10", header="y,s,id")

    joined = read_predictions([part(one, True, False), part(other, False, True)], SPEC)

    assert joined.ids is not None
    assert joined.sample.scores is not None
    assert joined.ids.kind == "text"
    assert sorted(joined.sample.scores.tolist()) == [0.125, 0.25]


@pytest.mark.parametrize("suffix", ["csv", "parquet", "jsonl"])
def test_joined_rows_are_the_selected_ones_in_the_order_of_their_files(tmp_path: Path, suffix: str) -> None:
    numbers = np.arange(30_000)
    rng = np.random.default_rng(7)
    masks = [rng.random(len(numbers)) < share for share in (0.7, 0.2)]
    files = [tmp_path / f"{name}.{suffix}" for name in ("one", "other")]
    options = {"csv": "FORMAT csv", "parquet": "FORMAT parquet, ROW_GROUP_SIZE 2048", "jsonl": "FORMAT json"}[suffix]
    for file, start in zip(files, (0, 50_000), strict=True):
        query = f"SELECT i + {start} AS id, 'x' AS y FROM range(30000) t(i)"  # noqa: S608  constants
        duckdb.sql(f"COPY ({query}) TO '{file}' ({options})")

    parts = [FilePart(file=file, selected=mask) for file, mask in zip(files, masks, strict=True)]
    with open_table(parts, "p") as table:
        found = table.fetch("id::BIGINT")

    assert found.tolist() == [*numbers[masks[0]].tolist(), *(numbers[masks[1]] + 50_000).tolist()]


def test_a_column_that_one_file_lacks_is_empty_in_its_rows(tmp_path: Path) -> None:
    one = write(tmp_path / "one.csv", "1,1,0.25,a", header="id,y,s,plan")
    other = write(tmp_path / "other.csv", "2,0,0.5")

    spec = SPEC.model_copy(update={"slices": ("plan",)})
    joined = read_predictions([part(one, True), part(other, True)], spec)

    assert joined.slices["plan"].codes.tolist() == [0, -1]


def test_files_whose_values_no_type_holds_are_refused_before_they_are_judged(tmp_path: Path) -> None:
    one, other = tmp_path / "one.jsonl", tmp_path / "other.jsonl"
    one.write_text('{"id": 1, "note": 1}\n{"id": 2, "note": "x"}\n', encoding="utf-8")
    other.write_text('{"id": 3, "note": [1]}\n{"id": 4, "note": [2]}\n', encoding="utf-8")
    dates = tmp_path / "dates.parquet"
    write_parquet(dates, "(5, DATE '2026-01-01')", "id, note")

    with pytest.raises(PredictionsError, match=r"p\.csv cannot be read: "):
        require_joinable([part(other, True, True), part(dates, True)], "p.csv")
    require_joinable([part(one, True, True), part(one, False, True)], "p.csv")


@pytest.mark.parametrize(("score", "differing"), [("0.50000001", 0), ("0.49", 1)])
def test_a_model_that_answers_otherwise_on_a_row_it_answered_before_is_another_one(
    tmp_path: Path, score: str, differing: int
) -> None:
    stored = read_predictions(write(tmp_path / "stored.csv", "1,1,0.5", "2,0,0.2", "3,1,0.9"), SPEC)
    again = read_predictions(write(tmp_path / "again.csv", f"1,1,{score}", "2,0,0.2", "4,1,0.1"), SPEC)

    assert compare_answers(stored, again) == (differing, 2)


def test_answers_without_a_row_in_common_cannot_be_compared(tmp_path: Path) -> None:
    stored = read_predictions(write(tmp_path / "stored.csv", "1,1,0.5", "2,0,0.2"), SPEC)
    again = read_predictions(write(tmp_path / "again.csv", "3,1,0.5", "4,0,0.2"), SPEC)

    assert compare_answers(stored, again) == (0, 0)
