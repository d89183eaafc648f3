import numpy as np
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


@pytest.mark.parametrize(
    ("labels", "positive", "classes"),
    [
        ("1 0", None, ("0", "1")),
        ("1 -1", None, ("-1", "1")),
        ("true false", None, ("False", "True")),
        ("true false", 1, ("False", "True")),
        ("yes no", None, ("no", "yes")),
        ("1.0 0.0", None, ("0", "1")),
        ("0 0", None, ("0", "1")),
        ("1 1", None, ("", "1")),
        ("good bad", "bad", ("good", "bad")),
        ("good good", "bad", ("good", "bad")),
    ],
)
def test_the_positive_label_is_known_or_asked_for(
    read_table: ReadTable, labels: str, positive: object, classes: tuple[str, str]
) -> None:
    one, other = labels.split()

    found = read_table(f"y p\n{one} 0.7\n{other} 0.2", label="y", score="p", positive=positive)

    assert found.classes == classes
    assert found.positive_label == classes[1]


@pytest.mark.parametrize("labels", ["gone stayed", "1 2", "2 3", "x x"])
def test_an_unknown_positive_label_is_asked_for(read_table: ReadTable, labels: str) -> None:
    one, other = labels.split()

    with pytest.raises(PredictionsError, match="neither is known as positive"):
        read_table(f"y p\n{one} 0.7\n{other} 0.5", label="y", score="p")


def test_a_positive_label_that_no_row_has_is_refused(read_table: ReadTable) -> None:
    with pytest.raises(PredictionsError, match="values No, Yes, and none of them is the positive label 'churn'"):
        read_table("y p\nYes 0.7\nNo 0.5", label="y", score="p", positive="churn")


@pytest.mark.parametrize(
    ("table", "roles", "task"),
    [
        ("y p\n1 0.7\n0 0.2", {"label": "y", "score": "p"}, "binary"),
        ("y p\n1 1\n0 0", {"label": "y", "prediction": "p"}, "binary"),
        ("y p\n1 1\n2 0\n0 1", {"label": "y", "prediction": "p"}, "multiclass"),
        ("y p\na b\nb a\nc a", {"label": "y", "prediction": "p"}, "multiclass"),
        ("y p\n1.5 1\n2 0.1", {"label": "y", "prediction": "p"}, "regression"),
        ("y p\n1 1.5\n2 2.5\n3 1", {"label": "y", "prediction": "p"}, "regression"),
        ("y a b\na 0.1 0.9\nb 0.2 0.8", {"label": "y", "scores": {"a": "a", "b": "b"}}, "multiclass"),
        ("j\n4\n5", {"score": "j"}, "score"),
        ("y p\n1 1\n0 0", {"label": "y", "prediction": "p", "task": "regression"}, "regression"),
    ],
)
def test_the_task_follows_from_roles_and_labels(
    read_table: ReadTable, table: str, roles: dict[str, object], task: str
) -> None:
    assert read_table(table, **roles).spec.task == task


def test_many_different_whole_numbers_are_a_regression(read_table: ReadTable) -> None:
    rows = "\n".join(f"{value} {value}" for value in range(21))

    assert read_table(f"y p\n{rows}", label="y", prediction="p").task == "regression"


def test_the_class_with_the_highest_score_is_predicted(read_table: ReadTable) -> None:
    found = read_table(
        "y pa pb pc\nb 0.2 0.5 0.3\na 0.2 0.3 0.5", label="y", scores={"c": "pc", "a": "pa", "b": "pb"}
    ).sample

    assert found.classes == ("a", "b", "c")
    assert found.prediction is not None
    assert found.prediction.tolist() == [1, 2]
    assert found.scores is not None
    assert found.scores.tolist() == [[0.2, 0.5, 0.3], [0.2, 0.3, 0.5]]


def test_a_class_without_scores_is_refused(read_table: ReadTable) -> None:
    with pytest.raises(PredictionsError, match="names no column for the classes c"):
        read_table("y pa pb\nc 0.5 0.5\na 0.2 0.8", label="y", scores={"a": "pa", "b": "pb"})


def test_a_class_that_is_not_declared_is_refused(read_table: ReadTable) -> None:
    with pytest.raises(PredictionsError, match="classes that are not declared: c"):
        read_table("y p\na a\nb c", label="y", prediction="p", classes=["b", "a"])


def test_declared_classes_keep_their_order(read_table: ReadTable) -> None:
    found = read_table("y p\na a\nb b", label="y", prediction="p", classes=["b", "a", "z"]).sample

    assert found.classes == ("b", "a", "z")
    assert found.label is not None
    assert found.label.tolist() == [1, 0]


def test_three_labels_beside_a_score_are_refused(read_table: ReadTable) -> None:
    with pytest.raises(PredictionsError, match=r"column 'y' has 3 values \(0, 1, 2\)"):
        read_table("y p\n0 0.1\n1 0.2\n2 0.3", label="y", score="p")


def test_scores_that_are_no_probabilities_predict_nothing_without_a_threshold(read_table: ReadTable) -> None:
    table = "y p\n1 2.5\n0 -1"

    assert read_table(table, label="y", score="p").sample.prediction is None
    assert read_table(table, label="y", score="p", threshold=0).sample.prediction is not None


def test_a_missing_column_is_named_with_the_nearest_one(read_table: ReadTable) -> None:
    with pytest.raises(PredictionsError, match=r"no column 'churn' \(label\)\. Did you mean 'churned'\?.*churned, p"):
        read_table("churned p\n1 0.7\n0 0.5", label="churn", score="p")


@pytest.mark.parametrize("bad", ["nan", "inf", "-", "abc", "1e31"])
def test_a_score_that_is_no_finite_number_is_refused_with_its_row(read_table: ReadTable, bad: str) -> None:
    with pytest.raises(PredictionsError, match=r"'p' \(score\) cannot be used in 1 of 2 rows; the first is row 2"):
        read_table(f"y p\n1 0.7\n0 {bad}", label="y", score="p")


def test_a_column_as_good_as_zero_is_refused(read_table: ReadTable) -> None:
    """Squares of its values could not be told from zero, and an interval around them would have no width."""
    with pytest.raises(PredictionsError, match=r"'p' \(prediction\) holds no number larger than 2e-90"):
        read_table("y p\n1 1e-90\n2 -2e-90", label="y", prediction="p", task="regression")


@pytest.mark.parametrize("bad", ["nan", "-"])
@pytest.mark.parametrize("role", ["label", "prediction"])
def test_a_missing_label_or_prediction_is_refused_with_its_row(read_table: ReadTable, role: str, bad: str) -> None:
    cells = {"label": f"{bad} 1", "prediction": f"1 {bad}"}[role]

    with pytest.raises(PredictionsError, match=rf"\({role}\) cannot be used in 1 of 3 rows; the first is row 3"):
        read_table(f"y p\n1 1\n0 0\n{cells}", label="y", prediction="p", task="binary")


@pytest.mark.parametrize(
    ("weights", "message"),
    [("1 -2", "no negative weight"), ("0 0", "a positive weight somewhere"), ("1 x", "a finite number in every row")],
)
def test_weights_that_cannot_weigh_are_refused(read_table: ReadTable, weights: str, message: str) -> None:
    one, other = weights.split()

    with pytest.raises(PredictionsError, match=message):
        read_table(f"y p w\n1 0.7 {one}\n0 0.2 {other}", label="y", score="p", weight="w")


def test_repeated_ids_are_refused_with_an_example(read_table: ReadTable) -> None:
    message = r"1 row repeats the id of an earlier row, for example id = a in rows 1 and 3"

    with pytest.raises(PredictionsError, match=message):
        read_table("id y p\na 1 0.7\nb 0 0.5\na 0 0.1", id="id", label="y", score="p")


def test_an_id_of_two_columns_is_one_key(read_table: ReadTable) -> None:
    table = "prompt sample y p\na bc 1 0.7\nab c 0 0.5\na b 1 0.2"

    found = read_table(table, id=["prompt", "sample"], label="y", score="p")

    assert found.ids is not None
    assert len(np.unique(found.ids.values)) == 3


@pytest.mark.parametrize("role", ["id", "group"])
def test_a_row_without_id_or_group_is_refused(read_table: ReadTable, role: str) -> None:
    with pytest.raises(
        PredictionsError, match=rf"column 'k' \({role}\) cannot be used in 1 of 2 rows.*row 2: no value"
    ):
        read_table("k y p\n1 1 0.7\n- 0 0.5", **{role: "k"}, label="y", score="p")


def test_slices_keep_rows_without_a_value_and_say_so(read_table: ReadTable) -> None:
    found = read_table("y p plan\n1 0.7 b\n0 0.5 -\n1 0.2 a", label="y", score="p", slices=["plan"])

    assert found.slices["plan"].values == ("a", "b")
    assert found.slices["plan"].codes.tolist() == [1, -1, 0]
    assert "1 row has no plan, and is in no slice of it." in found.notes


def test_a_slice_column_with_too_many_values_is_refused(read_table: ReadTable) -> None:
    rows = "\n".join(f"1 0.5 v{number}" for number in range(51))

    with pytest.raises(PredictionsError, match=r"column 'plan' \(slices\) has more than 50 different values"):
        read_table(f"y p plan\n{rows}", label="y", score="p", slices=["plan"])


def test_columns_of_formulas_that_cannot_be_used_are_named_with_the_reason(read_table: ReadTable) -> None:
    found = read_table("y p cost odd\n1 0.7 3 x\n0 0.5 4 1", label="y", score="p", needed=("cost", "odd", "none"))

    assert {name: values.tolist() for name, values in found.sample.columns.items()} == {"cost": [3.0, 4.0]}
    assert "row 1: 'x'" in found.unusable["odd"]
    assert "no column 'none'" in found.unusable["none"]


def test_copies_of_a_row_are_counted_without_an_id(read_table: ReadTable) -> None:
    found = read_table("y p\n1 0.7\n0 0.5\n1 0.7\n1 0.7", label="y", score="p")

    assert found.duplicates == 2


def test_a_task_without_its_columns_is_refused(read_table: ReadTable) -> None:
    with pytest.raises(PredictionsError, match=r"no column is named as `prediction:` or `score:`"):
        read_table("y p\n1 0.7\n0 0.5", label="y")


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ("y p\nNo 0\nYes 1", r"'p' \(prediction\) has the values 0, 1, which 'y' \(label\) never has: No, Yes\."),
        ("y p\nNo No\nYes Yess", r"has the values Yess, which 'y' \(label\) never has: No, Yes\."),
        ("y p\na A\nb B\nc C", r"has the values A, B, C, which 'y' \(label\) never has: a, b, c\."),
        ("y p\n0 0.5\n1 0.25", r"'p' \(prediction\) has fractions, but 'y' \(label\) has the values 0, 1\."),
    ],
)
def test_predictions_in_another_spelling_are_refused(read_table: ReadTable, table: str, message: str) -> None:
    with pytest.raises(PredictionsError, match=message):
        read_table(table, label="y", prediction="p")


def test_true_and_1_are_one_label(read_table: ReadTable) -> None:
    found = read_table("y p\ntrue 1\nfalse 1", label="y", prediction="p").sample

    assert found.label is not None
    assert found.prediction is not None
    assert (found.label.tolist(), found.prediction.tolist()) == ([1, 0], [1, 1])


@pytest.mark.parametrize("answer", [0, 1])
def test_a_test_set_of_one_class_may_have_predictions_of_the_other(read_table: ReadTable, answer: int) -> None:
    found = read_table(f"y p\n0 1\n0 {answer}", label="y", prediction="p").sample

    assert found.classes == ("0", "1")
