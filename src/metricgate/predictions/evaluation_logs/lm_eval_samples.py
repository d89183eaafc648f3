"""Samples of lm-evaluation-harness: one line for each document and filter, with a number for each metric.

The harness keeps one score for each filter, whatever its ``repeats``; what else says which test it was lies in the
``results_*.json`` beside the samples.
"""

import re
from pathlib import Path
from typing import Any

from metricgate.predictions.evaluation_logs.answer import (
    Answer,
    EvaluationLog,
    as_number,
    as_text,
    describe_fact,
    flatten,
)
from metricgate.predictions.evaluation_logs.log_files import read_json, read_json_lines, unusable_log

_FILE_NAME = re.compile(r"samples_(?P<task>.+)_(?P<date>\d{4}-\d{2}-\d{2}T.+)\.jsonl")
_PLUMBING = frozenset({"doc_id", "doc_hash", "prompt_hash", "target_hash"})


def read_lm_eval(path: Path, shown: str, *, name: str = "") -> EvaluationLog:
    """Return the answers of one task's samples. ``name``: the file's name, where ``path`` has another."""
    match = _FILE_NAME.fullmatch(name or path.name)
    task = match["task"] if match else Path(name or path.name).stem.removeprefix("samples_")
    answers = tuple(_read_line(line, task, shown, number) for number, line in read_json_lines(path, shown))
    if not answers:
        raise unusable_log(shown, "holds no samples", fix="Run lm-eval with `--log_samples`, and ask at least one.")
    results = path.parent / f"results_{match['date']}.json" if match else None
    about = read_json(results, str(results)) if results is not None and results.is_file() else {}
    return EvaluationLog(
        format="lm-eval",
        answers=answers,
        graded_by=_pick({f"version of {task}": _find(about, "versions", task)}),
        extent=_pick({"limit": _find(about, "config", "limit"), "few-shot examples": _find(about, "n-shot", task)}),
    )


def _read_line(line: dict[str, Any], task: str, shown: str, number: int) -> Answer:
    names = line.get("metrics")
    if not isinstance(names, list) or ("doc_hash" not in line and "doc_id" not in line):
        raise unusable_log(
            shown,
            f"line {number} is not a sample of lm-evaluation-harness: it has no `metrics` or no `doc_id`",
            fix="Name the samples_*.jsonl that lm-eval wrote with `--log_samples`.",
        )
    return Answer(
        question=as_text(line.get("doc_hash", line.get("doc_id"))),
        target=as_text(line.get("target_hash", line.get("target"))),
        task=task,
        scores={as_text(name): as_number(line.get(name)) for name in names if isinstance(name, str)},
        input=_read_prompt(line.get("arguments")),
        output=_read_output(line.get("filtered_resps")),
        facts={
            **flatten(line.get("doc") or {}, "doc"),
            "filter": line.get("filter"),
            "task": task,
            **{name: line[name] for name in _PLUMBING if name in line},
        },
    )


def _read_prompt(arguments: Any) -> str:
    first = next(iter(arguments.values()), None) if isinstance(arguments, dict) else arguments
    if isinstance(first, dict):
        first = first.get("arg_0")
    while isinstance(first, list) and first:
        first = first[0]
    return as_text(first)


def _read_output(answers: Any) -> str:
    if isinstance(answers, list) and len(answers) == 1:
        return as_text(answers[0])
    return as_text(answers)


def _find(value: Any, *names: str) -> Any:
    for name in names:
        value = value.get(name) if isinstance(value, dict) else None
    return value


def _pick(named: dict[str, Any]) -> dict[str, str]:
    return {name: text for name, value in named.items() if (text := describe_fact(value))}
