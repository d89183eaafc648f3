"""Logs as Inspect writes them, of simulated answers: for tests that need more questions than the golden logs have."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from numpy.random import Generator

Grades = Mapping[str, Sequence[Any]]
"""By question, the value of each answer; None for one that failed."""


def draw_grades(rng: Generator, chances: Sequence[float], answers: int) -> dict[str, list[str]]:
    """Return right and wrong answers to each question, by its chance of a right one."""
    return {
        f"q{number}": ["C" if hit else "I" for hit in rng.random(answers) < chance]
        for number, chance in enumerate(chances)
    }


def write_inspect(
    path: Path,
    grades: Grades,
    *,
    scorer: str = "match",
    options: Mapping[str, Any] | None = None,
    metadata: Mapping[str, Mapping[str, Any]] | None = None,
    texts: Mapping[str, str] | None = None,
    cost: float | None = None,
    **config: Any,
) -> Path:
    """Write a log with one score. ``texts``: what is answered to a question, where it is not the grade."""
    samples = [
        {
            "id": question,
            "epoch": epoch,
            "input": f"Question {question}?",
            "target": "right",
            "metadata": (metadata or {}).get(question, {}),
            "output": {"completion": (texts or {}).get(question, f"{question}: {value}")},
            "total_time": 1.5,
            "model_usage": {"mockllm/model": {"total_tokens": 20} | ({} if cost is None else {"total_cost": cost})},
            **({"error": {"message": "timeout"}} if value is None else {"scores": {scorer: {"value": value}}}),
        }
        for question, values in grades.items()
        for epoch, value in enumerate(values, start=1)
    ]
    log = {
        "version": 2,
        "status": "success",
        "eval": {
            "task": "simulated",
            "model": "mockllm/model",
            "dataset": {"name": "simulated"},
            "config": config,
            "scorers": [{"name": scorer, "options": options or {}}],
        },
        "results": {"total_samples": len(samples)},
        "samples": samples,
    }
    path.write_text(json.dumps(log), encoding="utf-8")
    return path
