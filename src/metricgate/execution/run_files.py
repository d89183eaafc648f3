"""Predictions that lie on an MLflow server, not in the project: brought once for each run, and named as chosen."""

import hashlib
from dataclasses import replace
from types import MappingProxyType

from metricgate.context import RunContext
from metricgate.execution.messages import FoundFile, WorkerReply
from metricgate.models.snapshot import Believed, Snapshot, Unreadable
from metricgate.services.mlflow_files import RunFileMissingError, fetch_run_file
from metricgate.settings.mlflow import is_run_file
from metricgate.settings.policy import Policy
from metricgate.settings.selection import PolicyChoice


def list_run_files(policy: Policy) -> dict[str, str]:
    """Return the predictions of the policy that are files of MLflow runs, by the set's name."""
    return {name: spec.path for name, spec in policy.prediction_sets.items() if is_run_file(spec.path)}


def add_run_files(context: RunContext, reply: WorkerReply, policy: Policy) -> WorkerReply:
    """Return the reply with the predictions that the worker did not look for.

    Raises
    ------
    WorkspaceError
        If the server does not hand them out; a file that it does not have is one that could not be found.
    """
    found = tuple(_find(context, path) for path in dict.fromkeys(list_run_files(policy).values()))
    return reply.model_copy(update={"predictions": (*reply.predictions, *found)})


def _find(context: RunContext, path: str) -> FoundFile:
    folder = context.scratch / "mlflow" / hashlib.sha256(path.encode()).hexdigest()[:16]
    # Both sides may name one file: it is brought once, and is then known to be the same.
    if folder.is_dir() and (files := list(folder.iterdir())):
        return FoundFile(path=path, local=str(files[0]), source="mlflow run")
    context.progress.line(f"reading {path}")
    try:
        return FoundFile(path=path, local=str(fetch_run_file(context.mlflow, path, folder)), source="mlflow run")
    except RunFileMissingError as error:
        return FoundFile(path=path, problem=error.what.rstrip("."), missing=True)


def name_chosen_runs(candidate: Snapshot, choice: PolicyChoice) -> Snapshot:
    """Return the candidate with the runs named that this change chose: nothing here made what they hold."""
    before = set() if choice.is_baseline_borrowed else set(list_run_files(choice.baseline).values())
    chosen = [path for path in dict.fromkeys(list_run_files(choice.candidate).values()) if path not in before]
    believed = tuple(Believed(what=path, reason="this change chose the MLflow run") for path in chosen)
    return replace(candidate, believed=(*candidate.believed, *believed))


def withhold_borrowed_runs(baseline: Snapshot, choice: PolicyChoice) -> Snapshot:
    """Return a baseline without the runs that only the candidate's policy names: it would be compared with itself."""
    if not choice.is_baseline_borrowed:
        return baseline
    lost = {
        name: Unreadable(what=path, reason="the baseline names no MLflow run", missing=True)
        for name, path in list_run_files(choice.baseline).items()
    }
    return replace(baseline, predictions=MappingProxyType({**baseline.predictions, **lost}))
