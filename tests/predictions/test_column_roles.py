import pytest

from metricgate.errors import PredictionsError
from metricgate.predictions import ColumnOptions, describe_spec, infer_spec
from tests.predictions.conftest import WriteTable


@pytest.mark.parametrize(
    ("table", "roles"),
    [
        ("id label score\n1 1 0.5\n2 0 0.5", {"id": ("id",), "label": "label", "score": "score"}),
        ("y_true y_pred\n1 1\n0 0", {"label": "y_true", "prediction": "y_pred", "id": ()}),
        ("customer_id churned churn_probability senior\n7 No 0.5 1\n8 Yes 0.5 0",
         {"id": ("customer_id",), "label": "churned", "score": "churn_probability"}),
        ("store_id visit_id target pred\n1 1 1 1\n1 2 0 1", {"id": ("visit_id",), "label": "target"}),
        ("store_id target pred\n1 1 1\n1 0 1", {"id": (), "label": "target"}),
        ("label prediction score\na a 0.5\nb b 0.4\nc b 0.4", {"prediction": "prediction", "score": None}),
        ("label p_a p_b p_c\na 0.5 0.2 0.3\nb 0.4 0.3 0.3\nc 0.2 0.2 0.6",
         {"scores": {"a": "p_a", "b": "p_b", "c": "p_c"}, "score": None}),
        ("target prediction\n1.5 2.5\n2.5 3", {"label": "target", "prediction": "prediction"}),
    ],
)  # fmt: skip
def test_roles_follow_from_names_and_values(write_table: WriteTable, table: str, roles: dict[str, object]) -> None:
    spec = infer_spec(write_table(table))

    assert {role: getattr(spec, role) for role in roles} == roles


def test_what_a_person_names_is_not_guessed(write_table: WriteTable) -> None:
    path = write_table("label label2 score s2 id\n1 0 0.5 0.1 4\n0 1 0.5 0.1 5")

    spec = infer_spec(path, ColumnOptions(label="label2", score="s2", id=("label", "id"), positive=0, task="binary"))

    assert (spec.label, spec.score, spec.id, spec.positive, spec.task) == ("label2", "s2", ("label", "id"), 0, "binary")


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ("label y score\n1 1 0.5\n0 0 0.4", r"the label could be any of the columns label, y\."),
        ("a_score b_score label\n1 1 1\n0 0 0", r"the score could be any of the columns a_score, b_score\."),
        ("one two score\n1 1 0.5\n0 0 0.4", r"the label could be any of the columns one, two\."),
        ("n score\n1 0.5\n2 0.4\n3 0.1", r"no column could be recognised as label\..*the columns are n, score"),
        ("label n\n1 0.5\n0 0.4\n1 0.1", r"no column could be recognised as prediction or score\."),
    ],
)
def test_what_cannot_be_known_is_asked_for(write_table: WriteTable, table: str, message: str) -> None:
    with pytest.raises(PredictionsError, match=message):
        infer_spec(write_table(table))


def test_an_option_that_names_no_column_is_refused(write_table: WriteTable) -> None:
    with pytest.raises(PredictionsError, match=r"no column 'scor' \(score\)\. Did you mean 'score'\?"):
        infer_spec(write_table("label score\n1 0.5\n0 0.1"), ColumnOptions(score="scor"))


def test_rows_without_labels_are_scores_when_asked(write_table: WriteTable) -> None:
    spec = infer_spec(write_table("judge_score\n4\n5"), ColumnOptions(task="score"))

    assert (spec.label, spec.score, spec.task) == (None, "judge_score", "score")


def test_a_sentence_says_which_column_has_which_role(write_table: WriteTable) -> None:
    spec = infer_spec(write_table("id label score\n1 1 0.5\n2 0 0.5"))

    assert describe_spec(spec) == "label: label; score: score; id: id; task: inferred from the label's values"
