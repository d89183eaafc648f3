"""Runs on an MLflow server: found by a tag, made once, filled in batches."""

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

from metricgate.services.mlflow_error import EXISTS, MlflowError
from metricgate.services.mlflow_server import Json, MlflowServer, find_proxied

RUN_TAG = "metricgate.run"
_METRICS, _PARAMS, _TAGS = 1000, 100, 100  # of one request: more are refused


@dataclass(frozen=True, kw_only=True)
class MlflowRun:
    """A run as the server has it."""

    run_id: str
    experiment_id: str
    artifact_uri: str
    start_time: int
    tags: Mapping[str, str]
    params: Mapping[str, str]


def find_experiment(server: MlflowServer, name: str) -> str:
    """Return the ID of an experiment, made now if there is none.

    Raises
    ------
    MlflowError
        If it is deleted, or anything else is refused.
    """
    try:
        return _read_experiment(server, name)
    except MlflowError as error:
        if not error.is_missing:
            raise
    try:
        return str(server.post("experiments/create", {"name": name})["experiment_id"])
    except MlflowError as error:
        if error.code != EXISTS:
            raise
        return _read_experiment(server, name)  # a parallel job was quicker


def find_any_experiment(server: MlflowServer) -> None:
    """Ask for one experiment, whichever: an answer shows that the server is one, and knows the user."""
    server.get("experiments/search", max_results=1)


def write_and_delete_run(server: MlflowServer) -> None:
    """Make a run with a file in an experiment of its own, and delete the run."""
    run = make_run(server, find_experiment(server, "metricgate/notify-test"), "metricgate/notify-test", "test")
    try:
        if find_proxied(run.artifact_uri) is not None:
            server.upload(run.artifact_uri, "metricgate/test.txt", b"A test of MetricGate.\n")
    finally:
        server.post("runs/delete", {"run_id": run.run_id}, may_repeat=True)


def _read_experiment(server: MlflowServer, name: str) -> str:
    found = server.get("experiments/get-by-name", experiment_name=name)["experiment"]
    if found.get("lifecycle_stage") == "deleted":
        raise MlflowError(
            f"The experiment {name!r} is deleted on the MLflow server, and keeps its name.",
            expected="an experiment that takes runs.",
            fix=f"Restore it (`mlflow experiments restore -x {found['experiment_id']}`), or name another with "
            "`mlflow: {experiment: …}` in metricgate.yaml.",
        )
    return str(found["experiment_id"])


def read_run(server: MlflowServer, run_id: str) -> MlflowRun:
    """Return a run by its ID; raise MlflowError where there is none, or it is deleted."""
    run = server.get("runs/get", run_id=run_id)["run"]
    if run["info"].get("lifecycle_stage") == "deleted":
        raise MlflowError(
            f"The run {run_id} is deleted on the MLflow server.",
            expected="a run that is there.",
            fix=f"Restore it (`mlflow runs restore --run-id {run_id}`), or name another run.",
        )
    return _parse_run(run)


def search_runs(server: MlflowServer, experiment_id: str, tag: str, value: str) -> tuple[MlflowRun, ...]:
    """Return the runs with this tag that are not deleted, the oldest first."""
    body = {
        "experiment_ids": [experiment_id],
        "filter": f"tags.`{tag}` = '{value}'",
        "max_results": 100,
        "order_by": ["attributes.start_time ASC"],
    }
    found = server.post("runs/search", body, may_repeat=True).get("runs", [])
    return tuple(sorted(map(_parse_run, found), key=_order))


def make_run(server: MlflowServer, experiment_id: str, key: str, name: str) -> MlflowRun:
    """Return a new run with the tag ``key``; or, if a parallel job made one too, the older of both for both."""
    body = {
        "experiment_id": experiment_id,
        "run_name": name,
        "start_time": int(time.time() * 1000),
        "tags": [{"key": RUN_TAG, "value": key}],
    }
    own = _parse_run(server.post("runs/create", body)["run"])
    return keep_oldest(server, own, key)


def keep_oldest(server: MlflowServer, own: MlflowRun, key: str) -> MlflowRun:
    """Return the oldest run with the tag ``key``, and delete ``own`` where that is another one."""
    oldest = min((own, *search_runs(server, own.experiment_id, RUN_TAG, key)), key=_order)
    if oldest.run_id != own.run_id:
        server.post("runs/delete", {"run_id": own.run_id}, may_repeat=True)
    return oldest


def write_run(
    server: MlflowServer,
    run: MlflowRun,
    *,
    params: Mapping[str, str],
    metrics: Mapping[str, float],
    tags: Mapping[str, str],
) -> tuple[str, ...]:
    """Write everything to a run; return the names of parameters that it already has with another value."""
    now = int(time.time() * 1000)
    differing = tuple(key for key, value in params.items() if run.params.get(key, value) != value)
    new = [(key, value) for key, value in params.items() if key not in run.params]
    points = [{"key": key, "value": value, "timestamp": now, "step": 0} for key, value in metrics.items()]
    for batch in _split(points, _METRICS):
        _write(server, run, metrics=batch)
    for pairs in _split(new, _PARAMS):
        _write(server, run, params=list_pairs(dict(pairs)))
    for pairs in _split(list(tags.items()), _TAGS):
        _write(server, run, tags=list_pairs(dict(pairs)))
    return differing


def finish_run(server: MlflowServer, run: MlflowRun, *, status: str, name: str) -> None:
    """Set how a run ended."""
    ended = int(time.time() * 1000)
    body = {"run_id": run.run_id, "status": status, "end_time": ended, "run_name": name}
    server.post("runs/update", body, may_repeat=True)


def list_pairs(values: Mapping[str, str]) -> list[dict[str, str]]:
    """Return keys and values as MLflow takes them."""
    return [{"key": key, "value": value} for key, value in values.items()]


def read_pairs(values: Sequence[Json] | None) -> dict[str, str]:
    """Return keys and values as MLflow hands them out."""
    return {str(one["key"]): str(one.get("value", "")) for one in values or ()}


def _write(server: MlflowServer, run: MlflowRun, **batch: Any) -> None:
    server.post("runs/log-batch", {"run_id": run.run_id, **batch}, may_repeat=True)


def _split(values: Sequence[Any], size: int) -> Iterator[list[Any]]:
    rest = iter(values)
    while batch := list(islice(rest, size)):
        yield batch


def _parse_run(run: Json) -> MlflowRun:
    info, data = run["info"], run.get("data") or {}
    return MlflowRun(
        run_id=str(info["run_id"]),
        experiment_id=str(info["experiment_id"]),
        artifact_uri=str(info.get("artifact_uri", "")),
        start_time=int(info.get("start_time") or 0),
        tags=read_pairs(data.get("tags")),
        params=read_pairs(data.get("params")),
    )


def _order(run: MlflowRun) -> tuple[int, str]:
    return run.start_time, run.run_id
