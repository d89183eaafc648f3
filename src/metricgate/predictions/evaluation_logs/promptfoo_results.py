"""Results of promptfoo: `-o out.json`, whose rows are in ``results.results``, and `-o out.jsonl`, a row a line.

A question is what the prompt's variables are: ``testIdx`` counts repeats, and moves when a test is inserted.
"""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from metricgate.predictions.evaluation_logs.answer import (
    OWN_NAMES,
    Answer,
    EvaluationLog,
    as_amount,
    as_mapping,
    as_mappings,
    as_number,
    as_text,
    describe_fact,
    flatten,
)
from metricgate.predictions.evaluation_logs.log_files import read_json, read_json_lines, unusable_log

_ASSERTION_FAILED = 1
_TAKEN = OWN_NAMES | {"success", "score"}
_WHAT_GRADES = ("type", "value", "threshold", "metric", "rubricPrompt", "provider", "weight", "transform")


def read_promptfoo(path: Path, shown: str, *, lines: bool) -> EvaluationLog:
    """Return the answers of one evaluation. ``lines``: the file has a row a line."""
    whole: Any = {} if lines else read_json(path, shown)
    rows = [row for _, row in read_json_lines(path, shown)] if lines else _find_rows(whole, shown)
    if not rows:
        raise unusable_log(shown, "holds no results", fix="Ask at least one question.")
    names = _find_ambiguous(rows)
    options = _find_options(whole)
    grader = describe_fact(options.get("provider")) or describe_fact(options.get("rubricPrompt"))
    return EvaluationLog(
        format="promptfoo",
        answers=tuple(_read_row(row, names) for row in rows),
        graded_by={**({"grader": grader} if grader else {}), **_find_judges(rows)},
    )


def _find_rows(whole: Any, shown: str) -> list[dict[str, Any]]:
    rows = as_mapping(as_mapping(whole).get("results")).get("results")
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise unusable_log(
            shown, "is not a result of promptfoo: it has no `results.results`", fix="Write it with `promptfoo eval -o`."
        )
    return rows


def _find_options(whole: Any) -> Mapping[str, Any]:
    return as_mapping(as_mapping(as_mapping(as_mapping(whole).get("config")).get("defaultTest")).get("options"))


def _find_ambiguous(rows: Iterable[Mapping[str, Any]]) -> tuple[str, ...]:
    """Return which of provider and prompt have several values, so that a question needs them too."""
    listed = list(rows)
    several: dict[str, set[Any]] = {
        "provider": {_name_provider(row) for row in listed},
        "prompt": {as_text(row.get("promptIdx")) for row in listed},
    }
    return tuple(name for name, values in several.items() if len(values) > 1)


def _name_provider(row: Mapping[str, Any]) -> str:
    provider = row.get("provider")
    own = as_mapping(provider)
    return as_text(own.get("label")) or as_text(own.get("id")) if own else as_text(provider)


def _find_judges(rows: Iterable[Mapping[str, Any]]) -> dict[str, str]:
    judges = {
        describe_fact(assertion.get("provider"))
        for row in rows
        for assertion in _list_assertions(row)
        if assertion.get("provider")
    }
    return {"judge": ", ".join(sorted(judges))} if judges else {}


def _list_assertions(row: Mapping[str, Any]) -> list[dict[str, Any]]:
    return as_mappings(as_mapping(row.get("testCase")).get("assert"))


def _read_row(row: Mapping[str, Any], ambiguous: tuple[str, ...]) -> Answer:
    case = as_mapping(row.get("testCase"))
    variables = as_mapping(row.get("vars")) or as_mapping(case.get("vars"))
    own = {"provider": _name_provider(row), "prompt": as_text(row.get("promptIdx"))}
    failed = row.get("error") and row.get("failureReason") != _ASSERTION_FAILED
    response = as_mapping(row.get("response"))
    named = {f"named.{as_text(name)}": value for name, value in as_mapping(row.get("namedScores")).items()}
    scores = {"success": row.get("success"), "score": row.get("score"), **_unless_taken(named)}
    milliseconds = as_amount(row.get("latencyMs"))
    usage = as_mapping(row.get("tokenUsage")) or as_mapping(response.get("tokenUsage"))
    return Answer(
        question=as_text({**variables, **{f"({name})": own[name] for name in ambiguous}}),
        target=as_text([{key: part[key] for key in _WHAT_GRADES if key in part} for part in _list_assertions(row)]),
        scores={name: None if failed else as_number(value) for name, value in scores.items()},
        error=as_text(row.get("error")) if failed else "",
        input=as_text(as_mapping(row.get("prompt")).get("raw")),
        output=as_text(response.get("output")),
        seconds=None if milliseconds is None else milliseconds / 1000,
        tokens=as_amount(usage.get("total")),
        cost=as_amount(row.get("cost")),
        facts={
            **flatten(variables, "vars"),
            **flatten(as_mapping(case.get("metadata")), "metadata"),
            "description": case.get("description"),
            "provider.label": own["provider"],
            "provider.id": as_mapping(row.get("provider")).get("id"),
            "promptIdx": row.get("promptIdx"),
        },
    )


def _unless_taken(named: Mapping[str, Any]) -> dict[str, Any]:
    """Return named scores by their own names; those that are called as promptfoo's own, or as what answers take, keep ``named.``."""
    return {name if (plain := name.removeprefix("named.")) in _TAKEN else plain: value for name, value in named.items()}
