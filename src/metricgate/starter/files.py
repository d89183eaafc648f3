"""The two files a team starts from: metricgate.yaml, and a workflow. Nothing is ever overwritten."""

import json
import re
from dataclasses import dataclass
from pathlib import Path

from metricgate.models.samples import Task
from metricgate.settings.policy import FILE_NAME, PredictionsSpec
from metricgate.starter.survey import PredictionsFound, Survey, survey_project
from metricgate.workspace.checkout import Checkout

WORKFLOWS = Path(__file__).parent / "workflows"
WORKFLOW_FILE = ".github/workflows/metricgate.yml"
GATES: dict[Task, tuple[str, ...]] = {
    "binary": ("{metric: accuracy, max_drop: 0.02}",),
    "multiclass": ("{metric: accuracy, max_drop: 0.02}", "{metric: f1_macro, max_drop: 0.04}"),
    "regression": ("{metric: mean_absolute_error, max_increase: 3%}",),
    "score": (),
}
SLICED: dict[Task, str] = {
    "binary": "accuracy, slices: [{}], max_drop: 0.05",
    "multiclass": "accuracy, slices: [{}], max_drop: 0.05",
    "regression": "mean_absolute_error, slices: [{}], max_increase: 10%",
}
# Where a remote's address starts so, that workflow has the credentials' step.
REMOTE_WORKFLOWS = {"s3://": "pull-request-s3", "gs://": "pull-request-gcs", "azure://": "pull-request-azure"}

_PLAIN = re.compile(r"[A-Za-z][\w./-]*(:[\w./-]+)*", re.ASCII)
_YAML_WORDS = {"yes", "no", "true", "false", "null", "on", "off", "y", "n"}


@dataclass(frozen=True, kw_only=True)
class StarterFile:
    """A file to write, and why it looks as it does."""

    path: Path
    text: str
    exists: bool


@dataclass(frozen=True, kw_only=True)
class Starter:
    """What `metricgate init` writes, and what is left to a person."""

    files: tuple[StarterFile, ...]
    next_steps: tuple[str, ...]


def prepare_starter(checkout: Checkout) -> Starter:
    """Look at the project and prepare both files; nothing is written."""
    survey = survey_project(checkout)
    policy, workflow = checkout.directory / FILE_NAME, checkout.top / WORKFLOW_FILE
    files = (
        StarterFile(path=policy, text=render_policy(survey), exists=policy.exists()),
        StarterFile(path=workflow, text=render_workflow(survey, checkout.prefix), exists=workflow.exists()),
    )
    return Starter(files=files, next_steps=tuple(_name_next_steps(survey)))


def write_starter(starter: Starter) -> None:
    """Write what is not there yet."""
    for file in starter.files:
        if not file.exists:
            file.path.parent.mkdir(parents=True, exist_ok=True)
            file.path.write_text(file.text, encoding="utf-8")


def render_policy(survey: Survey) -> str:
    """Return a policy that names what was found, with gates that ask for little; what is unsure is a comment."""
    lines = ["# What may a pull request lose? Every key: docs/policy.md of MetricGate."]
    lines += _render_predictions(survey.predictions)
    lines += _render_gates(survey)
    if survey.requirements:
        lines += [
            "pipeline:",
            f"  requirements: {survey.requirements}  # installed for the stages, apart from MetricGate",
        ]
    return "\n".join(lines) + "\n"


def _render_predictions(found: PredictionsFound | None) -> list[str]:
    if found is None:
        return [
            "# No predictions were found. With one row per test example, a change is measured row by row, with its interval:",
            "# predictions: {path: eval/predictions.csv, id: customer_id, label: churned, score: churn_probability}",
        ]
    if found.task is None:
        return [
            f"# {found.why_not}. Complete this, and the gates become intervals:",
            f"# predictions: {{path: {_quote(found.spec.path)}, id: …, label: …, score: …}}",
        ]
    lines = ["predictions:", f"  path: {_quote(found.spec.path)}"]
    return lines + [f"  {key}: {value}" for key, value in _columns(found.spec) if value]


def _columns(spec: PredictionsSpec) -> list[tuple[str, str]]:
    several = "{" + ", ".join(f"{_quote(key)}: {_quote(column)}" for key, column in (spec.scores or {}).items()) + "}"
    return [
        ("id", _quote(spec.id[0]) if len(spec.id) == 1 else _list(spec.id)),
        ("label", _quote(spec.label) if spec.label else ""),
        ("prediction", _quote(spec.prediction) if spec.prediction else ""),
        ("score", _quote(spec.score) if spec.score else ""),
        ("scores", several if spec.scores else ""),
        ("slices", _list(spec.slices)),
    ]


def _render_gates(survey: Survey) -> list[str]:
    gates: list[str] = []
    found = survey.predictions
    if found is not None and found.task is not None:
        if found.task == "binary" and found.spec.score:
            gates.append("  - {metric: roc_auc, max_drop: 0.01}")
        if found.task == "score":
            gates.append(f"  - {{metric: {_quote(f'mean({found.spec.score})')}, max_drop: 0.02}}")
        gates += [f"  - {gate}" for gate in GATES[found.task]]
        if found.spec.slices and found.task in SLICED:
            gates.append(f"  - {{metric: {SLICED[found.task].format(_quote(found.spec.slices[0]))}}}  # a guardrail")
    names = [f"{file}:{key}" for file, keys in survey.metrics.items() for key in keys]
    if gates:
        return ["gates:", *gates]
    if not names:
        return ["# gates:", "#   - {metric: metrics.json:accuracy, max_drop: 0.02}"]
    lines = ["# Numbers of your metrics files: keep those that matter, with max_drop where higher is better, and with"]
    lines.append("# max_increase where lower is.")
    return [*lines, "# gates:", *(f"#   - {{metric: {_quote(name)}, max_drop: 5%}}" for name in names)]


def render_workflow(survey: Survey, prefix: str) -> str:
    """Return the example workflow that fits the DVC remote, with the project's folder in it."""
    address = next(iter(survey.remotes.values()), "")
    name = next((name for start, name in REMOTE_WORKFLOWS.items() if address.startswith(start)), "pull-request")
    text = (WORKFLOWS / f"{name}.yml").read_text(encoding="utf-8")
    if not prefix:
        return text
    step = next(line for line in text.splitlines() if "uses: metricgate/metricgate@" in line)
    return text.replace(step, f"{step}\n        with:\n          working-directory: {_quote(prefix.rstrip('/'))}", 1)


def _name_next_steps(survey: Survey) -> list[str]:
    steps = []
    if not survey.has_pipeline:
        steps.append("There is no dvc.yaml: write a pipeline, or name `pipeline: {command: …}` in metricgate.yaml.")
    address = next(iter(survey.remotes.values()), "")
    if not address:
        steps.append(
            "There is no DVC remote: `dvc remote add --default storage s3://your-bucket/path`, then `dvc push`."
        )
    elif "://" not in address:
        steps.append(f"The DVC remote {address} is a folder of this machine: GitHub's runners cannot reach it.")
    elif address.startswith(tuple(REMOTE_WORKFLOWS)):
        steps.append(f"Put your own role or account in {WORKFLOW_FILE}, in the step before MetricGate's.")
    elif address.startswith("ssh://"):
        steps.append("The DVC remote needs a key: give it to the step as an environment variable or a file.")
    if survey.predictions is None:
        steps.append("Let the pipeline write its test predictions, one row each: that makes changes measurable.")
    return [
        *steps,
        "Read metricgate.yaml and set the margins you mean.",
        "metricgate doctor   # what would a first run trip over?",
        "metricgate run      # judge this checkout",
        "Commit both files; the first pull request is judged by its own gates, later ones by main's.",
    ]


def _list(names: tuple[str, ...]) -> str:
    return f"[{', '.join(_quote(name) for name in names)}]" if names else ""


def _quote(text: str) -> str:
    """Return text as YAML: plain where that cannot be read as anything else, else as JSON, which YAML reads too."""
    return text if _PLAIN.fullmatch(text) and text.lower() not in _YAML_WORDS else json.dumps(text)
