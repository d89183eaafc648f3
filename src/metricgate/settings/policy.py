"""The policy: what metricgate.yaml says. Field names are the file's keys."""

import re
from typing import Annotated, Any, Literal, Self

from pydantic import ConfigDict, Discriminator, Field, Tag, field_validator, model_validator

from metricgate.models.outcome import Role
from metricgate.settings.mlflow import MlflowSpec
from metricgate.settings.model_tests import ModelTestsField
from metricgate.settings.monitor import MonitorSpec
from metricgate.settings.noise import NoiseSpec
from metricgate.settings.notify import NotifySpec
from metricgate.settings.proof import ProofSpec
from metricgate.settings.retrain import RetrainSpec
from metricgate.settings.serving import ServingSpec
from metricgate.settings.values import (
    Choices,
    ClassColumns,
    Label,
    LabelValue,
    Margin,
    MarginField,
    Names,
    Number,
    Parameters,
    PolicySection,
)

__all__ = [
    "FILE_NAME",
    "PREDICTION_TAGS",
    "AnchorSpec",
    "EvaluationSpec",
    "GateSpec",
    "LabelValue",
    "Margin",
    "MlflowSpec",
    "NoiseSpec",
    "NotifySpec",
    "PipelineSpec",
    "Policy",
    "PolicySection",
    "PredictionsSpec",
    "ReleaseSpec",
    "RetrainSpec",
]

FILE_NAME = "metricgate.yaml"
RULES = ("min", "max", "max_drop", "max_increase", "min_gain")


class PredictionsSpec(PolicySection):
    """Where the predictions lie and what their columns mean."""

    path: str = Field(
        min_length=1,
        description=(
            "File that the pipeline writes, a file in Git, or `mlflow:runs/ID/PATH`, an artifact of an MLflow run: CSV, "
            "Parquet, JSON Lines, or a log of an evaluation tool."
        ),
    )
    format: Literal["inspect", "lm-eval", "promptfoo", "deepeval"] | None = Field(
        None,
        description=(
            "Tool whose log this is: its questions are the rows, and its answers to one question are averaged. Without "
            "it, the content tells."
        ),
    )
    where: Choices = Field(
        default_factory=dict,
        description="Only the rows with these values: `{filter: flexible-extract}`; a list names several values.",
    )
    id: Names = Field(
        (),
        description=(
            "Column, or list of columns, that joins baseline and candidate. Without it rows join in order, if "
            "labels agree."
        ),
    )
    answer: str | None = Field(
        None,
        description=(
            "Column that numbers the answers to one question, where each is a row of its own: rows with one id are averaged."
        ),
    )
    label: str | None = Field(None, description="Column with the true label.")
    prediction: str | None = Field(None, description="Column with the predicted label or value.")
    score: str | None = Field(
        None, description="Column with the score of the positive class; of a log, the scorer or metric by its own name."
    )
    scores: ClassColumns | None = Field(None, description="For several classes: each class with its score column.")
    positive: Label | None = Field(
        None, description="The positive label. Known without it: 1 beside 0 or -1, True, Yes and yes."
    )
    classes: tuple[Label, ...] | None = Field(
        None, min_length=2, description="For several classes: all of them. Without it, those that occur on either side."
    )
    threshold: Number = Field(
        0.5, description="A score at or above it predicts the positive class, where no prediction column is named."
    )
    task: Literal["binary", "multiclass", "regression", "score"] | None = Field(
        None, description="What is predicted. Without it, it follows from the columns; the report says what was found."
    )
    slices: Names = Field(
        (), description="Text, boolean or few-valued columns (at most 50 values) to judge separately."
    )
    group: str | None = Field(
        None,
        description="Column whose equal values mark rows that are not independent: a customer, a document, a week.",
    )
    weight: str | None = Field(None, description="Column with the weight of each row.")
    redact: bool = Field(
        False,
        description="For logs of evaluation tools: show no question and no answer, only ids as hashes and grades.",
    )
    on_unpaired: Literal["bound", "refuse"] = Field(
        "bound",
        description=(
            "Rows that the candidate lacks or labels differently: assume its worst answers where `evaluation` gives none, "
            "and judge by both labels; "
            "or refuse them as an error."
        ),
    )

    @model_validator(mode="after")
    def _is_one_task(self) -> Self:
        if self.score is not None and self.scores is not None:
            raise ValueError("has both score and scores: score is for two classes, scores for several")
        if self.task in {"binary", "regression", "score"} and (self.scores or self.classes):
            raise ValueError(f"has the task {self.task}, but scores and classes are for several classes")
        answers = {self.prediction, self.score, *(self.scores or {}).values()}
        if self.label is not None and self.label in answers:
            raise ValueError(f"names {self.label} both as label and as what the model answered")
        return self


class GateSpec(PolicySection):
    """One rule. Exactly one of ``min``, ``max``, ``max_drop``, ``max_increase`` and ``min_gain`` says what is asked."""

    model_config = ConfigDict(json_schema_extra={"anyOf": [{"required": [key]} for key in RULES]})

    metric: str = Field(
        min_length=1,
        description=(
            "Name of a metric, a formula such as `sum(cost)/sum(orders)`, or `FILE:dotted.key` for a number in a "
            "metrics file."
        ),
    )
    set: str | None = Field(None, description="Name of the prediction set, where there are several.")
    slices: Names = Field((), description="Judge every value of these slice columns instead of all rows.")
    role: Role | None = Field(
        None,
        description=(
            "A required gate must be shown to pass, a guardrail blocks only shown harm. Default: required for "
            "all rows, guardrail for slices."
        ),
    )
    min: Number | None = Field(None, description="The candidate's value must be at least this.")
    max: Number | None = Field(None, description="The candidate's value must be at most this.")
    max_drop: MarginField | None = Field(
        None, description="How much a higher-is-better metric may lose: 0.01, or 5% of the baseline's value."
    )
    max_increase: MarginField | None = Field(
        None, description="How much a lower-is-better metric may rise: 0.02, or 5% of the baseline's value."
    )
    min_gain: MarginField | None = Field(None, description="How much better the candidate must be shown to be.")
    confident: bool = Field(False, description="For min and max: the interval's bound must clear the bar too.")

    @model_validator(mode="after")
    def _has_one_rule(self) -> Self:
        given = [key for key in RULES if getattr(self, key) is not None]
        if not given:
            raise ValueError("a gate needs one of min, max, max_drop, max_increase or min_gain")
        if len(given) > 1 and set(given) != {"min", "max"}:
            raise ValueError(f"a gate has one rule, found {' and '.join(given)}: write two gates")
        if self.confident and self.min is None and self.max is None:
            raise ValueError("confident belongs to min and max; relative gates always use the interval")
        return self


class ReleaseSpec(PolicySection):
    """Which revision runs where it matters."""

    revision: str = Field(
        min_length=1,
        description=(
            "Branch, tag or commit, such as v1.0.0; `tag:v*`, the newest tag by version that matches; or "
            "`mlflow:churn@champion`, the commit of a registered version. Default: the default branch."
        ),
    )


class AnchorSpec(PolicySection):
    """A frozen release with a wider margin of its own, so that small losses do not add up."""

    revision: str | None = Field(
        None,
        min_length=1,
        description="Tag, branch or commit, such as v1.0.0. Default: what `release:` names.",
    )
    max_drop: dict[str, MarginField] = Field(default_factory=dict, description="Metric and how much it may lose since.")
    max_increase: dict[str, MarginField] = Field(
        default_factory=dict, description="Metric and how much it may rise since."
    )

    @model_validator(mode="after")
    def _has_a_margin(self) -> Self:
        if not self.max_drop and not self.max_increase:
            raise ValueError("needs max_drop or max_increase, such as `max_drop: {roc_auc: 0.03}`")
        return self


class PipelineSpec(PolicySection):
    """How the candidate is produced."""

    command: str | None = Field(None, description="Shell command to run instead of `dvc repro`.")
    requirements: str | None = Field(None, description="requirements file, pyproject.toml or uv.lock for the stages.")
    python_version: str | None = Field(
        None, description="Python for the stages' own environment, such as \"3.12\"; otherwise the project's own pin."
    )
    setup_command: str | None = Field(None, description="Shell command to run before, for system packages.")
    max_age_days: Number | None = Field(
        None,
        gt=0,
        description=(
            "Stored and earlier results that are older are made again: a provider changes models behind their names."
        ),
    )
    metrics: Names = Field((), description="Metrics files that `command` writes, where no dvc.yaml names them.")
    params: Parameters = Field(
        default_factory=dict,
        description="Other values for parameters, for both revisions: `train.epochs: 3`, or `FILE:name: 3`.",
    )


class EvaluationSpec(PolicySection):
    """How a stored model is judged on given data, without training."""

    command: str | None = Field(
        None,
        description=(
            "Shell command that judges the model on the data. Without it, and without `predictions:`, a model with "
            "scikit-learn's interface is loaded, scores the data, and these are the predictions."
        ),
    )
    model: str = Field(description="The model's file or folder.")
    data: str = Field(description="The test data's file or folder.")
    train: Names = Field(
        (),
        description=(
            "Files of training data (every row that model was fitted to or chosen by), with the id columns of "
            "the predictions. Needed to judge rows that only the candidate has: those found here are left out."
        ),
    )
    label: str | None = Field(None, description="Without a command: the data's column with the true label.")
    id: Names = Field((), description="Without a command: the data's column, or list of columns, that joins the rows.")
    slices: Names = Field((), description="Without a command: columns of the data to judge separately.")
    features: Names = Field(
        (), description="Without a command: the columns that the model reads, where it does not remember them."
    )

    @model_validator(mode="after")
    def _has_command_or_label(self) -> Self:
        if self.command is None and self.label is None:
            raise ValueError("needs command, or label (the data's column with the true label)")
        if self.command is None and self.train:
            raise ValueError("has train, which needs a command that writes the predictions of the rows that are left")
        if self.command is not None and (self.label or self.id or self.slices or self.features):
            raise ValueError("has label, id, slices or features beside command: with a command, predictions names them")
        return self


PREDICTION_TAGS = ("one set", "named sets")


def _tag_predictions(value: Any) -> str:
    """Return the tag of one set or of a mapping of named ones, so that only that kind reports a mistake."""
    if not isinstance(value, dict) or not value or "path" in value:
        return PREDICTION_TAGS[0]
    named = all(part is None or isinstance(part, dict | PredictionsSpec) for part in value.values())
    return PREDICTION_TAGS[1] if named else PREDICTION_TAGS[0]


PredictionsField = Annotated[
    Annotated[PredictionsSpec, Tag(PREDICTION_TAGS[0])]
    | Annotated[dict[str, PredictionsSpec], Tag(PREDICTION_TAGS[1])],
    Discriminator(_tag_predictions),
]


class Policy(PolicySection):
    """The whole file."""

    predictions: PredictionsField | None = Field(
        None,
        description=(
            "The predictions file and its columns, or several of them by name. Without it only numbers from "
            "metrics files are judged."
        ),
    )
    confidence: Number = Field(0.95, gt=0.5, lt=1.0, description="Two-sided confidence of every interval.")
    release: ReleaseSpec | None = Field(None, description="Which revision runs where it matters.")
    anchor: AnchorSpec | None = Field(None, description="A fixed release to compare with, in addition to the baseline.")
    on_inconclusive: Literal["warn", "ask", "fail", "pass"] = Field(
        "warn",
        description=(
            "What an undecided (`inconclusive`) verdict does: `warn` allows merging with a warning, `fail` blocks (exit code 6), "
            "`ask` blocks only where the best estimate lies beyond what is allowed, `pass` allows it quietly. "
            "A person can accept what is blocked."
        ),
    )
    enforce: bool = Field(
        True, description="Whether a verdict can block. `false` judges and comments, and every run succeeds."
    )
    reproduce: Literal["if-needed", "always"] = Field(
        "if-needed",
        description=(
            "Which stages of the candidate run: those whose results are missing, outdated, or not to be believed "
            "without a run; or all of them, whatever dvc.lock records."
        ),
    )
    gates: tuple[GateSpec, ...] = Field((), description="The rules. Without any, the task's main metrics are guarded.")
    pipeline: PipelineSpec = Field(default_factory=PipelineSpec, description="How the candidate is produced.")
    evaluation: EvaluationSpec | None = Field(None, description="How a stored model is judged without training.")
    mlflow: MlflowSpec | None = Field(None, description="What runs and models are called on the MLflow server.")
    tests: ModelTestsField | None = Field(
        None,
        description=(
            "The team's own tests of the model: a command that writes JUnit XML, such as `pytest tests/model`, or a "
            "mapping. A test that passed on the baseline must keep passing."
        ),
    )
    serving: ServingSpec | None = Field(
        None, description="A running model server that must answer as the judged model does."
    )
    proof: ProofSpec | None = Field(
        None, description="The model's file that a statement about the verdict speaks of, for a deployment to verify."
    )
    notify: tuple[NotifySpec, ...] = Field((), description="Who is told about which events, beside the pull request.")
    noise: NoiseSpec | None = Field(None, description="The random seed, by which `metricgate noise` retrains.")
    monitor: MonitorSpec | None = Field(None, description="What is watched after the release; docs/monitoring.md.")
    retrain: RetrainSpec | None = Field(None, description="When the model is retrained; docs/retraining.md.")

    @model_validator(mode="before")
    @classmethod
    def _drop_empty_keys(cls, raw: Any) -> Any:
        # `gates:` with nothing below it is null in YAML, and means that there are none.
        return {key: value for key, value in raw.items() if value is not None} if isinstance(raw, dict) else raw

    @model_validator(mode="after")
    def _has_predictions_or_scoring(self) -> Self:
        if self.evaluation is not None and self.evaluation.command is None and self.predictions is not None:
            raise ValueError("has predictions, so its evaluation needs the command that writes them")
        return self

    @model_validator(mode="after")
    def _names_its_anchor(self) -> Self:
        if self.anchor is not None and self.anchor.revision is None and self.release is None:
            raise ValueError("has an anchor without a revision, and no release that it could be")
        return self

    @field_validator("predictions")
    @classmethod
    def _has_plain_names(cls, value: PredictionsSpec | dict[str, PredictionsSpec] | None) -> Any:
        # A set's name becomes part of file names in the report.
        for name in value if isinstance(value, dict) else ():
            if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_-]{0,49}", name):
                raise ValueError(f"names a set {name!r}: a name is made of letters, digits, - and _")
        return value

    @property
    def prediction_sets(self) -> dict[str, PredictionsSpec]:
        """The prediction sets by name; a single unnamed one has the name ``""``."""
        if self.predictions is None:
            return {}
        return {"": self.predictions} if isinstance(self.predictions, PredictionsSpec) else dict(self.predictions)

    @property
    def scoring(self) -> EvaluationSpec | None:
        """The evaluation whose model MetricGate itself scores: one without a command, where no predictions are named."""
        own = self.evaluation
        return own if own is not None and own.command is None and self.predictions is None else None

    @property
    def judged_sets(self) -> dict[str, PredictionsSpec]:
        """The prediction sets, and the one that scoring writes; its answers' columns are known after it ran."""
        if (own := self.scoring) is None:
            return self.prediction_sets
        path = f"{own.model} on {own.data}"
        return {"": PredictionsSpec(path=path, id=own.id, label=own.label, slices=own.slices)}

    @property
    def metric_names(self) -> tuple[str, ...]:
        """The metrics that gates and anchor name, as they are written."""
        anchored = (*self.anchor.max_drop, *self.anchor.max_increase) if self.anchor else ()
        return (*(gate.metric for gate in self.gates), *anchored)


def policy_schema() -> dict[str, Any]:
    """Return the JSON Schema of the whole file, by which editors complete and check it.

    Names and descriptions are those of the policy's fields.
    """
    schema: dict[str, Any] = _without_titles(Policy.model_json_schema())
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "metricgate.yaml",
        **schema,
        "description": "The policy of MetricGate: what a candidate model must not do worse.",
    }


def _without_titles(part: Any) -> Any:
    """Drop the titles that pydantic derives from names: an editor would show each name twice."""
    if isinstance(part, list):
        return [_without_titles(item) for item in part]
    if not isinstance(part, dict):
        return part
    return {key: _without_titles(value) for key, value in part.items() if key != "title" or not isinstance(value, str)}
