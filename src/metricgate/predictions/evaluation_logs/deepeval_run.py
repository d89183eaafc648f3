"""Test runs of DeepEval: ``test_run_*.json``, written where ``DEEPEVAL_RESULTS_FOLDER`` points."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from metricgate.predictions.evaluation_logs.answer import (
    Answer,
    EvaluationLog,
    as_amount,
    as_mappings,
    as_number,
    as_text,
    describe_fact,
    flatten,
)
from metricgate.predictions.evaluation_logs.log_files import read_json, unusable_log

_GIVEN_NAME = re.compile(r"(test_case|conversational_test_case)_\d+")  # by position: it moves when a case is inserted


def read_deepeval(path: Path, shown: str) -> EvaluationLog:
    """Return the answers of one test run."""
    run = read_json(path, shown)
    cases = run.get("testCases") if isinstance(run, dict) else None
    if not isinstance(cases, list) or not all(isinstance(case, dict) for case in cases):
        raise unusable_log(
            shown,
            "is not a test run of DeepEval: it has no `testCases`",
            fix="Set DEEPEVAL_RESULTS_FOLDER, and name its file.",
        )
    if run.get("conversationalTestCases"):
        raise unusable_log(
            shown,
            "holds conversations, which are not read yet",
            expected="test cases with an input and an actual output.",
            fix="Write one row for each conversation as JSON Lines, and name its columns.",
        )
    if not cases:
        raise unusable_log(shown, "holds no test cases", fix="Ask at least one question.")
    shared = _find_shared_names(cases)
    return EvaluationLog(
        format="deepeval",
        answers=tuple(_read_case(case, shared) for case in cases),
        graded_by=_find_grading(cases),
    )


def _find_shared_names(cases: list[dict[str, Any]]) -> frozenset[str]:
    """Return the names that cases with other inputs share: a name of the test, and not of the question."""
    inputs: dict[str, set[str]] = {}
    for case in cases:
        inputs.setdefault(as_text(case.get("name")), set()).add(as_text(case.get("input")))
    return frozenset(name for name, texts in inputs.items() if len(texts) > 1)


def _find_grading(cases: list[dict[str, Any]]) -> dict[str, str]:
    graders: dict[str, set[str]] = {}
    for case in cases:
        for metric in _list_metrics(case):
            if model := describe_fact(metric.get("evaluationModel")):
                graders.setdefault(f"judge of {metric.get('name')}", set()).add(model)
    return {name: ", ".join(sorted(models)) for name, models in graders.items()}


def _list_metrics(case: Mapping[str, Any]) -> list[dict[str, Any]]:
    return as_mappings(case.get("metricsData"))


def _read_case(case: Mapping[str, Any], shared: frozenset[str]) -> Answer:
    name, metrics = as_text(case.get("name")), _list_metrics(case)
    errors = [as_text(metric.get("error")) for metric in metrics if metric.get("error")]
    return Answer(
        question=as_text(case.get("input")) if not name or name in shared or _GIVEN_NAME.fullmatch(name) else name,
        target=as_text(case.get("expectedOutput")),
        scores={as_text(metric.get("name")): as_number(metric.get("score")) for metric in metrics},
        error=errors[0] if errors else "",
        input=as_text(case.get("input")),
        output=as_text(case.get("actualOutput")),
        seconds=as_amount(case.get("completionTime")),
        tokens=_sum_tokens(case),
        cost=as_amount(case.get("tokenCost")),
        facts={
            **flatten(case.get("additionalMetadata") or case.get("metadata") or {}, "metadata"),
            "name": name,
            "tags": _join_tags(case.get("tags")),
        },
    )


def _sum_tokens(case: Mapping[str, Any]) -> float | None:
    counts = [as_amount(case.get(key)) for key in ("inputTokenCount", "outputTokenCount")]
    known = [count for count in counts if count is not None]
    return sum(known) if known else None


def _join_tags(tags: Any) -> str | None:
    return ", ".join(map(as_text, tags)) or None if isinstance(tags, list) else as_text(tags) or None
