"""MLflow: `mlflow:` of metricgate.yaml, how the server is reached, and the names `mlflow:MODEL@ALIAS` and `mlflow:runs/…`."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Self

from pydantic import Field, SecretStr, field_validator

from metricgate.errors import ConfigurationError
from metricgate.settings.document import read_section
from metricgate.settings.values import PolicySection

SCHEME = "mlflow:"
CHAMPION, CHALLENGER = "champion", "challenger"
_RUNS = f"{SCHEME}runs/"
_MODEL_NAME = re.compile(r"[^/:'\"\\@`\x00-\x1f\x7f]{1,200}")
_ALIAS = re.compile(r"[A-Za-z0-9_-]{1,200}")
_RUN_ID = re.compile(r"[A-Za-z0-9-]{8,64}")


class MlflowSpec(PolicySection):
    """What things are called on the MLflow server; its address and secrets are inputs."""

    experiment: str | None = Field(
        None,
        min_length=1,
        max_length=250,
        description="Experiment that gets the runs. Default: `metricgate/OWNER/NAME`. Databricks needs a path such as "
        "`/Shared/churn`.",
    )
    model: str | None = Field(
        None, description="Registered model that gets the versions. Default: the repository's name, and the input `id`."
    )

    @field_validator("model")
    @classmethod
    def _is_a_model_name(cls, value: str | None) -> str | None:
        if value is not None and not _MODEL_NAME.fullmatch(value):
            raise ValueError(
                f"is {value!r}: MLflow's model names have no slash and no colon, MetricGate's no quotes or @"
            )
        return value


@dataclass(frozen=True, kw_only=True)
class MlflowAccess:
    """The address of an MLflow server, and a token, or a user with a password. Without an address nothing is asked."""

    uri: SecretStr = field(default_factory=lambda: SecretStr(""))
    token: SecretStr = field(default_factory=lambda: SecretStr(""))
    username: str = ""
    password: SecretStr = field(default_factory=lambda: SecretStr(""))

    def __bool__(self) -> bool:
        """Return whether there is a server."""
        return bool(self.uri.get_secret_value())

    @classmethod
    def of(cls, environ: Mapping[str, str]) -> Self:
        """Return what MLflow's own variables say, for commands that a person types."""
        uri, token, username, password = (
            environ.get(f"MLFLOW_TRACKING_{name}", "") for name in ("URI", "TOKEN", "USERNAME", "PASSWORD")
        )
        return cls(uri=SecretStr(uri), token=SecretStr(token), username=username, password=SecretStr(password))


@dataclass(frozen=True)
class ModelAlias:
    """``mlflow:MODEL@ALIAS``: a version of a registered model, by its alias."""

    model: str
    alias: str

    def __str__(self) -> str:
        return f"{SCHEME}{self.model}@{self.alias}"

    @classmethod
    def parse(cls, text: str) -> Self:
        """Return what the text names; raise ConfigurationError where it names no alias."""
        model, _, alias = text.removeprefix(SCHEME).rpartition("@")
        if text.startswith(SCHEME) and _MODEL_NAME.fullmatch(model) and _ALIAS.fullmatch(alias):
            return cls(model, alias)
        raise ConfigurationError(
            f"{text!r} names no version of a registered model.",
            expected="`mlflow:MODEL@ALIAS`, such as `mlflow:churn@champion`; a model's name has no slash and no colon.",
            fix="Copy the model's name and the alias from MLflow's page of the model.",
            topic="the-mlflow-address-is-not-valid",
        )


@dataclass(frozen=True)
class RunFile:
    """``mlflow:runs/ID/PATH``: a file among the artifacts of a run."""

    run_id: str
    path: str

    def __str__(self) -> str:
        return f"{_RUNS}{self.run_id}/{self.path}"

    @classmethod
    def parse(cls, text: str) -> Self:
        """Return what the text names; raise ConfigurationError where it names no file of a run."""
        run_id, _, path = text.removeprefix(_RUNS).partition("/")
        is_plain = all(part not in ("", ".", "..") for part in path.split("/")) and path.isprintable()
        if text.startswith(_RUNS) and _RUN_ID.fullmatch(run_id) and is_plain and "\\" not in path:
            return cls(run_id, path)
        raise ConfigurationError(
            f"{text!r} names no file of an MLflow run.",
            expected="`mlflow:runs/ID/PATH`, such as `mlflow:runs/0a1b2c3d4e5f/eval/predictions.csv`.",
            fix="Copy the run's ID and the artifact's path from MLflow's page of the run.",
            topic="the-mlflow-address-is-not-valid",
        )


def is_run_file(path: str) -> bool:
    """Return whether a path of the policy, or of the command line, is meant to name a file of an MLflow run."""
    return path.startswith(SCHEME)


def is_model_name(name: str) -> bool:
    """Return whether MLflow and MetricGate can name a registered model so."""
    return _MODEL_NAME.fullmatch(name) is not None


class _MlflowFile(PolicySection):
    mlflow: MlflowSpec | None = None


def read_mlflow(text: str, *, origin: str) -> MlflowSpec | None:
    """Return `mlflow:` alone, so that a mistake elsewhere in the file does not matter to it.

    Raises
    ------
    ConfigurationError
        If the text is not YAML, or ``mlflow`` itself is wrong.
    """
    expected = "names such as `mlflow: {experiment: /Shared/churn, model: churn}`."
    fix = "correct the line; docs/mlflow.md explains both."
    return read_section(_MlflowFile, text, origin=origin, expected=expected, fix=fix).mlflow
