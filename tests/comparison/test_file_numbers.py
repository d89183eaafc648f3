"""Numbers of metrics files, side by side."""

import pytest

from metricgate.comparison.file_numbers import pair_number
from metricgate.comparison.subject import Missing
from metricgate.models.outcome import MissingCode
from metricgate.models.snapshot import FileMetric, RevisionInfo, Snapshot, Source, Unreadable

AUC = FileMetric(file="metrics.json", key="auc", value=0.8)


def make_snapshot(*problems: Unreadable, metrics: tuple[FileMetric, ...] = ()) -> Snapshot:
    info = RevisionInfo(revision="a" * 40, name="main", source=Source.GIT)
    return Snapshot(info=info, metrics=metrics, problems=problems)


@pytest.mark.parametrize(
    "problem",
    [
        Unreadable(what="other.json", reason="it is not JSON"),
        Unreadable(what="other.json", reason="it does not exist", missing=True),
    ],
)
def test_a_problem_of_another_file_takes_no_number_away(problem: Unreadable) -> None:
    snapshot = make_snapshot(problem, metrics=(AUC,))

    pair = pair_number(snapshot, snapshot, "metrics.json", "auc")

    assert (pair.baseline, pair.candidate) == (0.8, 0.8)


@pytest.mark.parametrize(
    ("problem", "code"),
    [
        (Unreadable(what="metrics.json", reason="it is not JSON"), "unreadable"),
        (Unreadable(what="metrics.json", reason="it does not exist", missing=True), "absent"),
    ],
)
def test_a_broken_file_is_unreadable_and_a_missing_one_holds_nothing(problem: Unreadable, code: MissingCode) -> None:
    pair = pair_number(make_snapshot(problem), make_snapshot(metrics=(AUC,)), "metrics.json", "auc")

    assert isinstance(pair.baseline, Missing)
    assert (pair.baseline.side, pair.baseline.code) == ("baseline", code)
