"""What must not pass in silence: times that are none, answers and labels that are not there, a memory too large to read."""

from datetime import timedelta
from typing import Any

import numpy as np
import pytest

from metricgate.models.outcome import Outcome, Verdict
from metricgate.monitoring.memory import PastEffect, PastRun, WatchMemory
from metricgate.monitoring.story import WatchRequest, watch_release
from metricgate.processes.progress import QuietProgress
from metricgate.report.watch_words import accept_line
from metricgate.results.retention import MAX_JSON_BYTES
from tests.github.test_watch_issue import watch as drifted
from tests.watching.tables import write_csv
from tests.watching.test_story import NOW, Project, make_month, performance, project

__all__ = ["project"]


@pytest.mark.parametrize(
    ("days", "said"),
    [
        ([1_750_000_000], "column 'day', the `time` of `monitor:`, holds something else than a time in 300 rows, first in row 1"),
        (["2026-06-01", "soon"], "in 150 rows, first in row 2"),
        ([""], "holds no time"),
        (["2026-06-01", "9999-12-31"], "is 9999-12-31, in the future"),
    ],
    ids=["seconds", "text", "empty", "future"],
)  # fmt: skip
def test_times_that_are_none_are_an_error(project: Project, days: list[Any], said: str) -> None:
    project.policy += "  max_age: 20d\n"
    project.commit()

    report = project.watch({**make_month(300, 2), "day": days * (300 // len(days))})

    assert report.exit_code == 3
    assert said in report.reason


def test_times_with_an_offset_are_read_in_utc(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "America/New_York")
    project.policy += "  max_age: 20d\n"
    project.commit()
    fresh = make_month(300, 2)

    days = {"T01:00:00+02:00": Verdict.FAILED, "T01:00:00Z": Verdict.INCONCLUSIVE, " 01:00:00": Verdict.INCONCLUSIVE}
    for day, word in days.items():
        assert project.watch({**fresh, "day": [f"2026-06-11{day}"] * 300}).verdict is word


def test_labels_that_have_not_come_are_inconclusive(project: Project) -> None:
    project.commit()

    report = project.watch({**make_month(3000, 2), "churned": [""] * 3000})

    row = performance(report)
    assert (row.outcome, row.reason) == (Outcome.INCONCLUSIVE, "no row has a label yet")
    assert report.verdict is Verdict.INCONCLUSIVE


def test_labels_without_a_gate_are_said(project: Project) -> None:
    project.policy = project.policy.replace("gates:\n  - {metric: accuracy, max_drop: 0.03}\n", "gates: []\n")
    project.commit()

    report = project.watch(make_month(300, 2))

    assert any("no gate over all rows" in one.text for one in report.warnings)


def test_answers_that_are_gone_are_said(project: Project) -> None:
    project.policy = project.policy.replace("  labels: {column: churned, delay: 10d}\n", "")
    project.commit()
    fresh = make_month(300, 2)
    del fresh["risk"]

    report = project.watch(fresh)

    assert any("The model's answers (risk) were not compared" in one.text for one in report.warnings)


def test_redaction_holds_in_errors_and_of_extra_columns(project: Project) -> None:
    project.policy += "  redact: names\n"
    project.commit()
    fresh = make_month(300, 2)

    wrong = project.watch({**fresh, "tenure": ["secret", *fresh["tenure"][1:]]})
    extra = project.watch({**fresh, "salary": fresh["tenure"]})

    assert wrong.exit_code == 3
    assert "the first is row 1: a value that `redact` hides" in wrong.reason
    assert not any("salary" in one.text for one in extra.warnings)


def test_backfill_leaves_out_a_month_of_one_row_and_keeps_the_order(project: Project) -> None:
    project.policy = project.policy.replace("  labels: {column: churned, delay: 10d}\n", "")
    project.commit()
    fresh = make_month(600, 2)
    fresh["day"] = ["2026-04-30", *["2026-05-02"] * 299, *["2026-06-02"] * 300]
    write_csv(project.folder / "data/fresh.csv", fresh)

    for _ in range(2):
        request = WatchRequest(directory=project.folder, output=project.folder / "report", now=NOW, backfill=True)
        report = watch_release(request, QuietProgress())

    assert report.failure is None, report.failure
    assert report.watch is not None
    assert [one.at for one in report.watch.past] == ["2026-06-01", "2026-07-01"]


def test_memory_of_a_wide_table_can_be_read_again() -> None:
    effects = tuple(
        PastEffect(feature=f"a long name of a feature {n}", metric="ks_distance", source="drift", outcome=Outcome.PASSED, bound=0.05, value=float(np.float64(n) / 7), low=n / 3, high=n / 11)
        for n in range(1500)
    )  # fmt: skip
    memory = WatchMemory()
    for day in range(60):
        at = NOW + timedelta(days=day)
        memory = memory.add(
            PastRun(at=at, data="d", model="m", first_seen=at, verdict=Verdict.PASSED, headline="", exit_code=0, effects=effects)
        )  # fmt: skip

    found = memory.encode()

    assert len(memory.model_dump_json()) > MAX_JSON_BYTES
    assert len(found) <= MAX_JSON_BYTES
    assert len(WatchMemory.model_validate_json(found).runs) == 60


@pytest.mark.parametrize(
    ("metric", "feature", "line"),
    [
        ("new_values", "a", "features: {a: {new: 1}}"),
        ("classifier_auc", "all features together", "margins: {classifier: 0.99}"),
    ],
)
def test_line_that_accepts_is_one_that_the_policy_allows(metric: str, feature: str, line: str) -> None:
    (shown,) = drifted((feature, 3)).gates

    assert accept_line([shown.model_copy(update={"metric": metric, "simultaneous_high": 1.04})]) == line
