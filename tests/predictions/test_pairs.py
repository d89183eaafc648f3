import numpy as np
import pytest

from metricgate.errors import PredictionsError
from metricgate.predictions import pair_predictions
from tests.predictions.conftest import ReadTable

BASELINE = """
id label score plan
3  1     0.9   a
1  0     0.2   b
2  1     0.4   a
"""
CANDIDATE = """
id label score plan
2  1     0.6   a
4  0     0.1   b
3  1     0.8   b
1  1     0.3   b
"""
ROLES = {"id": "id", "label": "label", "score": "score", "slices": "plan"}


def test_common_rows_with_equal_labels_are_paired_in_the_order_of_their_ids(read_table: ReadTable) -> None:
    paired = pair_predictions(read_table(BASELINE, **ROLES), read_table(CANDIDATE, **ROLES))

    assert paired.pair.baseline.scores is not None
    assert paired.pair.candidate.scores is not None
    assert paired.pair.baseline.scores.tolist() == [0.4, 0.9]
    assert paired.pair.candidate.scores.tolist() == [0.6, 0.8]
    facts = paired.pairing
    assert (facts.rows, facts.only_baseline, facts.only_candidate, facts.label_differs) == (2, 0, 1, 1)
    assert facts.test_set_changed
    assert not facts.identical


def test_the_order_of_the_file_does_not_matter(read_table: ReadTable) -> None:
    lines = CANDIDATE.strip().splitlines()
    turned = "\n".join([lines[0], *reversed(lines[1:])])

    straight = pair_predictions(read_table(BASELINE, **ROLES), read_table(CANDIDATE, **ROLES))
    other = pair_predictions(read_table(BASELINE, **ROLES), read_table(turned, **ROLES))

    assert straight.pairing == other.pairing
    assert np.array_equal(straight.pair.candidate.scores, other.pair.candidate.scores)  # type: ignore[arg-type]


def test_a_candidate_cannot_move_rows_between_slices(read_table: ReadTable) -> None:
    paired = pair_predictions(read_table(BASELINE, **ROLES), read_table(CANDIDATE, **ROLES))

    plan = paired.slices["plan"]
    assert [plan.values[code] for code in plan.codes] == ["a", "a"]
    assert "1 rows have another plan in the candidate; the baseline's is used." in paired.pairing.notes


def test_identical_predictions_are_known_as_such(read_table: ReadTable) -> None:
    paired = pair_predictions(read_table(BASELINE, **ROLES), read_table(BASELINE, **ROLES))

    assert paired.pairing.identical
    assert not paired.pairing.test_set_changed


def test_rows_on_one_side_only_are_refused_when_asked(read_table: ReadTable) -> None:
    strict = {**ROLES, "on_unpaired": "refuse"}

    with pytest.raises(PredictionsError, match=r"1 rows are only in the candidate's predictions"):
        pair_predictions(read_table(BASELINE, **strict), read_table(CANDIDATE, **ROLES))


def test_without_ids_rows_pair_in_order_when_labels_agree(read_table: ReadTable) -> None:
    table = "label prediction\n1 1\n0 1\n1 0"
    paired = pair_predictions(
        read_table(table, label="label", prediction="prediction"),
        read_table(table.replace("0 1", "0 0"), label="label", prediction="prediction"),
    )

    assert paired.pairing.method == "order"
    assert paired.pairing.rows == 3
    assert paired.pair.candidate.prediction is not None
    assert paired.pair.candidate.prediction.tolist() == [1, 0, 0]


def test_without_ids_other_labels_are_refused_with_the_cure(read_table: ReadTable) -> None:
    roles = {"label": "label", "prediction": "prediction"}

    with pytest.raises(PredictionsError, match=r"1 labels differ, the first in row 2.*`id` column"):
        pair_predictions(
            read_table("label prediction\n1 1\n0 1", **roles), read_table("label prediction\n1 1\n1 1", **roles)
        )


def test_ids_that_share_nothing_are_refused(read_table: ReadTable) -> None:
    with pytest.raises(PredictionsError, match="no id in common"):
        pair_predictions(
            read_table(BASELINE, **ROLES), read_table("id label score plan\n9 1 0.5 a\n8 0 0.5 a", **ROLES)
        )
