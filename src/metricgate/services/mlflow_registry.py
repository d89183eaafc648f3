"""Registered models on an MLflow server: their versions and aliases."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from metricgate.errors import PublishError, WorkspaceError
from metricgate.services.mlflow_error import EXISTS, MlflowError
from metricgate.services.mlflow_runs import list_pairs, read_pairs
from metricgate.services.mlflow_server import Json, MlflowServer
from metricgate.settings.mlflow import SCHEME, MlflowAccess, ModelAlias

COMMIT_TAG = "git.commit"
_ASKING_S = 30.0
_COMMIT = re.compile("[0-9a-f]{40}([0-9a-f]{24})?")


@dataclass(frozen=True, kw_only=True)
class ModelVersion:
    """A version of a registered model as the server has it."""

    version: str
    tags: Mapping[str, str]

    @property
    def number(self) -> int:
        return int(self.version) if self.version.isdecimal() else 0


def find_alias(server: MlflowServer, model: str, alias: str) -> ModelVersion | None:
    """Return the version that an alias points to; None if there is no such alias, or no such model."""
    try:
        found = server.get("registered-models/alias", name=model, alias=alias)
    except MlflowError as error:
        if error.is_missing:
            return None
        raise
    return _parse_version(found["model_version"])


def find_tagged(server: MlflowServer, model: str, tag: str, value: str) -> ModelVersion | None:
    """Return the newest version with a tag; None if there is none."""
    if not value:
        return None
    query = f"name = '{model}' and tags.`{tag}` = '{value}'"
    found = server.get("model-versions/search", filter=query, max_results=100).get("model_versions", [])
    return max(map(_parse_version, found), key=lambda version: version.number, default=None)


def make_version(
    server: MlflowServer, model: str, *, source: str, run_id: str, tags: Mapping[str, str], description: str
) -> ModelVersion:
    """Return a new version of a model, which is registered now if it is new."""
    try:
        server.post("registered-models/create", {"name": model})
    except MlflowError as error:
        if error.code != EXISTS:
            raise
    body = {"name": model, "source": source, "run_id": run_id, "tags": list_pairs(tags), "description": description}
    return _parse_version(server.post("model-versions/create", body)["model_version"])


def tag_version(server: MlflowServer, model: str, version: ModelVersion, tags: Mapping[str, str]) -> None:
    """Set the tags that a version does not have yet."""
    for key, value in tags.items():
        if version.tags.get(key) != value:
            body = {"name": model, "version": version.version, "key": key, "value": value}
            server.post("model-versions/set-tag", body, may_repeat=True)


def set_alias(server: MlflowServer, model: str, alias: str, version: ModelVersion) -> None:
    """Point an alias to a version, wherever it pointed before."""
    server.post("registered-models/alias", {"name": model, "alias": alias, "version": version.version}, may_repeat=True)


def find_registered_commit(access: MlflowAccess, name: str) -> str:
    """Return the Git commit of a registered version; ``name`` is ``MODEL@ALIAS``.

    Raises
    ------
    ConfigurationError
        If the name is none.
    WorkspaceError
        If there is no server, model, alias or commit: no other revision is ever taken instead.
    """
    asked = ModelAlias.parse(f"{SCHEME}{name}")
    if not access:
        raise WorkspaceError(
            f"{asked} is on an MLflow server, and none is given.",
            expected="the address of the server.",
            fix="set the input `mlflow-uri` (on a laptop MLFLOW_TRACKING_URI).",
            topic="nothing-is-released",
        )
    try:
        server = MlflowServer.connect(access, within_s=_ASKING_S)
        version = find_alias(server, asked.model, asked.alias)
    except PublishError as error:
        raise WorkspaceError(
            f"{asked} could not be looked up. {error.what}",
            expected=error.expected,
            fix=error.fix,
            topic="nothing-is-released",
        ) from error
    if version is None:
        raise WorkspaceError(
            f"MLflow has no {asked}: the model does not exist, or no version has this alias.",
            expected="a registered model with this alias. MetricGate sets `champion` where the gate passed on the "
            "default branch.",
            fix="let the gate pass there once without this baseline, or set the alias by hand.",
            topic="nothing-is-released",
        )
    commit = version.tags.get(COMMIT_TAG, "").strip().lower()
    if not _COMMIT.fullmatch(commit):
        raise WorkspaceError(
            f"Version {version.version} of {asked} names no Git commit: its tag `{COMMIT_TAG}` is "
            f"{'missing' if not commit else 'not a full commit'}.",
            expected=f"the tag `{COMMIT_TAG}` with a full commit on the version.",
            fix="set the tag by hand, or let MetricGate register the version.",
            topic="nothing-is-released",
        )
    return commit


def _parse_version(found: Json) -> ModelVersion:
    return ModelVersion(version=str(found["version"]), tags=read_pairs(found.get("tags")))
