"""The words and signs of a report: metrics, slices, rules, outcomes."""

from metricgate.gates.rules import RELATIVE_KINDS, word_demand
from metricgate.models.model_test import spell_test
from metricgate.models.outcome import Outcome, Verdict
from metricgate.models.result import GateRow, MetricRow, Slice
from metricgate.report.document import unbroken
from metricgate.report.escape import code_span, escape_sentence, plain_name
from metricgate.report.number_format import format_bound, format_number

METRIC_WORDS = {
    "roc_auc": "ROC AUC",
    "roc_auc_ovr": "ROC AUC (one against the rest)",
    "average_precision": "average precision",
    "accuracy": "accuracy",
    "balanced_accuracy": "balanced accuracy",
    "precision": "precision",
    "precision_macro": "macro precision",
    "recall": "recall",
    "recall_macro": "macro recall",
    "specificity": "specificity",
    "f1": "F1",
    "f1_macro": "macro F1",
    "f1_micro": "micro F1",
    "f1_weighted": "weighted F1",
    "matthews_corrcoef": "MCC",
    "cohen_kappa": "Cohen's kappa",
    "jaccard": "Jaccard",
    "log_loss": "log loss",
    "brier_score": "Brier score",
    "expected_calibration_error": "calibration error",
    "mean_absolute_error": "MAE",
    "mean_squared_error": "MSE",
    "root_mean_squared_error": "RMSE",
    "mean_absolute_percentage_error": "MAPE",
    "median_absolute_error": "median absolute error",
    "mean_bias": "mean bias",
    "r2": "R²",
}
SERVING_WORDS = {
    "latency_p50": "median latency, seconds",
    "latency_p95": "latency of 95 % of requests, seconds",
    "error_share": "share of failed requests",
}
TEST_LENGTH = 120  # a test's name is a sentence
DRIFT_WORDS = {
    "ks_distance": "distribution",
    "total_variation": "categories",
    "wasserstein_sd": "distance in sd",
    "new_values": "new values",
    "missing": "missing values",
    "classifier_auc": "classifier's ROC AUC",
}
VERDICT_SIGNS = {
    Verdict.PASSED: "✅",
    Verdict.FAILED: "❌",
    Verdict.INCONCLUSIVE: "⚠️",
    Verdict.SKIPPED: "⏭️",
    Verdict.ERROR: "🛑",
    Verdict.CANCELLED: "⏹️",
}
OUTCOME_SIGNS = {
    Outcome.PASSED: "✅",
    Outcome.FAILED: "❌",
    Outcome.INCONCLUSIVE: "⚠️",
    Outcome.SKIPPED: "⏭️",
    Outcome.ERROR: "🛑",
}
OUTCOME_WORDS = {
    Outcome.PASSED: "passed",
    Outcome.FAILED: "failed",
    Outcome.INCONCLUSIVE: "undecided",
    Outcome.SKIPPED: "skipped",
    Outcome.ERROR: "error",
}
VERDICT_WORDS = {verdict: "undecided" if verdict is Verdict.INCONCLUSIVE else verdict.value for verdict in Verdict}
OUTCOME_ORDER = (Outcome.ERROR, Outcome.FAILED, Outcome.INCONCLUSIVE, Outcome.SKIPPED, Outcome.PASSED)


def plain_metric(row: GateRow | MetricRow) -> str:
    """Return what the row is about as plain text: ``F1 for contract = One year``."""
    return f"{_plain_set(row.set)}{_words_of(row) or plain_name(_full_name(row))}{_plain_slice(row.slice)}"


def short_metric(row: GateRow | MetricRow) -> str:
    """Return what the row is about where there is little room: ``One year: F1``."""
    name = _words_of(row) or plain_name(_full_name(row))
    return f"{plain_name(row.slice.value)}: {name}" if row.slice else f"{_plain_set(row.set)}{name}"


def _words_of(row: GateRow | MetricRow) -> str | None:
    """Return the words for a metric computed from predictions; the pipeline's own numbers keep their names."""
    if is_test(row):
        return plain_name(spell_test(_bare(row)), TEST_LENGTH)
    if row.source == "serving":
        return SERVING_WORDS.get(_bare(row), "answers of the model server")
    if isinstance(row, GateRow) and row.source == "drift":
        return f"{plain_name(row.feature)}: {DRIFT_WORDS.get(row.metric, row.metric)}"
    return METRIC_WORDS.get(_bare(row)) if row.source == "predictions" else None


def is_test(row: GateRow | MetricRow) -> bool:
    """Return whether the row is about the team's own tests."""
    return row.source == "tests"


def has_no_numbers(row: GateRow | MetricRow) -> bool:
    """Return whether the row has an outcome and a reason alone: a test, or the answers of a model server."""
    return is_test(row) or (row.source == "serving" and _bare(row) not in SERVING_WORDS)


def _full_name(row: GateRow | MetricRow) -> str:
    name = _bare(row)
    return name if row.source == "predictions" or name.startswith(f"{row.source}:") else f"{row.source}:{name}"


def _bare(row: GateRow | MetricRow) -> str:
    return row.metric if isinstance(row, GateRow) else row.name


def _plain_set(name: str) -> str:
    return f"{plain_name(name)}: " if name else ""


def _plain_slice(where: Slice | None) -> str:
    return f" for {plain_slice(where)}" if where else ""


def plain_slice(where: Slice) -> str:
    """Return a slice as plain text: ``contract = One year``."""
    return f"{plain_name(where.column)} = {plain_name(where.value)}"


def name_metric(row: GateRow | MetricRow) -> str:
    """Return the metric and its prediction set as Markdown, without the slice."""
    if is_test(row):
        return escape_sentence(plain_metric(row))
    if isinstance(row, GateRow) and row.source == "drift":
        return f"{code_span(row.feature)} {unbroken(DRIFT_WORDS.get(row.metric, row.metric))}"
    words = _words_of(row)
    name = unbroken(words) if words else code_span(_full_name(row))
    return f"{code_span(row.set)} {name}" if row.set else name


def metric_cell(row: GateRow | MetricRow) -> str:
    """Return what the row is about as Markdown, for a table cell."""
    return f"{name_metric(row)}<br>{slice_cell(row.slice)}" if row.slice else name_metric(row)


def slice_cell(where: Slice) -> str:
    """Return a slice as Markdown, for a table cell."""
    return code_span(f"{where.column} = {where.value}")


def describe_rule(gate: GateRow, decimals: int) -> str:
    """Return the rule in words, trusted text: ``may fall by 0.010``, ``may rise by 5 % (0.021)``."""
    if has_no_numbers(gate):
        return "must keep passing" if is_test(gate) else "must be the judged ones"
    bound = format_bound(gate.bound, decimals)
    if not is_relative(gate):
        return word_demand(gate.kind, gate.direction, bound)
    if gate.bound == 0:
        amount = bound if gate.kind == "min_gain" else ""
    elif gate.share is None:
        amount = bound
    else:
        amount = f"{gate.share * 100:g} % ({format_number(gate.bound, decimals)})"
    noise = "" if gate.noise is None else f"; noise {format_number(gate.noise, decimals)}"
    return f"{word_demand(gate.kind, gate.direction, amount, anchor=gate.anchor)}{noise}"


def is_relative(gate: GateRow) -> bool:
    """Return whether the rule is about the difference, not the candidate's own value."""
    return gate.kind in RELATIVE_KINDS
