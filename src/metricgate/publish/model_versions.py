"""The default branch's model as a version in MLflow's registry: the challenger always, the champion by the gate."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from metricgate.errors import PublishError
from metricgate.models.judged_model import JudgedModel
from metricgate.models.outcome import Verdict
from metricgate.publish.interface import Notices
from metricgate.report.headline import headline
from metricgate.report.promotion import Promotion, Standing, decide_promotion
from metricgate.report.value import Report
from metricgate.services.mlflow_registry import (
    COMMIT_TAG,
    ModelVersion,
    find_alias,
    find_tagged,
    make_version,
    set_alias,
    tag_version,
)
from metricgate.services.mlflow_runs import RUN_TAG, MlflowRun
from metricgate.services.mlflow_server import MlflowServer, explain_store, find_proxied
from metricgate.settings.mlflow import CHALLENGER, CHAMPION, is_model_name

log = logging.getLogger(__name__)

DIGEST_TAG = "metricgate.model"
_UNJUDGED = (Verdict.ERROR, Verdict.CANCELLED)


@dataclass(frozen=True, kw_only=True)
class Registration:
    """What is to be registered: the model that was judged, in ``folder``, under ``name``.

    ``inside`` is its folder among the artifacts of ``run``.
    """

    server: MlflowServer
    name: str
    folder: Path
    model: JudgedModel
    run: MlflowRun
    key: str
    inside: str


def name_model(repository: str, set_up: str) -> str:
    """Return the name of a registered model where the policy gives none."""
    name = repository.rpartition("/")[2]
    return name if set_up == "default" else f"{name}-{set_up}"


def register_model(registration: Registration, report: Report, run_url: str, notices: Notices) -> None:
    """Register the model once, and let the aliases say where it stands.

    Raises
    ------
    PublishError
        If the server refuses anything.
    """
    if report.verdict in _UNJUDGED:
        return
    server, name, model = registration.server, registration.name, registration.model
    _require_name(name)
    champion, challenger = (find_alias(server, name, alias) for alias in (CHAMPION, CHALLENGER))
    known = _find_known(registration, champion, challenger)
    promotion = _decide(registration, report, champion)
    tags = {
        COMMIT_TAG: model.commit,
        "metricgate.verdict": report.verdict.value,
        "metricgate.reason": report.reason[:1000],
        "metricgate.run_url": run_url,
        **promotion.tags,
    }
    tags = {key: value for key, value in tags.items() if value}
    version = known or _make(registration, report, tags)
    if known is not None and known.tags.get(RUN_TAG) == registration.key:
        tag_version(server, name, version, tags)
    if challenger is None or version.number >= challenger.number or version == champion:
        set_alias(server, name, CHALLENGER, version)
    _promote(registration, promotion, version, champion, notices)


def _promote(
    registration: Registration,
    promotion: Promotion,
    version: ModelVersion,
    champion: ModelVersion | None,
    notices: Notices,
) -> None:
    if champion is not None and version.version == champion.version:
        return
    if promotion.moves:
        set_alias(registration.server, registration.name, CHAMPION, version)
        log.info("Version %s of the model is the champion now.", version.version)
    elif promotion.why_not:
        notices.add(promotion.why_not.replace("MODEL", registration.name))


def _find_known(
    registration: Registration, champion: ModelVersion | None, challenger: ModelVersion | None
) -> ModelVersion | None:
    """Return the version that this run, or one with the very same model, made before."""
    digest = registration.model.digest
    for version in (champion, challenger):
        if version is not None and digest and version.tags.get(DIGEST_TAG) == digest:
            return version
    return find_tagged(registration.server, registration.name, RUN_TAG, registration.key)


def _make(registration: Registration, report: Report, tags: Mapping[str, str]) -> ModelVersion:
    own = {RUN_TAG: registration.key, DIGEST_TAG: registration.model.digest}
    return make_version(
        registration.server,
        registration.name,
        source=_upload(registration),
        run_id=registration.run.run_id,
        tags={**tags, **{key: value for key, value in own.items() if value}},
        description=headline(report)[:1000],
    )


def _upload(registration: Registration) -> str:
    """Return where the model can be read from: among the run's artifacts or, if it cannot be there, DVC's remote."""
    model, uri = registration.model, registration.run.artifact_uri
    try:
        if find_proxied(uri) is None:
            raise explain_store(uri)
        for name, file in model.list_files(registration.folder):
            registration.server.upload(uri, f"{registration.inside}/{name}", file)
    except PublishError as error:
        if not model.remote:
            raise
        log.info("The version points to DVC's remote: %s", error.what)
        return model.remote
    return f"{uri}/{registration.inside}"


def _decide(registration: Registration, report: Report, champion: ModelVersion | None) -> Promotion:
    server, name, model = registration.server, registration.name, registration.model
    compared = (report.baseline.revision if report.baseline else None) or ""
    previous = None
    if champion is not None:
        previous = find_tagged(server, name, COMMIT_TAG, compared)
        previous = previous or find_tagged(server, name, DIGEST_TAG, model.baseline_digest)
    return decide_promotion(
        report,
        baseline_digest=model.baseline_digest,
        champion=_describe(champion),
        previous=_describe(previous),
    )


def _describe(version: ModelVersion | None) -> Standing | None:
    if version is None:
        return None
    tags: Mapping[str, str] = version.tags
    return Standing(
        version=version.version, commit=tags.get(COMMIT_TAG, ""), digest=tags.get(DIGEST_TAG, ""), tags=tags
    )


def _require_name(name: str) -> None:
    if not is_model_name(name):
        raise PublishError(
            f"{name!r} cannot be the name of a registered model.",
            expected="a name without slash, colon, quotes and @.",
            fix="Name it in metricgate.yaml: `mlflow: {model: churn}`.",
            topic="mlflow-refuses-or-does-not-answer",
        )
