"""The words for what came out of a gate and of the run."""

from enum import StrEnum
from typing import Literal

UndefinedCode = Literal[
    "constant",
    "missing_columns",
    "never_predicted",
    "no_interval",
    "no_rows",
    "not_finite",
    "not_probabilities",
    "one_class",
    "too_few_rows",
    "zero_denominator",
    "zero_label",
    "zero_weight",
]
"""Why a metric has no value on some rows."""
MissingCode = Literal[UndefinedCode, "absent", "no_baseline", "not_a_number", "unreadable"]
"""Why a value that a gate or a table needs is missing."""
ReasonCode = Literal[
    MissingCode,
    "advisory",
    "answers_ungraded",
    "bar_cleared",
    "bar_missed",
    "bar_not_cleared_with_confidence",
    "baseline_not_a_number",
    "baseline_not_positive",
    "baseline_unreadable",
    "beyond_margin",
    "candidate_absent",
    "candidate_not_a_number",
    "candidate_unreadable",
    "cannot_tell",
    "drifted",
    "identical",
    "labels_missing",
    "lost_before",
    "no_harm_shown",
    "number_beyond_margin",
    "number_within_margin",
    "other_test",
    "rows_absent",
    "rows_added",
    "rows_relabelled",
    "served_as_judged",
    "serving_failed",
    "serving_not_asked",
    "serving_skew",
    "slice_not_in_baseline",
    "stable",
    "test_broken",
    "test_new_and_failing",
    "test_removed",
    "test_skipped",
    "tests_not_run",
    "tests_pass",
    "tests_without_baseline",
    "too_few_groups",
    "within_margin",
    "worse_probably_beyond",
]
"""Why a gate has its outcome: every code that judging can put into report.json."""


class Outcome(StrEnum):
    """The outcome of one gate."""

    PASSED = "passed"
    FAILED = "failed"
    INCONCLUSIVE = "inconclusive"
    SKIPPED = "skipped"
    ERROR = "error"


class Verdict(StrEnum):
    """The outcome of the run."""

    PASSED = "passed"
    FAILED = "failed"
    INCONCLUSIVE = "inconclusive"
    SKIPPED = "skipped"
    ERROR = "error"
    CANCELLED = "cancelled"


class Direction(StrEnum):
    """Which way a metric gets better."""

    HIGHER = "higher"
    LOWER = "lower"


class Role(StrEnum):
    """How a gate blocks: a required one must be shown to pass, a guardrail blocks only shown harm."""

    REQUIRED = "required"
    GUARDRAIL = "guardrail"
