"""The MLflow run that gets the record: the one that training logged, if there is one, else one of MetricGate's own.

A pull request names the run that its predictions lie in, and so could write to any. It gets none that belongs to another run of
MetricGate, and an adopted run keeps its own metrics, parameters and files.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from metricgate.report.value import Report
from metricgate.services.mlflow_error import MlflowError
from metricgate.services.mlflow_runs import RUN_TAG, MlflowRun, make_run, read_run, search_runs
from metricgate.services.mlflow_server import MlflowServer
from metricgate.settings.mlflow import RunFile, is_run_file

ADOPTED_TAG = "metricgate.adopted"
TRAINING_TAG = "mlflow.source.git.commit"


@dataclass(frozen=True, kw_only=True)
class ChosenRun:
    """A run to write to: made now, or found; ``is_adopted`` where training logged it."""

    run: MlflowRun
    is_new: bool = False
    is_adopted: bool = False


def choose_run(server: MlflowServer, experiment: str, key: str, name: str) -> ChosenRun:
    """Return the run of this record: found by its key, or made now."""
    found = search_runs(server, experiment, RUN_TAG, key)
    if found:
        return ChosenRun(run=found[0], is_adopted=ADOPTED_TAG in found[0].tags)
    return ChosenRun(run=make_run(server, experiment, key, name), is_new=True)


def find_logged_run(
    server: MlflowServer, experiment: str, report: Report, *, key: str, commits: Iterable[str]
) -> MlflowRun | None:
    """Return the run that training logged: the one that the predictions lie in, or the only one of a commit.

    ``commits`` are those that training may have named. It gets no run that is another record's.
    """
    named = _find_named(server, report)
    if named is not None:
        return named if _is_free(named, key) else None
    for commit in dict.fromkeys(filter(None, commits)):
        found = search_runs(server, experiment, TRAINING_TAG, commit)
        trained = [run for run in found if RUN_TAG not in run.tags or ADOPTED_TAG in run.tags]
        if len(trained) == 1 and _is_free(trained[0], key):
            return trained[0]
    return None


def _find_named(server: MlflowServer, report: Report) -> MlflowRun | None:
    """Return the one run that the candidate's predictions were read from."""
    names = {RunFile.parse(one.path).run_id for one in report.pairings if is_run_file(one.path)}
    if len(names) != 1:
        return None
    try:
        return read_run(server, names.pop())
    except MlflowError as error:
        if error.is_slow:
            raise
        return None  # gone since; the record is one of its own


def _is_free(run: MlflowRun, key: str) -> bool:
    """Return whether a run may be adopted: by the default branch, also one that a pull request adopted before."""
    owner = run.tags.get(RUN_TAG)
    if owner in (None, key):
        return owner is None or ADOPTED_TAG in run.tags
    return ADOPTED_TAG in run.tags and "#" in owner and "#" not in key
