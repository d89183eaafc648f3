"""A first metricgate.yaml: it names what was found, asks for little, and has what is unsure as a comment."""

import json
import re
from collections.abc import Sequence

from metricgate.models.samples import Task
from metricgate.settings.policy import PredictionsSpec
from metricgate.starter.first_gates import FirstGate
from metricgate.starter.number_gates import suggest_gates
from metricgate.starter.prediction_tables import PredictionsFound
from metricgate.starter.project_survey import Survey
from metricgate.starter.stored_model import ModelTrial

SLICED: dict[Task, str] = {
    "binary": "accuracy, slices: [{}], max_drop: 0.05",
    "multiclass": "accuracy, slices: [{}], max_drop: 0.05",
    "regression": "mean_absolute_error, slices: [{}], max_increase: 10%",
}
MIN_ROWS_TO_ASK = 500
"""With fewer rows, too many harmless changes would need a person's approval: the table in docs/policy.md."""
ASK = "on_inconclusive: ask  # a person accepts an undecided change whose best estimate is beyond what is allowed"
_PLAIN = re.compile(r"[A-Za-z][\w./-]*(:[\w./-]+)*", re.ASCII)
_YAML_WORDS = {"yes", "no", "true", "false", "null", "on", "off", "y", "n"}


def render_policy(survey: Survey, trial: ModelTrial) -> str:
    """Return a policy that names what was found, with gates that ask for little; what is unsure is a comment."""
    lines = ["# How much worse may a pull request make the model? All keys: docs/policy.md of MetricGate."]
    lines += _render_scoring(trial) if trial.evaluation else _render_predictions(survey.predictions)
    lines += [f"# No stored model can be judged as it lies: {trial.problem}."] if trial.problem else []
    lines += _render_gates(survey, trial.answers or survey.predictions)
    lines += _render_pipeline(survey)
    return "\n".join(lines) + "\n"


def _render_pipeline(survey: Survey) -> list[str]:
    lines = []
    if survey.command:
        lines.append(f"  command: {survey.command}  # a guess: it trains the model and writes the files named above")
    if survey.undeclared:
        lines.append(f"  metrics: {list_names(survey.undeclared)}")
    if survey.requirements:
        lines.append(f"  requirements: {survey.requirements}  # installed for the stages, separate from MetricGate")
    return ["pipeline:", *lines] if lines else []


def _render_predictions(found: PredictionsFound | None) -> list[str]:
    if found is None:
        return [
            "# No predictions were found. With one row for each test example, a change is measured with its interval:",
            "# predictions: {path: eval/predictions.csv, id: customer_id, label: churned, score: churn_probability}",
        ]
    if found.task is None:
        return [
            f"# {found.why_not}. Complete this, and the gates become intervals:",
            f"# predictions: {{path: {quote_text(found.spec.path)}, id: …, label: …, score: …}}",
        ]
    lines = ["predictions:", f"  path: {quote_text(found.spec.path)}"]
    return lines + [f"  {key}: {value}" for key, value in _columns(found.spec) if value]


def _render_scoring(trial: ModelTrial) -> list[str]:
    """Return the section for a stored model that was loaded and scored the data: it needs no predictions file."""
    spec = trial.evaluation
    assert spec is not None  # noqa: S101  asked only then
    roles = [("label", quote_text(spec.label or "")), ("id", quote_text(spec.id[0]) if spec.id else "")]
    return [
        "evaluation:  # the stored models of both revisions score this table; it was tried with the one that lies here",
        f"  model: {quote_text(spec.model)}",
        f"  data: {quote_text(spec.data)}",
        *(f"  {key}: {value}" for key, value in roles if value),
    ]


def _columns(spec: PredictionsSpec) -> list[tuple[str, str]]:
    several = (
        "{" + ", ".join(f"{quote_text(key)}: {quote_text(column)}" for key, column in (spec.scores or {}).items()) + "}"
    )
    return [
        ("id", quote_text(spec.id[0]) if len(spec.id) == 1 else list_names(spec.id)),
        ("label", quote_text(spec.label) if spec.label else ""),
        ("prediction", quote_text(spec.prediction) if spec.prediction else ""),
        ("score", quote_text(spec.score) if spec.score else ""),
        ("scores", several if spec.scores else ""),
        ("slices", list_names(spec.slices)),
    ]


def _render_gates(survey: Survey, found: PredictionsFound | None) -> list[str]:
    gates: list[str] = []
    if found is not None and found.task is not None:
        gates += [_render_gate(gate) for gate in found.gates]
        if found.spec.slices and found.task in SLICED:
            gates.append(
                f"  - {{metric: {SLICED[found.task].format(quote_text(found.spec.slices[0]))}}}  # a guardrail"
            )
    if found is not None and gates:
        return [*([ASK] if found.rows >= MIN_ROWS_TO_ASK else []), "gates:", *gates]
    return _render_number_gates(survey)


def _render_gate(gate: FirstGate) -> str:
    remark = f"  # {gate.remark}" if gate.remark else ""
    return f"  - {{metric: {quote_text(gate.metric)}, {gate.key}: {gate.written_margin}}}{remark}"


def _render_number_gates(survey: Survey) -> list[str]:
    """Return gates on numbers of the metrics files: active if the name implies which way is better, else a comment."""
    gates, others = suggest_gates(survey.metrics)
    if not gates and not others:
        return ["# gates:", "#   - {metric: metrics.json:accuracy, max_drop: 0.02}"]
    lines = ["# A number alone has no interval, so its margin has to be wider than the effect of another seed."]
    lines += ["gates:", *(f"  - {{metric: {quote_text(name)}, {margin}}}" for name, margin in gates)] if gates else []
    if others:
        lines.append("# Keep those that matter, with max_increase where lower is better:")
        lines += [] if gates else ["# gates:"]
    return [*lines, *(f"#   - {{metric: {quote_text(name)}, max_drop: 5%}}" for name in others)]


def list_names(names: Sequence[str]) -> str:
    """Return names as a YAML list on one line; nothing for none."""
    return f"[{', '.join(quote_text(name) for name in names)}]" if names else ""


def quote_text(text: str) -> str:
    """Return text as YAML: plain where that is unambiguous, else as JSON, which is YAML too."""
    return text if _PLAIN.fullmatch(text) and text.lower() not in _YAML_WORDS else json.dumps(text)
