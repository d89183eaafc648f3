"""The action's inputs: read from INPUT_* into one frozen value. They say where and how, never what is good enough.

A container action receives every input as ``INPUT_`` + upper-cased name with its hyphens kept; an absent one is
missing or empty. Source: actions/runner, ``src/Runner.Worker/Handlers/Handler.cs``, AddInputsToEnvironment.
"""

import difflib
from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, SecretStr, ValidationError

from metricgate.errors import ConfigurationError
from metricgate.settings.mlflow import MlflowAccess
from metricgate.settings.policy import FILE_NAME

PREFIX = "INPUT_"
_FLAGS = {"true": True, "false": False}


def _read_flag(raw: Any) -> Any:
    # As strict as GitHub's own `core.getBooleanInput`: YAML 1.2's core schema, so that "on" or "treu" never mean false.
    if isinstance(raw, str):
        if raw.lower() not in _FLAGS:
            raise ValueError("must be true or false")
        return _FLAGS[raw.lower()]
    return raw


Flag = Annotated[bool, BeforeValidator(_read_flag)]


class Inputs(BaseModel):
    """What the workflow says; field names are the inputs with ``_`` for ``-``, descriptions are action.yml's."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", alias_generator=lambda name: name.replace("_", "-"), populate_by_name=True
    )

    github_token: SecretStr = Field(
        SecretStr(""), description="Token for the comment, the check and the pictures; by default the job's token."
    )
    mode: Literal["run", "publish", "retrain", "noise", "monitor"] = Field(
        "run",
        description="run judges this checkout; publish posts another job's report and runs no code; retrain trains the "
        "model again if it is due, and offers it; noise measures what another seed changes; monitor watches fresh data.",
    )
    id: str = Field(
        "default",
        pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,49}$",
        description="Name of this set-up, if a repository or a matrix has several; each gets its own comment and check.",
    )
    working_directory: str = Field(".", description="Folder of the DVC project, relative to the repository.")
    policy: str = Field(FILE_NAME, description="Policy file, relative to the working directory.")
    baseline: str = Field(
        "", description="Revision to compare with, or mlflow:MODEL@ALIAS, instead of the one that the event implies."
    )
    baseline_results: Literal["auto", "stored", "reproduce"] = Field(
        "auto", description="Where the baseline's results come from; auto takes the first place that has them."
    )
    reproduce: Flag = Field(True, description="Run the pipeline; false judges the existing results.")
    timeout_minutes: float = Field(
        0, ge=0, le=7200, allow_inf_nan=False, description="Time limit of the pipeline in minutes; 0 means no limit."
    )
    skip_drafts: Flag = Field(False, description="Skip draft pull requests; their check is completed without a run.")
    push_cache: Literal["auto", "always", "never"] = Field(
        "auto", description="Push the produced outputs to the DVC remote after a trusted run."
    )
    force: Flag = Field(False, description="For mode retrain: train although the model is not due.")
    output: str = Field("metricgate-report", description="Report folder, relative to the working directory.")
    comment: Literal["auto", "always", "on-failure", "never"] = Field(
        "auto",
        description="When to comment on the pull request; auto: unless it changes nothing the pipeline depends on.",
    )
    check: Literal["run", "status", "both", "none"] = Field(
        "run", description="Publish a check run, a commit status, both or none."
    )
    charts: Literal["auto", "repository", "inline", "none"] = Field(
        "auto",
        description="Show charts as pictures stored in a ref of this repository, as text (inline), or not at all.",
    )
    artifact: str = Field(
        "metricgate-report", description="For mode publish: name of the artifact with the report folder."
    )
    slack_webhook: SecretStr = Field(
        SecretStr(""), description="Address of a Slack incoming webhook, for `notify: [{to: slack}]`."
    )
    teams_webhook: SecretStr = Field(
        SecretStr(""), description="Address of a Microsoft Teams workflow, for `notify: [{to: teams}]`."
    )
    webhook: SecretStr = Field(
        SecretStr(""), description="Address that gets signed JSON, for `notify: [{to: webhook}]`."
    )
    webhook_secret: SecretStr = Field(
        SecretStr(""), description="Secret that signs what is sent to `webhook`; without it nothing is sent."
    )
    pushgateway: SecretStr = Field(
        SecretStr(""), description="Address of a Prometheus Pushgateway for the default branch's runs."
    )

    mlflow_uri: SecretStr = Field(
        SecretStr(""), description="Address of an MLflow server that records every judged run."
    )
    mlflow_token: SecretStr = Field(
        SecretStr(""), description="Token for `mlflow-uri`, for Databricks and for proxies."
    )
    mlflow_username: str = Field("", description="User for `mlflow-uri`, for MLflow's basic authentication.")
    mlflow_password: SecretStr = Field(SecretStr(""), description="Password of `mlflow-username`.")

    serving_url: str = Field("", description="Address of the model server to ask, instead of the policy's `serving`.")
    serving_image: str = Field(
        "", max_length=500, description="Digest of the model server's image, for the report: `NAME@sha256:…`."
    )

    @property
    def mlflow(self) -> MlflowAccess:
        """How the MLflow server is reached."""
        return MlflowAccess(
            uri=self.mlflow_uri, token=self.mlflow_token, username=self.mlflow_username, password=self.mlflow_password
        )

    @property
    def check_name(self) -> str:
        """The stable name of check run and status."""
        return "MetricGate" if self.id == "default" else f"MetricGate ({self.id})"


def input_names() -> tuple[str, ...]:
    """Return the inputs' names as action.yml writes them."""
    return tuple(name.replace("_", "-") for name in Inputs.model_fields)


def read_inputs(environ: Mapping[str, str]) -> Inputs:
    """Read every INPUT_* variable.

    Raises
    ------
    ConfigurationError
        If an input is unknown (the nearest known one is named), or its value cannot be used.
    """
    given = {
        key[len(PREFIX) :].lower(): value.strip()
        for key, value in environ.items()
        if key.startswith(PREFIX) and value.strip()
    }
    for name in given:
        _require_known(name)
    try:
        return Inputs.model_validate(given)
    except ValidationError as error:
        raise _explain(error, given) from None  # the cause would print the token


def spell_inputs(environ: Mapping[str, str]) -> dict[str, str]:
    """Return the inputs in an environment by their own names: a shell exports no name with a hyphen."""
    return {
        f"{PREFIX}{name[len(PREFIX) :].replace('_', '-')}": value
        for name, value in environ.items()
        if name.startswith(PREFIX)
    }


def _require_known(name: str) -> None:
    known = input_names()
    if name in known:
        return
    nearest = difflib.get_close_matches(name.replace("_", "-"), known, n=1)
    raise ConfigurationError(
        f"The step gives the input {name!r}, which does not exist.",
        expected=f"one of {', '.join(known)}.",
        fix=f"Did you mean {nearest[0]!r}?" if nearest else "Remove it from `with:` in the workflow.",
        topic="an-input-is-not-valid",
    )


def _explain(error: ValidationError, given: Mapping[str, str]) -> ConfigurationError:
    first = error.errors(include_url=False, include_context=False)[0]
    name = str(first["loc"][0])
    field = Inputs.model_fields[name.replace("-", "_")]
    shown = "(hidden)" if field.annotation is SecretStr else repr(given.get(name, ""))[:200]
    return ConfigurationError(
        f"The input {name!r} is {shown}.",
        expected=f"{first['msg'].removeprefix('Value error, ')}. {field.description}",
        fix=f"Correct {name!r} under `with:` in the workflow.",
        topic="an-input-is-not-valid",
    )
