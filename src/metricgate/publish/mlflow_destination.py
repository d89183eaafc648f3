"""MLflow as a destination: each judged run becomes a run there, and the default branch's model a version."""

import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from metricgate.models.judged_model import JudgedModel
from metricgate.models.outcome import Verdict
from metricgate.publish.adopted_runs import ADOPTED_TAG, ChosenRun, choose_run, find_logged_run
from metricgate.publish.files import chart_files
from metricgate.publish.interface import Delivery, Event, Notices
from metricgate.publish.model_versions import Registration, name_model, register_model
from metricgate.report.formats.mlflow_record import RecordPlace, name_status, render_record
from metricgate.report.value import Report
from metricgate.services.mlflow_error import MlflowError
from metricgate.services.mlflow_runs import (
    RUN_TAG,
    MlflowRun,
    find_experiment,
    finish_run,
    keep_oldest,
    write_run,
)
from metricgate.services.mlflow_server import MlflowServer, explain_store, find_proxied, is_databricks
from metricgate.settings.mlflow import MlflowAccess, MlflowSpec
from metricgate.trigger.triggers import Trigger

log = logging.getLogger(__name__)

ADOPTED_PREFIX = "metricgate."  # of metrics, in a run that has its own
FOLDER = "metricgate"  # of a run's artifacts
ATTEMPTS = 4  # of a job whose run parallel jobs write to as well, or give up for an older one
SILENT = (Verdict.CANCELLED,)


@dataclass(frozen=True, kw_only=True)
class MlflowDestination:
    """Records runs on one server.

    Attributes
    ----------
    find_spec : returns what the base branch calls things there
    model_folder : where a run on the default branch keeps the model that it judged
    may_adopt : whether a run that training logged may get the record; not by a report from another job's artifact
    """

    access: MlflowAccess
    trigger: Trigger
    find_spec: Callable[[], MlflowSpec | None]
    model_folder: Path | None = None
    may_adopt: bool = False

    def deliver(self, event: Event, *, within_s: float) -> Delivery:
        """Record the run, again or for the first time: a re-run, another attempt and a parallel job write one."""
        notices = Notices()
        if was_judged(event.report):
            notices.attempt("run on MLflow", lambda: self._record(event, notices, within_s))
        return Delivery(event=replace(event, notices=(*event.notices, *notices.all())), failed=notices.failed)

    def _record(self, event: Event, notices: Notices, within_s: float) -> None:
        server = MlflowServer.connect(self.access, within_s=within_s)
        spec = self.find_spec() or MlflowSpec()
        experiment = find_experiment(server, spec.experiment or f"metricgate/{self.trigger.repository}")
        place = describe_place(event, self.trigger)
        key = name_run(event.report, self.trigger, place.commit)
        name = render_record(event.report, place).name
        commits = (place.commit, self.trigger.sha or "") if self.may_adopt else ()

        def choose() -> ChosenRun:
            logged = find_logged_run(server, experiment, event.report, key=key, commits=commits) if commits else None
            return ChosenRun(run=logged, is_adopted=True) if logged else choose_run(server, experiment, key, name)

        chosen = first = choose()
        for attempts_left in range(ATTEMPTS - 1, -1, -1):
            try:
                self._write(server, chosen, event, notices)
                break
            except MlflowError as error:
                if not (error.is_conflict and attempts_left):
                    raise
                chosen = choose()
        run = keep_oldest(server, first.run, key) if first.is_new else chosen.run
        log.info("Recorded on MLflow as run %s.", run.run_id)
        if not is_databricks(run.artifact_uri):
            self._register(server, replace(chosen, run=run), spec, event, notices)

    def _write(self, server: MlflowServer, chosen: ChosenRun, event: Event, notices: Notices) -> None:
        """Write the report and its files to a run, and how it ended; an adopted run ended as training says."""
        place = describe_place(event, self.trigger)
        key = name_run(event.report, self.trigger, place.commit)
        write_record(server, chosen, event.report, place, key)
        notices.attempt("report's files on MLflow", lambda: upload_report(server, chosen.run, event))
        if not chosen.is_adopted:
            name = render_record(event.report, place).name
            finish_run(server, chosen.run, status=name_status(event.report), name=name)

    def _register(
        self, server: MlflowServer, chosen: ChosenRun, spec: MlflowSpec, event: Event, notices: Notices
    ) -> None:
        folder = self.model_folder if self.trigger.is_about_default_branch else None
        model = JudgedModel.read(folder) if folder else None
        if folder is None or model is None:
            return
        place = describe_place(event, self.trigger)
        registration = Registration(
            server=server,
            name=spec.model or name_model(self.trigger.repository, event.report.id),
            folder=folder,
            model=model,
            run=chosen.run,
            key=name_run(event.report, self.trigger, place.commit),
            inside=f"{FOLDER}/model" if chosen.is_adopted else "model",
        )
        notices.attempt(
            "model's version on MLflow",
            lambda: register_model(registration, event.report, place.run_url, notices),
        )


def write_record(server: MlflowServer, chosen: ChosenRun, report: Report, place: RecordPlace, key: str) -> None:
    """Write the report to a run. What training logged there stays: its parameters, its metrics, what it says of itself."""
    record = render_record(report, place, prefix=ADOPTED_PREFIX if chosen.is_adopted else "")
    params, tags = record.params, record.tags
    if chosen.is_adopted:
        tags = {name: value for name, value in tags.items() if not name.startswith("mlflow.")}
        params, tags = {}, {**tags, RUN_TAG: key, ADOPTED_TAG: "true"}
    differing = write_run(server, chosen.run, params=params, metrics=record.metrics, tags=tags)
    if differing:
        log.info("MLflow keeps the parameters of the first attempt: %s.", ", ".join(differing)[:200])


def was_judged(report: Report) -> bool:
    """Return whether there is anything to record: a cancelled run knows nothing, and a draft was not looked at."""
    return report.verdict not in SILENT and (report.candidate is not None or report.failure is not None)


def name_run(report: Report, trigger: Trigger, commit: str) -> str:
    """Return what is the same for a re-run, another attempt and a parallel job, and for nothing else."""
    about = f"#{trigger.pull_request.number}" if trigger.pull_request else ""
    return f"{trigger.repository}{about}@{commit}:{report.id}"


def describe_place(event: Event, trigger: Trigger) -> RecordPlace:
    """Return where the run belongs."""
    candidate, pull_request = event.report.candidate, trigger.pull_request
    branch = pull_request.head_ref if pull_request else trigger.ref.removeprefix("refs/heads/")
    return RecordPlace(
        repository=trigger.repository,
        repository_url=event.view_context.repository_url,
        run_url=event.view_context.report_url,
        branch=branch or trigger.default_branch,
        pull_request=pull_request.number if pull_request else None,
        commit=trigger.report_sha or (candidate.revision if candidate else None) or "",
        links={"pull request": event.comment_url, "run": event.view_context.report_url},
    )


def upload_report(server: MlflowServer, run: MlflowRun, event: Event) -> None:
    """Write the report's files among the run's artifacts, where the server passes them on."""
    if is_databricks(run.artifact_uri):
        log.info("Databricks keeps artifacts apart: the run has no report.")
        return
    if find_proxied(run.artifact_uri) is None:
        raise explain_store(run.artifact_uri)
    for name, file in list_report_files(event):
        server.upload(run.artifact_uri, f"{FOLDER}/{name}", file.read_bytes())


def list_report_files(event: Event) -> Iterator[tuple[str, Path]]:
    """Yield the names and files of the report folder that a reader of the run wants."""
    for name in ("report.json", "report.html", "report.md"):
        if (file := event.directory / name).is_file():
            yield name, file
    for light, _ in chart_files(event.report, event.directory).values():
        if light.is_file():
            yield f"charts/{light.name}", light
