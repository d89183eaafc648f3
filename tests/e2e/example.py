"""An example workflow, read as GitHub reads it: its events, its jobs' rights, and the step that is MetricGate's."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

FOLDER = Path(__file__).parents[2] / "examples/workflows"
EXPRESSION = re.compile(r"\$\{\{ *(.+?) *\}\}")
COMMAND = "-m metricgate action"


@dataclass(frozen=True, kw_only=True)
class ExampleStep:
    """MetricGate's step of one job, for one combination of its matrix."""

    workflow: str
    job: str
    matrix: Mapping[str, str]
    permissions: Mapping[str, str]
    condition: str  # the job's `if:`
    inputs: Mapping[str, str]
    variables: Mapping[str, str]  # the step's `env:`, without those that are inputs

    def __str__(self) -> str:
        return "-".join([self.workflow, self.job, *self.matrix.values()])


def read_events(workflow: str) -> tuple[str, ...]:
    """Return the names of the events that start a workflow."""
    events = _load(workflow)["on"]
    return (events,) if isinstance(events, str) else tuple(events)


def read_steps(workflow: str) -> list[ExampleStep]:
    """Return MetricGate's step of each job."""
    return list(_read_jobs(workflow))


def _read_jobs(workflow: str) -> Iterator[ExampleStep]:
    content = _load(workflow)
    for name, job in content["jobs"].items():
        matrix = job.get("strategy", {}).get("matrix", {})
        for values in product(*matrix.values()):
            chosen = dict(zip(matrix, values, strict=True))
            [step] = [step for step in job["steps"] if _is_ours(step)]
            yield _read_step(workflow, name, job, step, chosen)


def _load(workflow: str) -> Any:
    return YAML().load((FOLDER / f"{workflow}.yml").read_text(encoding="utf-8"))


def _is_ours(step: Mapping[str, Any]) -> bool:
    return str(step.get("uses", "")).startswith("metricgate/metricgate@") or COMMAND in str(step.get("run", ""))


def _read_step(
    workflow: str, name: str, job: Mapping[str, Any], step: Mapping[str, Any], matrix: Mapping[str, str]
) -> ExampleStep:
    given = {key: _evaluate(value, matrix) for key, value in step.get("with", {}).items()}
    variables = {key: _evaluate(value, matrix) for key, value in step.get("env", {}).items()}
    # Without the container, inputs are variables (gpu-self-hosted.yml).
    given |= {key.removeprefix("INPUT_").lower(): value for key, value in variables.items() if key.startswith("INPUT_")}
    return ExampleStep(
        workflow=workflow,
        job=name,
        matrix=matrix,
        permissions=dict(job["permissions"]),
        condition=str(job.get("if", "")),
        inputs={key: value for key, value in given.items() if key != "github-token"},
        variables={key: value for key, value in variables.items() if not key.startswith("INPUT_")},
    )


def _evaluate(value: Any, matrix: Mapping[str, str]) -> str:
    """Return a value with its expressions replaced: the matrix's by its values, a secret by some text."""

    def find(match: re.Match[str]) -> str:
        context, _, key = match[1].partition(".")
        assert context in {"matrix", "github", "secrets", "steps"}, match[0]
        return matrix[key] if context == "matrix" else f"the value of {match[1]}"

    return EXPRESSION.sub(find, str(value))
