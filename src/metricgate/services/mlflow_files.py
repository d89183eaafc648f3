"""A file among the artifacts of an MLflow run, brought to this machine."""

import posixpath
from pathlib import Path

from metricgate.errors import PublishError, WorkspaceError
from metricgate.services.mlflow_runs import read_run
from metricgate.services.mlflow_server import MlflowServer
from metricgate.settings.mlflow import MlflowAccess, RunFile

WITHIN_S = 300.0  # a predictions file may be large
_NAMED = 8


class RunFileMissingError(WorkspaceError):
    """The server answers, and has no such run or file."""

    usual_topic = "a-file-of-an-mlflow-run-is-missing"


def fetch_run_file(access: MlflowAccess, name: str, folder: Path) -> Path:
    """Return a copy of the file that ``mlflow:runs/ID/PATH`` names, below ``folder``.

    Raises
    ------
    ConfigurationError
        If the name is none.
    RunFileMissingError
        If there is no such run, or no such file in it.
    WorkspaceError
        If the server is not given, or does not hand it out.
    """
    asked = RunFile.parse(name)
    if not access:
        raise WorkspaceError(
            f"{asked} is on an MLflow server, and none is given.",
            expected="the address of the server. A fork's pull request has no secrets, and so no server.",
            fix="set the input `mlflow-uri` (on a laptop MLFLOW_TRACKING_URI).",
            topic="a-file-of-an-mlflow-run-is-missing",
        )
    try:
        content = _download(MlflowServer.connect(access, within_s=WITHIN_S), asked)
    except PublishError as error:
        what = f"{asked} could not be read. {error.what}"
        is_missing = getattr(error, "is_missing", False)
        kind = RunFileMissingError if is_missing else WorkspaceError
        raise kind(what, expected=error.expected, fix=error.fix) from error
    target = folder / posixpath.basename(asked.path)
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(content)
    return target


def _download(server: MlflowServer, asked: RunFile) -> bytes:
    run = read_run(server, asked.run_id)
    folder = posixpath.dirname(asked.path)
    query = {"run_id": asked.run_id, **({"path": folder} if folder else {})}
    listed = server.get("artifacts/list", **query).get("files", [])
    files = {str(one["path"]): one for one in listed}
    if asked.path not in files or files[asked.path].get("is_dir"):
        names = ", ".join(sorted(files)[:_NAMED]) or "nothing"
        raise RunFileMissingError(
            f"{asked} is not there: the run has {names} in {folder or 'its artifacts'}.",
            expected="a file among the run's artifacts.",
            fix="correct the path, or log the file (`mlflow.log_artifact`).",
        )
    return server.download(run.run_id, run.artifact_uri, asked.path)
