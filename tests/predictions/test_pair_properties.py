"""What holds for every pair of files: the order of rows decides nothing, and the sides are treated alike."""

from pathlib import Path

import numpy as np
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from metricgate.predictions import PairedSet, Predictions, pair_predictions, read_predictions
from metricgate.settings.policy import PredictionsSpec

Row = tuple[str, int, int, str]  # id, label, score in hundredths, plan
SPEC = PredictionsSpec(path="p", id=("id",), label="y", score="p", slices=("plan",), group="plan", weight="p")
FEW = settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def rows_of_files(ids: st.SearchStrategy[str]) -> st.SearchStrategy[list[Row]]:
    row = st.tuples(ids, st.integers(0, 1), st.integers(1, 99), st.sampled_from("abc"))
    return st.lists(row, min_size=1, max_size=12, unique_by=lambda made: made[0])


FILES = st.one_of(rows_of_files(st.integers(1, 15).map(str)), rows_of_files(st.text("xyz0", min_size=1, max_size=2)))


def read(path: Path, rows: list[Row], spec: PredictionsSpec = SPEC) -> Predictions:
    lines = [f"{id_},{label},{score / 100},{plan}" for id_, label, score, plan in rows]
    path.write_text("\n".join(["id,y,p,plan", *lines]) + "\n", encoding="utf-8")
    return read_predictions(path, spec, shown="p")


def arrays(paired: PairedSet) -> list[list[object]]:
    pair = paired.pair
    plan = paired.slices["plan"]
    columns = [pair.baseline.scores, pair.candidate.scores, pair.baseline.label, pair.candidate.label, pair.group]
    return [*(np.asarray(column).tolist() for column in columns), [plan.values[code] for code in plan.codes]]


def with_common_row(baseline: list[Row], candidate: list[Row]) -> tuple[list[Row], list[Row]]:
    common: Row = ("7777", 1, 50, "a")
    return [*baseline, common], [*candidate, common]


@given(baseline=FILES, candidate=FILES, data=st.data())
@FEW
def test_the_order_of_rows_decides_nothing(
    tmp_path: Path, baseline: list[Row], candidate: list[Row], data: st.DataObject
) -> None:
    one, other = with_common_row(baseline, candidate)
    shuffled = data.draw(st.permutations(one)), data.draw(st.permutations(other))

    straight = pair_predictions(read(tmp_path / "b", one), read(tmp_path / "c", other))
    mixed = pair_predictions(read(tmp_path / "b", shuffled[0]), read(tmp_path / "c", shuffled[1]))

    assert arrays(straight) == arrays(mixed)
    assert straight.pairing == mixed.pairing


@given(baseline=FILES, candidate=FILES)
@FEW
def test_every_row_is_compared_or_counted(tmp_path: Path, baseline: list[Row], candidate: list[Row]) -> None:
    one, other = with_common_row(baseline, candidate)
    labels, others = ({row[0]: row[1] for row in rows} for rows in (one, other))
    common = labels.keys() & others.keys()

    facts = pair_predictions(read(tmp_path / "b", one), read(tmp_path / "c", other)).pairing

    assert facts.rows == len(common)
    assert facts.label_differs == sum(labels[id_] != others[id_] for id_ in common)
    assert facts.rows + facts.only_baseline == len(one)
    assert facts.rows + facts.only_candidate == len(other)


@given(baseline=FILES, candidate=FILES)
@FEW
def test_swapping_the_sides_swaps_the_answers(tmp_path: Path, baseline: list[Row], candidate: list[Row]) -> None:
    one, other = with_common_row(baseline, candidate)
    sides = read(tmp_path / "b", one), read(tmp_path / "c", other)

    there, back = pair_predictions(*sides), pair_predictions(*reversed(sides))

    assert np.array_equal(np.asarray(there.pair.baseline.scores), np.asarray(back.pair.candidate.scores))
    assert np.array_equal(np.asarray(there.pair.candidate.scores), np.asarray(back.pair.baseline.scores))
    assert there.pairing.only_baseline == back.pairing.only_candidate
    assert there.pairing.identical == back.pairing.identical


@given(rows=FILES, data=st.data())
@FEW
def test_without_ids_the_order_of_both_files_together_decides_nothing(
    tmp_path: Path, rows: list[Row], data: st.DataObject
) -> None:
    """To the last bit: the pair's rows come in the same order, those that hold the same being interchangeable."""
    twice = [*rows, *rows, ("7777", 1, 50, "a")]
    order = data.draw(st.permutations(range(len(twice))))
    others = [(id_, label, 100 - score, plan) for id_, label, score, plan in twice]

    spec = SPEC.model_copy(update={"id": ()})
    sides = [(tmp_path / "b", twice), (tmp_path / "c", others)]

    straight = pair_predictions(*(read(path, side, spec) for path, side in sides))
    mixed = pair_predictions(*(read(path, [side[row] for row in order], spec) for path, side in sides))

    assert straight.pairing.method == "order"
    assert arrays(straight) == arrays(mixed)
