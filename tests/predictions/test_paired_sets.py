from pathlib import Path

import numpy as np
import pytest

from metricgate.errors import PredictionsError
from metricgate.predictions import PairedSet, pair_predictions, read_predictions
from metricgate.settings.policy import PredictionsSpec
from tests.predictions.conftest import ReadTable, write_parquet

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


def list_rows(paired: PairedSet, part: str) -> list[tuple[float, float, float]]:
    """List label, baseline's and candidate's part of each row, sorted: rows without ids have no order of their own."""
    sides = [getattr(side, part).tolist() for side in (paired.pair.baseline, paired.pair.candidate)]
    return sorted(zip(np.asarray(paired.pair.baseline.label).tolist(), *sides, strict=True))


def test_common_rows_are_paired_in_the_order_of_their_ids_with_the_baselines_labels(read_table: ReadTable) -> None:
    paired = pair_predictions(read_table(BASELINE, **ROLES), read_table(CANDIDATE, **ROLES))

    assert paired.pair.baseline.scores is not None
    assert paired.pair.candidate.scores is not None
    assert paired.pair.baseline.scores.tolist() == [0.2, 0.4, 0.9]
    assert paired.pair.candidate.scores.tolist() == [0.3, 0.6, 0.8]
    assert list_rows(paired, "label") == [(0, 0, 0), (1, 1, 1), (1, 1, 1)]
    assert paired.new_label is not None
    assert paired.new_label.tolist() == [1, 1, 1]
    facts = paired.pairing
    assert (facts.rows, facts.only_baseline, facts.only_candidate, facts.label_differs) == (3, 0, 1, 1)
    assert facts.test_set_changed
    assert not facts.identical


def test_the_order_of_the_file_does_not_matter(read_table: ReadTable) -> None:
    lines = CANDIDATE.strip().splitlines()
    turned = "\n".join([lines[0], *reversed(lines[1:])])

    straight = pair_predictions(read_table(BASELINE, **ROLES), read_table(CANDIDATE, **ROLES))
    other = pair_predictions(read_table(BASELINE, **ROLES), read_table(turned, **ROLES))

    assert straight.pairing == other.pairing
    assert np.array_equal(straight.pair.candidate.scores, other.pair.candidate.scores)  # type: ignore[arg-type]


def test_the_order_that_both_files_share_does_not_matter(read_table: ReadTable) -> None:
    lines = BASELINE.strip().splitlines()
    turned = "\n".join([lines[0], *reversed(lines[1:])])

    straight = pair_predictions(read_table(BASELINE, **ROLES), read_table(BASELINE, **ROLES))
    other = pair_predictions(read_table(turned, **ROLES), read_table(turned, **ROLES))

    assert straight.pair.baseline.scores is not None
    assert other.pair.baseline.scores is not None
    assert straight.pair.baseline.scores.tolist() == other.pair.baseline.scores.tolist() == [0.2, 0.4, 0.9]


def test_a_candidate_cannot_move_rows_between_slices(read_table: ReadTable) -> None:
    paired = pair_predictions(read_table(BASELINE, **ROLES), read_table(CANDIDATE, **ROLES))

    plan = paired.slices["plan"]
    assert [plan.values[code] for code in plan.codes] == ["b", "a", "a"]
    assert "1 row has a different plan in the candidate; the baseline's is used." in paired.pairing.notes


def test_equal_answers_of_one_model_are_identical(read_table: ReadTable) -> None:
    paired = pair_predictions(read_table(BASELINE, **ROLES), read_table(BASELINE, **ROLES), same_model=True)

    assert paired.pairing.identical
    assert paired.pair.same_model
    assert not paired.pairing.test_set_changed


@pytest.mark.parametrize(("distinct", "identical"), [(29, False), (30, True)])
def test_equal_scores_prove_equality_from_thirty_distinct_ones_on(
    read_table: ReadTable, distinct: int, *, identical: bool
) -> None:
    text = "y p\n" + "\n".join(f"{row % 2} 0.{100 + row % distinct}" for row in range(60))

    paired = pair_predictions(read_table(text, label="y", score="p"), read_table(text, label="y", score="p"))

    assert paired.pairing.identical is identical


def test_equal_labels_prove_no_equality(read_table: ReadTable) -> None:
    text = "y p\n" + "\n".join(f"{row % 2} {row % 3 % 2}" for row in range(400))

    paired = pair_predictions(read_table(text, label="y", prediction="p"), read_table(text, label="y", prediction="p"))

    assert not paired.pairing.identical


def test_another_score_under_the_same_predictions_is_not_identical(read_table: ReadTable) -> None:
    baseline, candidate = (read_table(f"y p\n1 {score}\n0 0.2", label="y", score="p") for score in (0.7, 0.8))

    assert not pair_predictions(baseline, candidate, same_model=True).pairing.identical


def test_a_time_stamp_beside_equal_scores_does_not_matter(read_table: ReadTable) -> None:
    sides = [
        read_table(
            "y p at\n" + "\n".join(f"{row % 2} 0.{100 + row} {row + start}" for row in range(60)),
            label="y",
            score="p",
            needed=("at",),
        )
        for start in (0, 5000)
    ]

    assert pair_predictions(*sides).pairing.identical


def test_equal_predictions_beside_a_row_of_one_side_are_not_called_identical(read_table: ReadTable) -> None:
    paired = pair_predictions(read_table(BASELINE, **ROLES), read_table(f"{BASELINE.strip()}\n9 1 0.5 a", **ROLES))

    assert not paired.pairing.identical


def test_rows_on_one_side_only_are_refused_when_asked(read_table: ReadTable) -> None:
    strict = {**ROLES, "on_unpaired": "refuse"}

    with pytest.raises(
        PredictionsError,
        match=r"1 row is only in the candidate's: .* 1 row is labelled differently on the two sides: ",
    ):
        pair_predictions(read_table(BASELINE, **strict), read_table(CANDIDATE, **ROLES))


def test_without_ids_rows_pair_in_order_when_labels_agree(read_table: ReadTable) -> None:
    table = "label prediction\n1 1\n0 1\n1 0"
    paired = pair_predictions(
        read_table(table, label="label", prediction="prediction"),
        read_table(table.replace("0 1", "0 0"), label="label", prediction="prediction"),
    )

    assert paired.pairing.method == "order"
    assert paired.pairing.rows == 3
    assert list_rows(paired, "prediction") == [(0, 1, 0), (1, 0, 0), (1, 1, 1)]


def test_without_ids_other_labels_are_refused_with_the_cure(read_table: ReadTable) -> None:
    roles = {"label": "label", "prediction": "prediction"}

    with pytest.raises(PredictionsError, match=r"1 of the labels differ, the first in row 2.*`id` column"):
        pair_predictions(
            read_table("label prediction\n1 1\n0 1", **roles), read_table("label prediction\n1 1\n1 1", **roles)
        )


def test_ids_that_share_nothing_are_refused(read_table: ReadTable) -> None:
    with pytest.raises(PredictionsError, match="no id in common"):
        pair_predictions(
            read_table(BASELINE, **ROLES), read_table("id label score plan\n9 1 0.5 a\n8 0 0.5 a", **ROLES)
        )


def test_ids_and_labels_match_between_formats(tmp_path: Path, read_table: ReadTable) -> None:
    path = tmp_path / "candidate.parquet"
    write_parquet(path, "(3.0::DOUBLE, true, 0.5), (1.0, false, 0.25)", "id, y, p")
    candidate = read_predictions(path, PredictionsSpec(path="c", id=("id",), label="y", score="p"))

    paired = pair_predictions(read_table("id y p\n1 0 0.1\n3 1 0.9", id="id", label="y", score="p"), candidate)

    assert paired.pairing.rows == 2
    assert not paired.pairing.test_set_changed


def test_whole_number_ids_match_text_that_is_written_alike(read_table: ReadTable) -> None:
    roles = {"id": "id", "label": "y", "score": "p"}

    paired = pair_predictions(
        read_table("id y p\n1 0 0.1\n3 1 0.9", **roles), read_table("id y p\nx 0 0.1\n3 1 0.9\n01 1 0.2", **roles)
    )

    assert (paired.pairing.rows, paired.pairing.only_baseline, paired.pairing.only_candidate) == (1, 1, 2)


def test_a_flipped_positive_label_is_refused(read_table: ReadTable) -> None:
    table = "y p\nYes 0.7\nNo 0.5"

    with pytest.raises(PredictionsError, match=r"are 'No' and 'Yes' in the baseline's .* 'Yes' and 'No' in the cand"):
        pair_predictions(
            read_table(table, label="y", score="p"), read_table(table, label="y", score="p", positive="No")
        )


def test_different_tasks_are_refused(read_table: ReadTable) -> None:
    roles = {"label": "y", "prediction": "p"}

    with pytest.raises(PredictionsError, match="read as binary, the candidate's as regression"):
        pair_predictions(read_table("y p\n1 1\n0 0", **roles), read_table("y p\n1.5 0.5\n0 0.2", **roles))


def test_both_sides_share_one_list_of_classes_and_a_dropped_one_is_said(read_table: ReadTable) -> None:
    roles = {"label": "y", "prediction": "p"}
    paired = pair_predictions(
        read_table("y p\na a\nb b\nc c\na d", **roles), read_table("y p\na a\nb b\nc b\na e", **roles)
    )

    assert paired.pair.baseline.classes == paired.pair.candidate.classes == ("a", "b", "c", "d", "e")
    assert list_rows(paired, "prediction") == [(0, 0, 0), (0, 3, 4), (1, 1, 1), (2, 2, 1)]
    assert "The candidate never predicts c, d, which the baseline does." in paired.pairing.notes


def test_scores_follow_their_classes(read_table: ReadTable) -> None:
    paired = pair_predictions(
        read_table("y pa pb\na 0.6 0.4\nb 0.3 0.7", label="y", scores={"a": "pa", "b": "pb"}),
        read_table("y z pa pb\na 0.1 0.5 0.4\nb 0.2 0.2 0.6", label="y", scores={"A": "z", "a": "pa", "b": "pb"}),
    )

    assert paired.pair.candidate.classes == ("A", "a", "b")
    assert paired.pair.baseline.scores is not None
    assert paired.pair.baseline.scores.tolist() == [[0, 0.6, 0.4], [0, 0.3, 0.7]]


def test_another_threshold_is_said(read_table: ReadTable) -> None:
    table = "y p\n1 0.7\n0 0.5"
    paired = pair_predictions(
        read_table(table, label="y", score="p"), read_table(table, label="y", score="p", threshold=0.6)
    )

    assert "The predictions are described differently: threshold: 0.5 before, 0.6 now." in paired.pairing.notes
    assert not paired.pairing.identical


def test_the_baselines_weights_and_groups_are_used(read_table: ReadTable) -> None:
    roles = {"label": "y", "score": "p", "weight": "w", "group": "g"}
    paired = pair_predictions(
        read_table("y p w g\n1 0.7 1 a\n0 0.5 2 b\n1 0.1 3 a", **roles),
        read_table("y p w g\n1 0.7 9 a\n0 0.5 9 b\n1 0.1 9 c", **roles),
    )

    assert list_rows(paired, "weight") == [(0, 2, 2), (1, 1, 1), (1, 3, 3)]
    assert paired.pair.group is not None
    assert len(set(paired.pair.group.tolist())) == 2
    assert paired.pairing.test_set_changed


def test_rows_without_labels_pair_in_order_and_the_report_says_so(read_table: ReadTable) -> None:
    paired = pair_predictions(read_table("j\n4\n5", score="j"), read_table("j\n5\n5", score="j"))

    assert paired.pair.candidate.columns["j"].tolist() == [5, 5]
    assert any("neither ids nor labels" in note for note in paired.pairing.notes)


def test_an_id_on_one_side_only_falls_back_to_the_order_of_the_files(read_table: ReadTable) -> None:
    paired = pair_predictions(
        read_table("y p\n1 0.7\n0 0.5\n1 0.3", label="y", score="p"),
        read_table("id y p\n9 1 0.6\n4 0 0.4\n5 1 0.2", id="id", label="y", score="p"),
    )

    assert paired.pairing.method == "order"
    assert list_rows(paired, "scores") == [(0, 0.5, 0.4), (1, 0.3, 0.2), (1, 0.7, 0.6)]


def test_labels_of_a_regression_may_differ_in_their_last_digits(read_table: ReadTable) -> None:
    roles = {"id": "id", "label": "y", "prediction": "p"}
    paired = pair_predictions(
        read_table("id y p\n1 0.1 0.7\n2 2.5 0.5", **roles),
        read_table("id y p\n1 0.10000000149 0.7\n2 2.6 0.5", **roles),
    )

    assert (paired.pairing.rows, paired.pairing.label_differs) == (2, 1)


def test_labels_that_all_differ_are_refused(read_table: ReadTable) -> None:
    roles = {"id": "id", "label": "y", "score": "p"}

    with pytest.raises(PredictionsError, match="All 2 rows that baseline and candidate share have different labels"):
        pair_predictions(
            read_table("id y p\n1 1 0.7\n2 0 0.5", **roles), read_table("id y p\n1 0 0.7\n2 1 0.5", **roles)
        )


def test_a_column_of_a_formula_that_cannot_be_used_is_named_with_its_side(read_table: ReadTable) -> None:
    roles = {"label": "y", "score": "p", "needed": ("c",)}

    paired = pair_predictions(
        read_table("y p c\n1 0.7 1\n0 0.5 2", **roles), read_table("y p c\n1 0.7 x\n0 0.5 2", **roles)
    )

    assert any(note.startswith("Candidate: ") and "row 1: 'x'" in note for note in paired.pairing.notes)


def test_a_test_set_is_known_by_the_baselines_ids_and_labels_which_no_candidate_changes(read_table: ReadTable) -> None:
    baseline = read_table(BASELINE, **ROLES)
    scored = pair_predictions(baseline, read_table(BASELINE.replace("0.9", "0.7"), **ROLES)).pairing.test_set
    changed = pair_predictions(baseline, read_table(CANDIDATE, **ROLES)).pairing.test_set
    other = pair_predictions(read_table(CANDIDATE, **ROLES), baseline).pairing.test_set

    assert scored == changed
    assert other != scored
    assert len(scored) == 16


def test_weights_groups_and_slices_of_the_candidate_alone_are_not_used(read_table: ReadTable) -> None:
    table = "y p w g plan\n1 0.7 9 a x\n0 0.5 9 b y\n1 0.1 0 a x"
    paired = pair_predictions(
        read_table(table, label="y", score="p"),
        read_table(table, label="y", score="p", weight="w", group="g", slices="plan"),
    )

    assert paired.pair.candidate.weight is None
    assert paired.pair.group is None
    assert paired.candidate_slices == {"plan"}
    told = "Only the candidate declares weights, groups, the slice column plan: no comparison uses that yet."
    assert told in paired.pairing.notes


def test_groups_of_absent_rows_continue_those_of_the_paired_rows(read_table: ReadTable) -> None:
    roles = {"id": "id", "label": "y", "score": "p", "group": "g"}
    paired = pair_predictions(
        read_table("id y p g\n1 1 0.7 a\n2 0 0.5 b\n3 1 0.1 a", **roles),
        read_table("id y p g\n1 1 0.7 a\n2 0 0.5 b", **roles),
    )

    assert paired.absent is not None
    assert paired.absent.group is not None
    first, second, third = paired.absent.group.tolist()
    assert first == third != second
