"""The words for what came out: of a gate, and of the run."""

from enum import StrEnum


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
