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
CALLED = "metricgate/metricgate/.github/workflows/"
CALLED_FOLDER = FOLDER.parents[1] / ".github/workflows"


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
        if str(job.get("uses", "")).startswith(CALLED):
            yield from _read_called_jobs(workflow, job)
            continue
        if not any(map(_is_ours, job["steps"])):
            continue  # it prepares what the next one judges
        matrix = job.get("strategy", {}).get("matrix", {})
        for values in product(*matrix.values()):
            chosen = {f"matrix.{key}": value for key, value in zip(matrix, values, strict=True)}
            yield _read_step(workflow, name, job, chosen)


def _read_called_jobs(workflow: str, caller: Mapping[str, Any]) -> Iterator[ExampleStep]:
    """Yield MetricGate's step of each job of the workflow that an example's job calls, with the caller's inputs."""
    path = CALLED_FOLDER / caller["uses"].removeprefix(CALLED).partition("@")[0]
    content = YAML().load(path.read_text(encoding="utf-8"))
    inputs = {name: spec.get("default", "") for name, spec in content["on"]["workflow_call"]["inputs"].items()}
    given = {f"inputs.{name}": str(value) for name, value in (inputs | caller.get("with", {})).items()}
    for name, job in content["jobs"].items():
        yield _read_step(workflow, name, job, given)


def _load(workflow: str) -> Any:
    return YAML().load((FOLDER / f"{workflow}.yml").read_text(encoding="utf-8"))


def _is_ours(step: Mapping[str, Any]) -> bool:
    return str(step.get("uses", "")).startswith("metricgate/metricgate@") or COMMAND in str(step.get("run", ""))


def _read_step(workflow: str, name: str, job: Mapping[str, Any], values: Mapping[str, str]) -> ExampleStep:
    """Return MetricGate's step of a job; ``values`` are those of the expressions that the job's file defines."""
    [step] = [step for step in job["steps"] if _is_ours(step)]
    given = {key: _evaluate(value, values) for key, value in step.get("with", {}).items()}
    variables = {key: _evaluate(value, values) for key, value in step.get("env", {}).items()}
    # Without the container, inputs are variables (gpu-self-hosted.yml).
    given |= {key.removeprefix("INPUT_").lower(): value for key, value in variables.items() if key.startswith("INPUT_")}
    return ExampleStep(
        workflow=workflow,
        job=name,
        matrix={key: value for key, value in values.items() if key.startswith("matrix.")},
        permissions=dict(job["permissions"]),
        condition=str(job.get("if", "")),
        inputs={key: value for key, value in given.items() if key != "github-token"},
        variables={key: value for key, value in variables.items() if not key.startswith("INPUT_")},
    )


def _evaluate(value: Any, values: Mapping[str, str]) -> str:
    """Return a value with its expressions replaced: those that the job's file defines, and a secret by some text.

    The repository has no variables.
    """

    def find(match: re.Match[str]) -> str:
        if "vars." in match[1] and match[1].endswith("|| ''"):
            return ""
        context = match[1].partition(".")[0]
        assert context in {"matrix", "inputs", "github", "secrets", "steps", "runner", "needs"}, match[0]
        return values[match[1]] if context in {"matrix", "inputs"} else f"the value of {match[1]}"

    return EXPRESSION.sub(find, str(value))
