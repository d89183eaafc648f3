"""What every tool's log is read into: answers to questions, and what says whether two logs are the same test."""

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

LogFormat = Literal["inspect", "lm-eval", "promptfoo", "deepeval"]
AnswerFormat = Literal[LogFormat, "rows"]
"""``rows``: answers written by hand, one a row."""
SCORER = "scorer"
"""A fact that starts so is of one score alone, and tells nothing where the other log lacks it."""
COSTS = ("seconds", "tokens", "cost")
OWN_NAMES = frozenset({"id", "target", "answers", *COSTS})
"""Columns of a log's questions: a score with one of these names stays out of their way."""
_DEEPEST = 8  # levels of nested metadata; what lies deeper stays JSON text


@dataclass(frozen=True, kw_only=True)
class Answer:
    """One answer of the model to one question.

    Attributes
    ----------
    question : the question's id, the same at every revision
    target : what is right, as text; another target is another question
    task : the tool's name of the test
    number : the answer's number within its question, as text
    scores : by the tool's own names; None for one that could not be graded
    error : why there is no answer, or no grade; empty where there is one
    input, output : texts for people; empty where the log does not hold them
    seconds, tokens, cost : what the answer took; None where the log does not say
    facts : everything else that slices, groups and filters may name, with dotted names
    """

    question: str
    target: str = ""
    task: str = ""
    number: str = ""
    scores: Mapping[str, float | None]
    error: str = ""
    input: str = ""
    output: str = ""
    seconds: float | None = None
    tokens: float | None = None
    cost: float | None = None
    facts: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class EvaluationLog:
    """The answers of one or several log files.

    Attributes
    ----------
    graded_by : by name, what a score depends on beside the answer: scorer, judge, version of the task. Scores of two
        logs that differ in it are not comparable
    extent : by name, how much was asked: limit, epochs, the data set's name
    has_outputs : whether the log holds what the model answered
    """

    format: AnswerFormat
    answers: tuple[Answer, ...]
    graded_by: Mapping[str, str] = field(default_factory=dict)
    extent: Mapping[str, str] = field(default_factory=dict)
    has_outputs: bool = True

    @property
    def tasks(self) -> tuple[str, ...]:
        return tuple(sorted({answer.task for answer in self.answers}))

    @property
    def score_names(self) -> tuple[str, ...]:
        """The names of all scores, in the order of the log."""
        return tuple(dict.fromkeys(name for answer in self.answers for name in answer.scores))

    def keep(self, answers: tuple[Answer, ...]) -> "EvaluationLog":
        return replace(self, answers=answers)


def as_number(value: Any) -> float | None:
    """Return a finite number, true and false as 1 and 0; None for anything else."""
    if not isinstance(value, bool | int | float):
        return None
    try:
        number = float(value)
    except OverflowError:
        return None
    return number if math.isfinite(number) else None


def as_amount(value: Any) -> float | None:
    """Return a number that is not negative; None for anything else: nothing costs less than nothing."""
    number = as_number(value)
    return None if number is None or number < 0 else number


def as_mapping(value: Any) -> dict[str, Any]:
    """Return a mapping as it is, and an empty one for anything else: a log's fields may be null."""
    return value if isinstance(value, dict) else {}


def as_text(value: Any) -> str:
    """Return text as it is, and other values as JSON; nothing for null. A lone half of a character becomes `?`."""
    if value is None:
        return ""
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, sort_keys=True)
    return text.encode("utf-8", "replace").decode()


def as_mappings(value: Any) -> list[dict[str, Any]]:
    """Return the mappings in a list; nothing for what is no list."""
    return [part for part in value if isinstance(part, dict)] if isinstance(value, list) else []


def flatten(value: Any, name: str, *, depth: int = _DEEPEST) -> dict[str, Any]:
    """Return the scalars in nested mappings by dotted name; lists become JSON text."""
    if isinstance(value, dict) and value and depth:
        parts = (flatten(inner, f"{name}.{as_text(key)}", depth=depth - 1) for key, inner in value.items())
        return {key: inner for part in parts for key, inner in part.items()}
    if isinstance(value, dict | list):
        return {name: as_text(value)}
    return {name: value}


def describe_fact(value: Any) -> str:
    """Return a fact about the test as short text; nothing for what is absent or empty."""
    return "" if value is None or value in ({}, [], "") else as_text(value)[:200]
