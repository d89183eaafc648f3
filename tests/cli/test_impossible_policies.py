"""Policies that cannot be judged: found before they are merged, and repaired by a pull request that can be."""

from pathlib import Path

import pytest

from metricgate.judging import Case, judge
from metricgate.models.outcome import Verdict
from metricgate.models.snapshot import FileMetric, RevisionInfo, Snapshot, Source
from metricgate.report.headline import headline
from metricgate.report.value import Report
from metricgate.settings.selection import choose_policy
from tests.cli.tables import write_churn

HEAD = "predictions: {path: p.csv, id: customer_id, label: churned, score: churn_probability}\n"
GOOD = HEAD + "gates: [{metric: accuracy, max_drop: 0.02}]\n"
MISNAMED = HEAD + "gates: [{metric: accuracy, max_drop: 0.02}, {metric: my_metric, max_drop: 0.02}]\n"
CONTRARY = HEAD + "gates: [{metric: log_loss, max_drop: 0.02}]\n"
ANCHORED = GOOD + "anchor: {revision: v1, max_drop: {nonsense: 0.1}}\n"
POINTLESS = HEAD + "gates: [{metric: accuracy, max_drop: 2}]\n"
NOWHERE = GOOD.replace("]\n", ", {metric: metrics.json:acuracy, max_drop: 0.02}]\n")


def compare(tmp_path: Path, before: str | None, after: str | None) -> Report:
    """Judge two equal models by the policies of their revisions."""
    predictions = write_churn(tmp_path / "p.csv")
    metrics = (FileMetric(file="metrics.json", key="accuracy", value=0.8),)
    sides = {
        name: Snapshot(
            info=RevisionInfo(revision=letter * 40, name=name, source=Source.GIT),
            metrics=metrics,
            predictions={"": predictions},
        )
        for name, letter in (("main", "a"), ("change", "b"))
    }
    choice = choose_policy(before, after, baseline_name="main")
    return judge(Case(baseline=sides["main"], candidate=sides["change"], choice=choice))


@pytest.mark.parametrize(
    ("policy", "why"),
    [(MISNAMED, "my_metric"), (CONTRARY, "says max_drop"), (ANCHORED, "nonsense"), (POINTLESS, "can never fail")],
    ids=["a name that no metric has", "a contrary direction", "an anchor", "a margin beyond the range"],
)
def test_a_change_that_adds_an_impossible_gate_is_an_error_before_it_is_merged(
    tmp_path: Path, policy: str, why: str
) -> None:
    report = compare(tmp_path, GOOD, policy)

    assert (report.verdict, report.exit_code) == (Verdict.ERROR, 2)
    assert report.failure is not None
    assert report.failure.what.startswith("The gates that this change proposes cannot be used.")
    assert why in report.failure.what


@pytest.mark.parametrize("policy", [MISNAMED, CONTRARY, ANCHORED, POINTLESS])
def test_an_impossible_policy_that_was_merged_can_be_repaired(tmp_path: Path, policy: str) -> None:
    repair = compare(tmp_path, policy, GOOD)
    any_other = compare(tmp_path, policy, policy + "# nothing\n")

    assert (repair.verdict, repair.exit_code) == (Verdict.INCONCLUSIVE, 0)
    assert [gate.metric for gate in repair.gates] == ["accuracy"]
    assert "unusable_baseline_policy" in {warning.code for warning in repair.warnings}
    assert (any_other.verdict, any_other.exit_code) == (Verdict.ERROR, 2)


def test_what_only_the_candidate_makes_impossible_stays_an_error(tmp_path: Path) -> None:
    scores = HEAD.replace("label: churned, score: churn_probability", "task: score")
    after = scores + "gates: [{metric: mean(churn_probability), max_drop: 0.02}]\n"

    report = compare(tmp_path, GOOD, after)

    assert report.verdict is Verdict.ERROR
    assert "unusable_baseline_policy" not in {warning.code for warning in report.warnings}


@pytest.mark.parametrize(("before", "after"), [(NOWHERE, NOWHERE), (GOOD, NOWHERE)], ids=["merged", "proposed"])
def test_a_number_that_neither_revision_has_is_warned_of_first(tmp_path: Path, before: str, after: str) -> None:
    report = compare(tmp_path, before, after)

    (warning,) = [warning for warning in report.warnings if warning.code == "never_found"]
    assert report.verdict is Verdict.PASSED
    assert "metrics.json:acuracy judges nothing" in warning.text
    assert "Perhaps you meant metrics.json:accuracy?" in warning.text


def test_the_headline_counts_gates_that_judge_nothing(tmp_path: Path) -> None:
    worse = write_churn(tmp_path / "other.csv", noise=0.6)
    same = write_churn(tmp_path / "p.csv")
    sides = [
        Snapshot(info=RevisionInfo(revision="a" * 40, name="x", source=Source.GIT), predictions={"": path})
        for path in (worse, same)
    ]
    choice = choose_policy(NOWHERE, NOWHERE, baseline_name="main")

    report = judge(Case(baseline=sides[0], candidate=sides[1], choice=choice))

    assert headline(report) == "No loss beyond what is allowed (1 gate; 1 gate found nothing to judge)"
