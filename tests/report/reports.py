"""Reports as they come out of a run, for every test that needs one: a factory with valid defaults.

The gates are judged by the rules of the judge, from numbers that make them fail, pass and doubt.
"""

from typing import Any

from metricgate.errors import WorkspaceError
from metricgate.gates.gate_row import Estimate, build_row
from metricgate.gates.judgement import IDENTICAL, Gain, Judgement, judge_bar, judge_gain
from metricgate.gates.rules import Rule
from metricgate.gates.verdict import explain_verdict
from metricgate.models.outcome import Direction, Role, Verdict
from metricgate.models.result import Change, GateRow, MetricRow, Slice, Warning_
from metricgate.models.snapshot import RevisionInfo, Source, Stage
from metricgate.report.failure import describe_failure
from metricgate.report.figures.forest import build_forest
from metricgate.report.value import Pairing, Report, Timing
from metricgate.report.vocabulary import METRIC_WORDS
from metricgate.settings.policy import Margin

BASELINE_SHA = "4f2c1a9" + "0" * 33
CANDIDATE_SHA = "9b7e310" + "1" * 33


def judge_drop(metric: str, margin: float, estimate: Estimate, judgement: Judgement | None = None) -> GateRow:
    """Return the row of a required rule on a drop of ``metric``, judged by the numbers of ``estimate``."""
    numbers = (estimate.baseline, estimate.candidate, estimate.low)
    assert all(number is not None for number in numbers)
    baseline, candidate, low = (float(number or 0.0) for number in numbers)
    rule = Rule(metric=metric, kind="max_drop", role=Role.REQUIRED, margin=Margin(value=margin))
    if judgement is None:
        high = estimate.simultaneous_high
        assert high is not None
        gain = Gain(estimate=candidate - baseline, low=low, high=high, high_difference=high, scale=baseline)
        judgement = judge_gain(gain, allowed_loss=margin, role=rule.role)
    return build_row(rule, judgement, estimate, metric=metric, label=METRIC_WORDS[metric], direction=Direction.HIGHER)


def change_row(row: GateRow, changes: dict[str, Any]) -> GateRow:
    return GateRow(**(dict(row) | changes))


def make_gate(**changes: Any) -> GateRow:
    """Return a failed gate on ROC AUC, changed by ``changes``."""
    estimate = Estimate(
        bound=0.01,
        rows=1409,
        baseline=0.8452,
        candidate=0.8241,
        low=-0.0301,
        high=-0.0121,
        simultaneous_low=-0.0322,
        simultaneous_high=-0.0103,
    )
    return change_row(judge_drop("roc_auc", 0.01, estimate), changes)


def make_better_gate() -> GateRow:
    """Return a gate on ROC AUC that passed."""
    estimate = Estimate(
        bound=0.01,
        rows=1409,
        baseline=0.8452,
        candidate=0.8493,
        low=-0.0032,
        high=0.0114,
        simultaneous_low=-0.0041,
        simultaneous_high=0.0123,
    )
    return judge_drop("roc_auc", 0.01, estimate)


def make_identical_gate() -> GateRow:
    """Return a gate on ROC AUC of two models that answered the same."""
    estimate = Estimate(bound=0.01, rows=1409, baseline=0.8452, candidate=0.8452, low=0.0, high=0.0)
    return judge_drop("roc_auc", 0.01, estimate, IDENTICAL)


def make_passed_gate(**changes: Any) -> GateRow:
    """Return a gate on the value of accuracy that passed."""
    rule = Rule(metric="accuracy", kind="min", role=Role.REQUIRED, bar=0.78)
    estimate = Estimate(
        bound=0.78,
        rows=1409,
        baseline=0.8034,
        candidate=0.7991,
        low=0.7782,
        high=0.8200,
        candidate_low=0.7782,
        candidate_high=0.8200,
    )
    judgement = judge_bar(0.7991, None, bar=0.78, sign=1)
    row = build_row(rule, judgement, estimate, metric="accuracy", label="accuracy", direction=Direction.HIGHER)
    return change_row(row, changes)


def make_doubtful_gate(**changes: Any) -> GateRow:
    """Return a gate on F1 that is undecided."""
    estimate = Estimate(
        bound=0.03,
        rows=1409,
        baseline=0.5921,
        candidate=0.5802,
        low=-0.0410,
        high=0.0172,
        simultaneous_low=-0.0461,
        simultaneous_high=0.0223,
        rows_needed=2900,
    )
    return change_row(judge_drop("f1", 0.03, estimate), changes)


def make_metric(**changes: Any) -> MetricRow:
    """Return one metric of both models on the same rows."""
    facts: dict[str, Any] = {
        "name": "roc_auc",
        "direction": Direction.HIGHER,
        "rows": 1409,
        "positives": 374,
        "baseline": 0.8452,
        "candidate": 0.8241,
        "difference": -0.0211,
        "low": -0.0301,
        "high": -0.0121,
        "method": "influence",
    }
    return MetricRow(**(facts | changes))


def make_pairing(**changes: Any) -> Pairing:
    """Return how 1,409 test rows were joined by id."""
    facts: dict[str, Any] = {
        "path": "eval/predictions.parquet",
        "task": "binary",
        "method": "id",
        "rows": 1409,
        "baseline_rows": 1409,
        "candidate_rows": 1409,
        "positives": 374,
        "positive_label": "Yes",
        "classes": ("No", "Yes"),
    }
    return Pairing(**(facts | changes))


def make_report(**changes: Any) -> Report:
    """Return the report of a refused pull request, changed by ``changes``."""
    gates = changes.get("gates", (make_gate(), make_doubtful_gate(), make_passed_gate()))
    metrics = changes.get(
        "metrics",
        (
            make_metric(),
            make_metric(
                name="log_loss",
                direction=Direction.LOWER,
                baseline=0.412,
                candidate=0.441,
                difference=0.029,
                low=0.015,
                high=0.043,
            ),
        ),
    )
    facts: dict[str, Any] = {
        "metricgate": "0.1.0",
        "verdict": Verdict.FAILED,
        "reason": explain_verdict(Verdict.FAILED, gates),
        "exit_code": 1,
        "baseline": RevisionInfo(
            revision=BASELINE_SHA,
            name="main",
            source=Source.DVC_CACHE,
            rows=1409,
            reason="first parent of the merge commit",
        ),
        "candidate": RevisionInfo(
            revision=CANDIDATE_SHA,
            name="smaller-trees",
            source=Source.WORKSPACE,
            rows=1409,
            reason="head of the pull request",
        ),
        "pairings": (make_pairing(),),
        "metrics": metrics,
        "gates": gates,
        "changes": (
            Change(kind="parameter", name="params.yaml:train.max_depth", before="8", after="3"),
            Change(kind="parameter", name="params.yaml:train.trees", before="300", after="40"),
            Change(kind="source", name="src/train.py", before="a1b2c3d", after="d4e5f6a", details="14 lines"),
        ),
        "candidate_stages": (
            Stage(name="prepare", state="cached", seconds=3.0),
            Stage(name="train", state="ran", seconds=38.0),
            Stage(name="evaluate", state="ran", seconds=3.0),
        ),
        "warnings": (),
        "charts": tuple(chart for chart in (build_forest(gates),) if chart),
        "policy_origin": "metricgate.yaml at main",
        "power": "With 1,409 rows this gate catches a 2-point loss of accuracy in 56 % of pull requests.",
        "hints": ("The largest loss is at contract = One year; params.yaml:train.trees went from 300 to 40.",),
        "reproduce": "metricgate run --baseline main",
        "timing": Timing(total=63.0, trained=41.0, reused=3.0),
    }
    return Report(**(facts | changes))


def make_unchanged_report(**changes: Any) -> Report:
    """Return the report of a pull request that changed no prediction."""
    gates = (make_identical_gate(),)
    facts: dict[str, Any] = {
        "verdict": Verdict.PASSED,
        "exit_code": 0,
        "reason": explain_verdict(Verdict.PASSED, gates),
        "pairings": (make_pairing(identical=True),),
        "gates": gates,
        "metrics": (make_metric(candidate=0.8452, difference=0.0, low=0.0, high=0.0),),
        "changes": (),
        "candidate_stages": tuple(Stage(name=name, state="unchanged") for name in ("prepare", "train", "evaluate")),
        "hints": (),
        "timing": Timing(total=9.0),
    }
    return make_report(**(facts | changes))


def make_passed_report(**changes: Any) -> Report:
    """Return the report of a pull request without a loss beyond what is allowed."""
    gates = (make_better_gate(), make_passed_gate())
    facts: dict[str, Any] = {
        "verdict": Verdict.PASSED,
        "exit_code": 0,
        "reason": explain_verdict(Verdict.PASSED, gates),
        "gates": gates,
        "hints": (),
    }
    return make_report(**(facts | changes))


def make_doubtful_report(**changes: Any) -> Report:
    """Return the report of a test set that is too small to tell."""
    gates = (make_doubtful_gate(), make_passed_gate())
    facts: dict[str, Any] = {
        "verdict": Verdict.INCONCLUSIVE,
        "exit_code": 0,
        "reason": explain_verdict(Verdict.INCONCLUSIVE, gates),
        "gates": gates,
        "warnings": (Warning_(code="attempts", text="This is attempt 5 on this test set: many attempts wear it out."),),
        "hints": ("About 2,900 rows would settle F1.",),
    }
    return make_report(**(facts | changes))


def make_error_report(**changes: Any) -> Report:
    """Return the report of a pipeline that failed."""
    error = WorkspaceError(
        "The pipeline failed at stage train with exit code 1.",
        expected="`dvc repro` ends with exit code 0.",
        fix="Run `dvc repro train` on your machine and mend what its last lines name.",
        details="Traceback (most recent call last):\n  File \"src/train.py\", line 12, in <module>\nKeyError: 'Churn'",
    )
    facts: dict[str, Any] = {
        "verdict": Verdict.ERROR,
        "exit_code": error.exit_code,
        "reason": error.what,
        "gates": (),
        "metrics": (),
        "pairings": (),
        "power": "",
        "hints": (),
        "charts": (),
        "candidate_stages": (),
        "failure": describe_failure(error),
    }
    return make_report(**(facts | changes))


def make_skipped_report() -> Report:
    """Return the report of a first commit, which has nothing to be compared with."""
    reason = "There is no baseline yet: this is the first commit."
    facts = {"gates": (), "metrics": (), "pairings": (), "charts": (), "hints": (), "power": "", "baseline": None}
    return make_report(verdict=Verdict.SKIPPED, exit_code=0, reason=reason, **facts)


def make_numbers_report() -> Report:
    """Return the report of a pipeline without a predictions file: its own numbers, two of them gated."""
    values = (("accuracy", 0.8034, 0.7991), ("loss", 0.0021, 0.0034), ("train_seconds", 41.2, 39.8))
    rows = tuple(
        make_metric(
            name=f"metrics.json:{key}",
            source="metrics.json",
            direction=Direction.HIGHER if key == "accuracy" else Direction.LOWER,
            baseline=before,
            candidate=after,
            difference=after - before,
            low=None,
            high=None,
            rows=None,
            positives=None,
        )
        for key, before, after in values
    )
    bare: dict[str, Any] = {"low": None, "high": None, "simultaneous_low": None, "simultaneous_high": None}
    bare |= {"source": "metrics.json", "rows": None}
    loss = {"direction": Direction.LOWER, "kind": "max_increase", "bound": 0.000105, "share": 0.05}
    gates = (
        make_gate(metric="metrics.json:loss", baseline=0.0021, candidate=0.0034, difference=0.0013, **(bare | loss)),
        make_better_gate().model_copy(
            update={
                **bare,
                "metric": "metrics.json:accuracy",
                "baseline": 0.8034,
                "candidate": 0.7991,
                "difference": -0.0043,
            }
        ),
    )
    return make_report(gates=gates, metrics=rows, pairings=(), hints=(), power="")


def make_slice_metrics() -> tuple[MetricRow, ...]:
    """Return metrics over all rows and on the slices of two columns, one of them much worse."""
    losses = (
        ("contract", "Two year", -0.004),
        ("contract", "One year", -0.061),
        ("contract", "Month-to-month", -0.017),
    )
    return (
        make_metric(),
        make_metric(
            name="average_precision", baseline=0.683, candidate=0.651, difference=-0.032, low=-0.055, high=-0.009
        ),
        *(
            make_metric(
                slice=Slice(column=column, value=value),
                rows=470,
                positives=91,
                difference=d,
                low=d - 0.03,
                high=d + 0.03,
            )
            for column, value, d in losses
        ),
    )


def make_many_metrics_report() -> Report:
    """Return a report of 2,000 numbers from a metrics file, of which every third one moved a little."""
    rows = [
        make_metric(
            name=f"metrics.json:class_{index:04}.recall",
            source="metrics.json",
            rows=None,
            positives=None,
            baseline=0.8,
            candidate=0.8 - (index % 3 == 0) * index * 1e-5,
            difference=-(index % 3 == 0) * index * 1e-5,
            low=None,
            high=None,
            method="",
        )
        for index in range(2000)
    ]
    return make_report(metrics=tuple(rows))


def make_large_report(metrics: int = 2000, slices: int = 500, parameters: int = 200, files: int = 10_000) -> Report:
    """Return a report at the limits of what a comment must hold, with names of 500 characters."""
    long_name = "very_long_name_" * 33
    rows = [
        make_metric(
            name=f"metrics.json:{long_name}{index}",
            source="metrics.json",
            low=None,
            high=None,
            rows=None,
            positives=None,
        )
        for index in range(metrics)
    ]
    by_slice = [
        make_metric(name="f1", slice=Slice(column="city", value=f"{long_name}{index}"), rows=40 + index, positives=12)
        for index in range(slices)
    ]
    gates = [
        make_gate(),
        *(
            make_passed_gate(
                role=Role.GUARDRAIL, metric="f1", slice=row.slice, kind="max_drop", bound=0.05, low=-0.04, high=0.03
            )
            for row in by_slice
        ),
    ]
    changes = [
        *(
            Change(kind="parameter", name=f"params.yaml:{long_name}{index}", before="1", after="2")
            for index in range(parameters)
        ),
        *(
            Change(kind="data", name=f"data/images/{long_name}/{index}.png", before="12 kB", after="14 kB")
            for index in range(files)
        ),
    ]
    return make_report(metrics=(*rows, *by_slice), gates=tuple(gates), changes=tuple(changes))
