"""Against the frozen release, only what this change does to the test set counts."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from metricgate.judging import Case, judge
from metricgate.models.outcome import Outcome
from metricgate.models.result import GateRow
from metricgate.models.snapshot import RevisionInfo, Snapshot, Source
from metricgate.settings.policy_file import read_policy
from metricgate.settings.selection import PolicyChoice
from tests.cli.tables import write_rows

POLICY = """\
predictions: {path: p.csv, id: id, label: label, prediction: prediction}
anchor: {revision: v1, max_drop: {accuracy: 0.05}}
gates: [{metric: accuracy, max_drop: 0.05}]
"""
Row = tuple[int, int, int]


def make_rows(count: int = 1000) -> list[Row]:
    return [(row, row % 2, (row % 2) ^ (row % 10 == 0)) for row in range(count)]


def relabel(rows: Sequence[Row], count: int) -> list[Row]:
    return [(id_, 1 - label if id_ < count else label, prediction) for id_, label, prediction in rows]


def judge_anchor(folder: Path, *, released: list[Row], main: list[Row], change: list[Row]) -> GateRow:
    sides = []
    for name, rows in (("v1", released), ("main", main), ("change", change)):
        path = write_rows(folder / f"{name}.csv", ("id", "label", "prediction"), rows)
        sides.append(Snapshot(info=RevisionInfo(name=name, source=Source.FILE), predictions={"": path}))
    policy = read_policy(POLICY, origin="x")
    choice = PolicyChoice(judging=policy, baseline=policy, candidate=policy, origin="x")
    report = judge(Case(baseline=sides[1], candidate=sides[2], anchor=sides[0], choice=choice))
    return next(gate for gate in report.gates if gate.anchor)


@pytest.mark.parametrize("edit", ["left", "relabelled"])
def test_rows_that_left_or_changed_before_were_accepted_then(tmp_path: Path, edit: str) -> None:
    main = make_rows()[300:] if edit == "left" else relabel(make_rows(), 300)

    gate = judge_anchor(tmp_path, released=make_rows(), main=main, change=main)

    assert gate.outcome is Outcome.PASSED


@pytest.mark.parametrize("edit", ["leave", "relabel"])
def test_rows_that_this_change_takes_away_or_relabels_count(tmp_path: Path, edit: str) -> None:
    rows = make_rows()
    wrong = [(id_, label, 1 - label) for id_, label, _ in rows[:140]]
    change = rows[140:] if edit == "leave" else [*((id_, said, said) for id_, _, said in wrong), *rows[140:]]

    gate = judge_anchor(tmp_path, released=rows, main=rows, change=change)

    assert gate.outcome is Outcome.INCONCLUSIVE
    assert gate.reason_code == ("rows_absent" if edit == "leave" else "rows_relabelled")


def test_a_release_whose_rows_are_all_gone_is_no_error_of_the_run(tmp_path: Path) -> None:
    main = make_rows()[500:]

    gate = judge_anchor(tmp_path, released=make_rows()[:500], main=main, change=main)

    assert gate.outcome is Outcome.INCONCLUSIVE
    assert "no id in common" in gate.reason
