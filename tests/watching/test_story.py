"""Watching in a repository: where both tables come from, what is news, and how fresh performance is judged."""

import subprocess
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pydantic import SecretStr

from metricgate.models.outcome import Outcome, Verdict
from metricgate.models.result import GateRow
from metricgate.models.watch import JOINT
from metricgate.monitoring.story import WatchRequest, list_drifted, list_losses, watch_release
from metricgate.processes.progress import QuietProgress
from metricgate.report.headline import headline
from metricgate.report.value import Report
from metricgate.revisions.checkout import Checkout
from metricgate.run import NO_MLFLOW
from metricgate.settings.mlflow import MlflowAccess
from tests.mlflow.fake import FakeMlflow
from tests.watching.tables import write_csv

ROWS = 10_000  # enough to settle every effect
NOW = datetime(2026, 7, 1, tzinfo=UTC)
POLICY = """\
predictions: {path: eval/predictions.csv, id: customer, label: churned, score: risk}
gates:
  - {metric: accuracy, max_drop: 0.03}
monitor:
  reference: data/release.csv
  current: data/fresh.csv
  id: customer
  time: day
  labels: {column: churned, delay: 10d}
"""


def make_month(
    rows: int, seed: int, *, shift: float = 0.0, wrong: float = 0.0, known: Callable[[Any], Any] | None = None
) -> dict[str, list[Any]]:
    """Return a month of June; ``shift`` moves tenure, ``wrong`` labels contradict the score, ``known`` have come."""
    rng = np.random.default_rng(seed)
    tenure, charges = rng.exponential(30, rows) + shift, rng.normal(60, 20, rows)
    risk = 1 / (1 + np.exp(-(charges - 60) / 10))
    label = (rng.random(rows) < risk) ^ (rng.random(rows) < wrong)
    come = np.ones(rows, dtype=bool) if known is None else rng.random(rows) < known(label)
    return {
        "customer": [f"C{seed}-{row}" for row in range(rows)],
        "day": [f"2026-06-{1 + row * 29 // rows:02}" for row in range(rows)],
        "tenure": list(tenure.round(1)),
        "charges": list(charges.round(2)),
        "churned": [("Yes" if yes else "No") if there else "" for yes, there in zip(label, come, strict=True)],
        "risk": list(risk.round(4)),
    }


class Project:
    def __init__(self, folder: Path) -> None:
        self.folder = folder
        for name in ("data", "eval"):
            (folder / name).mkdir()
        write_csv(folder / "data/release.csv", make_month(ROWS, 1))
        write_csv(folder / "eval/predictions.csv", make_month(ROWS, 1))
        self.policy = POLICY

    def git(self, *args: str) -> None:
        identity = ("-c", "user.name=A", "-c", "user.email=a@example.org")
        subprocess.run(["git", *identity, *args], cwd=self.folder, check=True, capture_output=True)

    def commit(self) -> None:
        (self.folder / "metricgate.yaml").write_text(self.policy, encoding="utf-8")
        self.git("init", "-q", "-b", "main")
        self.git("add", "-A")
        self.git("commit", "-qm", "release")

    def watch(self, fresh: Mapping[str, list[Any]], *, now: datetime = NOW, mlflow: MlflowAccess = NO_MLFLOW) -> Report:
        write_csv(self.folder / "data/fresh.csv", fresh)
        request = WatchRequest(directory=self.folder, output=self.folder / "report", now=now, mlflow=mlflow)
        return watch_release(request, QuietProgress())


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return Project(tmp_path)


def performance(report: Report) -> GateRow:
    (row,) = (gate for gate in report.gates if gate.source == "predictions")
    return row


def test_month_like_the_release_is_stable_and_seen_once(project: Project) -> None:
    project.commit()
    fresh = make_month(ROWS, 2)

    first, second = project.watch(fresh), project.watch(fresh)

    assert first.verdict is Verdict.PASSED, first.reason
    assert list_drifted(first) == list_losses(first) == ()
    assert "the predictions did not" in headline(first)
    assert performance(first).outcome is Outcome.PASSED
    assert second.verdict is Verdict.SKIPPED
    assert "no rows are newer than those of the run of 2026-07-01" in headline(second)


def test_release_may_be_a_registered_version(project: Project) -> None:
    project.policy += "release: {revision: 'mlflow:churn@champion'}\n"
    project.commit()
    champion = Checkout.open(project.folder).head_sha
    project.git("commit", "-q", "--allow-empty", "-m", "later")

    with FakeMlflow().serve() as server:
        tags = [{"key": "git.commit", "value": champion}]
        server.models["churn"] = {"versions": [{"version": "1", "tags": tags}], "aliases": {"champion": "1"}}
        report = project.watch(make_month(ROWS, 2), mlflow=MlflowAccess(uri=SecretStr(server.url)))

    assert report.verdict is Verdict.PASSED, report.failure
    assert report.baseline is not None
    assert report.baseline.revision == champion


def test_changed_section_judges_the_same_rows_again_and_who_hears_of_it_does_not(project: Project) -> None:
    project.policy += "  shown: {features: fail}\n"
    project.commit()
    fresh, file = make_month(ROWS, 2, shift=10), project.folder / "metricgate.yaml"
    failed = project.watch(fresh)
    file.write_text(project.policy + "  issue: true\n", encoding="utf-8")
    told = project.watch(fresh)
    accepted = "  features: {tenure: {moved: 0.5, distance: 1}}\n  margins: {classifier: 0.9}\n"
    file.write_text(project.policy + accepted, encoding="utf-8")

    judged, again = project.watch(fresh), project.watch(fresh)

    assert [one.verdict for one in (failed, told, judged, again)] == [
        Verdict.FAILED,
        Verdict.SKIPPED,
        Verdict.PASSED,
        Verdict.SKIPPED,
    ]
    assert failed.watch is not None
    assert judged.watch is not None
    assert judged.watch.model == failed.watch.model  # the issue announces no other model


def test_stale_and_failed_runs_say_that_an_issue_is_asked_for(project: Project) -> None:
    project.policy += "  issue: true\n  max_age: 20d\n"
    project.commit()
    fresh = make_month(300, 2)

    aged = project.watch(fresh, now=NOW + timedelta(days=30))
    failed = project.watch({name: values for name, values in fresh.items() if name != "day"})

    assert (aged.verdict, failed.verdict) == (Verdict.FAILED, Verdict.ERROR)
    assert list_drifted(aged) == ()
    for report in (aged, failed):
        assert report.watch is not None
        assert report.watch.issue
        assert report.watch.features == ()


@pytest.mark.acceptance
def test_feature_that_moved_warns_and_predictions_that_moved_fail(project: Project) -> None:
    project.policy += "  features: {tenure: {owner: data team}}\n"
    project.commit()
    fresh = make_month(ROWS, 2, shift=10)

    warned = project.watch(fresh)
    failed = project.watch({**fresh, "risk": [min(value + 0.1, 1.0) for value in fresh["risk"]]})

    assert (warned.verdict, warned.exit_code) == (Verdict.PASSED, 0)
    assert headline(warned).startswith("Warning: 1 of 2 features moved by more than is allowed: tenure (")
    assert set(list_drifted(warned)) == {"tenure", JOINT}
    assert failed.verdict is Verdict.FAILED
    assert set(list_drifted(failed)) == {"predictions", "tenure", JOINT}


@pytest.mark.acceptance
def test_line_that_accepts_a_drift_does(project: Project) -> None:
    from metricgate.report.sections.drift_table import drift_section  # noqa: PLC0415

    project.policy += "  shown: {features: fail}\n  max_age: 400d\n"
    project.commit()
    fresh = make_month(ROWS, 2, shift=10)
    failed = project.watch(fresh)
    text = drift_section(failed).draw(10)
    line = text.split("to accept it: `")[1].split("`")[0]

    (project.folder / "metricgate.yaml").write_text(
        project.policy + f"  {line}\n  margins: {{classifier: 0.9}}\n", encoding="utf-8"
    )
    accepted = project.watch({**fresh, "tenure": fresh["tenure"][::-1]})

    assert failed.verdict is Verdict.FAILED
    assert accepted.verdict is Verdict.PASSED


def test_loss_is_unpaired_and_fails(project: Project) -> None:
    project.commit()

    report = project.watch(make_month(ROWS, 2, wrong=0.15))

    row = performance(report)
    assert report.verdict is Verdict.FAILED
    assert list_losses(report) == ("accuracy",)
    assert row.method == "unpaired: both sides' own intervals (MOVER)"
    assert row.difference is not None
    assert row.low is not None
    assert row.high is not None
    # Two independent shares: the width is that of the root of the sum of both variances.
    spread = sum(
        share * (1 - share) / rows for share, rows in ((row.baseline or 0, ROWS), (row.candidate or 0, row.rows or 1))
    )
    assert row.high - row.low == pytest.approx(2 * 1.96 * spread**0.5, rel=0.02)
    assert headline(report).startswith("Worse: ")
    assert "is allowed" in headline(report)


@pytest.mark.acceptance
def test_young_rows_are_counted_and_not_judged(project: Project) -> None:
    project.commit()

    report = project.watch(make_month(3000, 2))

    assert performance(report).rows == 3000 * 21 // 29 + 1  # 1 to 21 June are ten days old
    assert any("rows are younger than `labels.delay`" in warning.text for warning in report.warnings)


@pytest.mark.acceptance
def test_labels_that_come_by_class_neither_pass_nor_fail(project: Project) -> None:
    """90 % of the positive labels have come and 40 % of the others: accuracy is off, and nothing happened."""
    project.commit()

    report = project.watch(make_month(ROWS, 2, known=lambda label: np.where(label, 0.9, 0.4)))

    row = performance(report)
    assert row.outcome is Outcome.INCONCLUSIVE
    assert row.reason_code == "labels_missing"
    assert report.verdict is Verdict.INCONCLUSIVE


@pytest.mark.acceptance
def test_loss_that_stands_whatever_the_missing_labels_are_fails(project: Project) -> None:
    project.commit()

    report = project.watch(make_month(ROWS, 2, wrong=0.6, known=lambda label: np.full(len(label), 0.9)))

    assert performance(report).outcome is Outcome.FAILED


def test_few_labels_are_inconclusive(project: Project) -> None:
    project.policy = project.policy.replace(", delay: 10d", "")
    project.commit()
    fresh = make_month(3000, 2)
    fresh["churned"] = [*fresh["churned"][:29], *[""] * 2971]

    row = performance(project.watch(fresh))

    assert row.outcome is Outcome.INCONCLUSIVE
    assert row.reason == "only 29 rows have a label; 30 are the least"


@pytest.mark.acceptance
def test_old_data_fails_by_its_newest_row_or_since_it_is_the_same(project: Project) -> None:
    project.policy += "  max_age: 20d\n"
    project.commit()
    fresh = make_month(3000, 2)

    aged = project.watch(fresh, now=NOW + timedelta(days=30))
    project.policy = project.policy.replace("  time: day\n", "").replace(", delay: 10d", "")
    (project.folder / "metricgate.yaml").write_text(project.policy, encoding="utf-8")
    seen = project.watch(make_month(3000, 3))
    same = project.watch(make_month(3000, 3), now=NOW + timedelta(days=21))

    assert (aged.verdict, aged.exit_code) == (Verdict.FAILED, 1)
    assert headline(aged) == "Stale: no data since: the newest row is 32 days old, 20 are allowed"
    assert seen.verdict is not Verdict.FAILED
    assert same.verdict is Verdict.FAILED


@pytest.mark.acceptance
def test_reference_is_the_released_revisions_evaluation_data(project: Project) -> None:
    project.policy = project.policy.replace("  reference: data/release.csv\n", "") + (
        "evaluation: {command: 'true', model: model.pkl, data: data/release.csv}\nrelease: {revision: v1}\n"
    )
    project.commit()
    project.git("tag", "v1")
    write_csv(project.folder / "data/release.csv", make_month(ROWS, 5, shift=50))
    project.commit()

    report = project.watch(make_month(ROWS, 2))

    assert report.verdict is Verdict.PASSED, report.reason
    assert report.baseline is not None
    assert report.baseline.name == "data/release.csv at v1"


@pytest.mark.acceptance
def test_command_writes_the_fresh_rows(project: Project) -> None:
    project.policy += "  command: cp data/warehouse.csv data/fresh.csv\n"
    project.commit()
    write_csv(project.folder / "data/warehouse.csv", make_month(ROWS, 2, shift=10))

    report = project.watch(make_month(ROWS, 2))
    (project.folder / "data/warehouse.csv").unlink()
    broken = project.watch(make_month(ROWS, 2))

    assert list_drifted(report)[0] == "tenure"
    assert broken.exit_code == 4
    assert "The command of `monitor:` ended with exit code" in broken.reason


@pytest.mark.acceptance
def test_rows_of_a_customer_count_once(project: Project) -> None:
    """100 rows for each of 40 customers are 40 rows: a shift by chance of a few customers is no drift."""
    project.policy += "  group: household\n"
    project.policy = project.policy.replace("  labels: {column: churned, delay: 10d}\n", "")
    rng = np.random.default_rng(0)

    def repeat(seed: int) -> dict[str, list[Any]]:
        month = make_month(4000, seed)
        one = rng.normal(size=40)
        return {**month, "tenure": list(np.repeat(one, 100)), "household": list(np.repeat(np.arange(40), 100))}

    write_csv(project.folder / "data/release.csv", repeat(1))
    project.commit()
    report = project.watch(repeat(2))

    tenure = [gate for gate in report.gates if gate.feature == "tenure"]
    assert {gate.outcome for gate in tenure} == {Outcome.INCONCLUSIVE}
    assert max(gate.difference or 0.0 for gate in tenure if gate.metric == "ks_distance") > 0.05
    assert {gate.rows for gate in tenure} == {40}
    assert any("depend on each other and count as one: 40 of 4,000" in one.text for one in report.warnings)


@pytest.mark.parametrize(
    ("change", "code", "said"),
    [
        (("monitor:", "watch:"), 2, "watch"),
        (("data/fresh.csv", "data/none.csv"), 4, "data/none.csv cannot be read"),
        (("  reference: data/release.csv\n", ""), 2, "names no reference"),
        (("column: churned", "column: outcome"), 3, "no column 'outcome'"),
        (("  time: day", "  features: [tenur]\n  time: day"), 2, "names 'tenur'"),
        (("  time: day\n", ""), 2, "needs time"),
    ],
)
def test_mistakes_are_named(project: Project, change: tuple[str, str], code: int, said: str) -> None:
    project.policy = project.policy.replace(*change)
    project.commit()

    report = project.watch(make_month(300, 2))

    assert report.exit_code == code, report.reason
    assert said in report.reason


def test_memory_keeps_sixty_runs() -> None:
    from metricgate.monitoring.memory import PastRun, WatchMemory  # noqa: PLC0415

    memory = WatchMemory()
    for day in range(70):
        at = NOW + timedelta(days=day)
        memory = memory.add(
            PastRun(at=at, data=str(day), model="m", first_seen=at, verdict=Verdict.PASSED, headline="", exit_code=0)
        )

    assert len(memory.runs) == 60
    assert memory.runs[0].data == "10"


@pytest.mark.acceptance
def test_backfill_judges_each_past_month_and_the_report_shows_them(project: Project) -> None:
    """April moved, May did not: both are in the memory, at their months' ends, before the run on June."""
    project.policy = project.policy.replace("  labels: {column: churned, delay: 10d}\n", "")
    project.commit()
    parts = [make_month(ROWS, 2, shift=10), make_month(ROWS, 3), make_month(ROWS, 4)]
    for number, part in enumerate(parts):
        part["day"] = [day.replace("2026-06", f"2026-{4 + number:02}") for day in part["day"]]
    fresh = {name: [value for part in parts for value in part[name]] for name in parts[0]}
    write_csv(project.folder / "data/fresh.csv", fresh)

    request = WatchRequest(directory=project.folder, output=project.folder / "report", now=NOW, backfill=True)
    report = watch_release(request, QuietProgress())

    assert report.watch is not None
    assert [(one.at, one.verdict) for one in report.watch.past] == [("2026-05-01", "passed"), ("2026-06-01", "passed")]
    shifts = [one.shifts["tenure"] for one in report.watch.past]
    assert shifts[0] > 3
    assert shifts[1] < 1
    assert {"history", "shifts"} <= {chart.name for chart in report.charts}


def test_backfill_needs_times(project: Project) -> None:
    project.policy = project.policy.replace("  time: day\n", "").replace(", delay: 10d", "")
    project.commit()
    write_csv(project.folder / "data/fresh.csv", make_month(300, 2))

    request = WatchRequest(directory=project.folder, output=project.folder / "report", now=NOW, backfill=True)

    assert "names no `time`" in watch_release(request, QuietProgress()).reason


@pytest.mark.acceptance
@pytest.mark.parametrize(
    ("detector", "requirements", "flagged"),
    [
        ("{class: sklearn.ensemble:IsolationForest, options: {random_state: 1}, max: 0.3}", "scikit-learn\n", True),
        ("{class: frouros.detectors.data_drift:MMD, max: 0, rows: 300}", "frouros\n", True),
        ("{class: frouros.detectors.data_drift:MMD, rows: 300}", "frouros\n", False),
    ],
    ids=["scikit-learn", "frouros", "no bar"],
)
def test_detector_of_another_package_decides_by_its_bar_alone(
    project: Project, detector: str, requirements: str, *, flagged: bool
) -> None:
    project.policy += f"  detector: {detector}\npipeline: {{requirements: requirements.txt}}\n"
    project.policy = project.policy.replace("  labels: {column: churned, delay: 10d}\n", "")
    (project.folder / "requirements.txt").write_text(requirements, encoding="utf-8")
    project.commit()

    report = project.watch(make_month(ROWS, 2, shift=80))

    rows = [gate for gate in report.gates if gate.metric == "detector"]
    assert report.failure is None, report.failure
    assert [gate.outcome for gate in rows] == ([Outcome.FAILED] if flagged else [])
    assert (report.verdict is Verdict.FAILED) == flagged
    assert report.watch is not None
    (shown,) = (one for one in report.watch.features if one.role == "detector")
    assert "in the current rows" in shown.notes[0]


@pytest.mark.acceptance
@pytest.mark.parametrize(
    ("detector", "said"),
    [
        ("nowhere.at_all:Detector", "nowhere.at_all cannot be imported"),
        ("json:Nothing", "json has no Nothing"),
        ("json:JSONDecoder", "it has no fit()"),
    ],
)
def test_detector_that_cannot_be_used_is_an_error(project: Project, detector: str, said: str) -> None:
    project.policy += f"  detector: {detector}\n"
    project.commit()

    report = project.watch(make_month(500, 2))

    assert report.exit_code == 4
    assert said in report.reason
