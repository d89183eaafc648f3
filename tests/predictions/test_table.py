import pytest

from metricgate.errors import PredictionsError
from tests.predictions.conftest import ReadTable


def test_labels_are_coded_by_the_positive_one(read_table: ReadTable) -> None:
    found = read_table("churned p\nYes 0.7\nNo 0.5\nNo 0.1", label="churned", score="p")

    assert found.task == "binary"
    assert found.classes == ("No", "Yes")
    assert found.sample.label is not None
    assert found.sample.label.tolist() == [1, 0, 0]
    assert found.sample.prediction is not None
    assert found.sample.prediction.tolist() == [1, 1, 0]


def test_a_missing_column_is_named_with_the_nearest_one(read_table: ReadTable) -> None:
    with pytest.raises(PredictionsError, match=r"no column 'churn' \(label\)\. Did you mean 'churned'\?.*churned, p"):
        read_table("churned p\n1 0.7\n0 0.5", label="churn", score="p")


@pytest.mark.parametrize("bad", ["nan", "inf", "-", "abc"])
def test_a_score_that_is_no_finite_number_is_refused_with_its_row(read_table: ReadTable, bad: str) -> None:
    with pytest.raises(
        PredictionsError, match=r"column 'p' \(score\) cannot be used in 1 of 2 rows; the first is row 2"
    ):
        read_table(f"y p\n1 0.7\n0 {bad}", label="y", score="p")


def test_repeated_ids_are_refused_with_an_example(read_table: ReadTable) -> None:
    with pytest.raises(
        PredictionsError, match=r"1 row repeats the id of an earlier row, for example id = a in rows 1 and 3"
    ):
        read_table("id y p\na 1 0.7\nb 0 0.5\na 0 0.1", id="id", label="y", score="p")


def test_an_unknown_positive_label_is_asked_for(read_table: ReadTable) -> None:
    with pytest.raises(PredictionsError, match=r"has the values gone, stayed, and neither is known as positive"):
        read_table("y p\ngone 0.7\nstayed 0.5", label="y", score="p")
