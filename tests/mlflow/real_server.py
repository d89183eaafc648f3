"""MLflow itself: an environment for each version, made with uv, and servers in it on loopback."""

import contextlib
import hashlib
import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import requests

from tests.monitoring.servers import choose_port

WATCHDOG_S = 150.0
# MLflow 2.22 does not restrict SQLAlchemy, and cannot import 2.1.
VERSIONS: Mapping[str, tuple[str, ...]] = {"3.17.2": (), "2.22.5": ("sqlalchemy<2.1",)}
USER, PASSWORD = "admin", "password-of-ann-123"
_AUTH = f"""\
[mlflow]
default_permission = READ
database_uri = sqlite:///auth.db
admin_username = {USER}
admin_password = {PASSWORD}
authorization_function = mlflow.server.auth:authenticate_request_basic_auth
"""
# Reads everything back with the official client.
_READ = """\
import json, sys
import mlflow
from mlflow import MlflowClient
name, model = sys.argv[1:]
client = MlflowClient()
experiment = client.get_experiment_by_name(name)
runs = client.search_runs([experiment.experiment_id], order_by=["attributes.start_time ASC"])
def files(run_id, path=None):
    for one in client.list_artifacts(run_id, path):
        yield from files(run_id, one.path) if one.is_dir else [one.path]
def load(alias):
    folder = mlflow.artifacts.download_artifacts(f"models:/{model}@{alias}")
    return {one.name: one.read_text() for one in __import__("pathlib").Path(folder).iterdir() if one.is_file()}
registered = [one for one in client.search_registered_models() if one.name == model]
print(json.dumps({
    "runs": [dict(id=run.info.run_id, status=run.info.status, metrics=run.data.metrics, params=run.data.params,
        tags=run.data.tags, files=sorted(files(run.info.run_id))) for run in runs],
    "versions": [dict(version=str(one.version), tags=one.tags, run=one.run_id)
        for one in client.search_model_versions(f"name = '{model}'")],
    "aliases": {key: str(value) for one in registered for key, value in one.aliases.items()},
    "champion": load("champion") if registered and "champion" in registered[0].aliases else {},
}))
"""
_TRAIN = """\
import sys
import mlflow
mlflow.set_experiment(sys.argv[1])
with mlflow.start_run() as run:
    mlflow.log_metric("roc_auc", 0.5)
    mlflow.log_param("depth", 3)
    mlflow.log_text(sys.stdin.read(), "eval/predictions.csv")
print(run.info.run_id)
"""


def make_environment(folder: Path, version: str) -> Path:
    """Install MLflow into an environment of its own, and return its Python."""
    uv = Path(sys.executable).with_name("uv")
    for command in (
        ["venv", "--quiet", "--python", sys.executable, str(folder)],
        [
            "pip",
            "install",
            "--quiet",
            "--python",
            f"{folder}/bin/python",
            f"mlflow[auth]=={version}",
            *VERSIONS[version],
        ],
    ):
        done = subprocess.run([uv, *command], check=False, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
    return folder / "bin/python"


@dataclass(frozen=True, kw_only=True)
class MlflowProcess:
    """A server of one version, and the official client beside it."""

    url: str
    python: Path
    credentials: Mapping[str, str] = field(default_factory=dict)

    @property
    def inputs(self) -> dict[str, str]:
        names = {"MLFLOW_TRACKING_USERNAME": "mlflow-username", "MLFLOW_TRACKING_PASSWORD": "mlflow-password"}
        return {names[key]: value for key, value in self.credentials.items()}

    def run_client(self, program: str, *arguments: str, text: str = "") -> str:
        environ = {"MLFLOW_TRACKING_URI": self.url, "PATH": os.environ["PATH"], "HOME": os.environ["HOME"]}
        done = subprocess.run(
            [self.python, "-c", program, *arguments],
            input=text,
            env={**environ, **self.credentials, "MLFLOW_DISABLE_TELEMETRY": "true", "GIT_PYTHON_REFRESH": "quiet"},
            check=False,
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout.strip().splitlines()[-1]

    def call(self, path: str, body: dict[str, Any]) -> Any:
        """Send what no test is about: the client takes seconds to start."""
        pair = (self.credentials["MLFLOW_TRACKING_USERNAME"], PASSWORD) if self.credentials else None
        answer = requests.post(f"{self.url}/api/2.0/mlflow/{path}", json=body, auth=pair, timeout=60)
        answer.raise_for_status()
        return answer.json()

    def read(self, experiment: str, model: str = "churn") -> Any:
        return json.loads(self.run_client(_READ, experiment, model))

    def train(self, experiment: str, predictions: str) -> str:
        """Log a run as training does, and return its ID."""
        return self.run_client(_TRAIN, experiment, text=predictions)


@contextlib.contextmanager
def run_server(python: Path, folder: Path, *, with_users: bool = False) -> Iterator[MlflowProcess]:
    """Run a server with SQLite that passes artifacts on; ``with_users``: with MLflow's basic authentication."""
    folder.mkdir()
    port = choose_port()
    command: list[str | Path] = [
        python,
        "-m",
        "mlflow",
        "server",
        "--host",
        "127.0.0.1",
        "--port",
        str(port),
        "--workers",
        "1",
    ]
    command += ["--backend-store-uri", "sqlite:///runs.db", "--artifacts-destination", "./artifacts"]
    environ = {**os.environ, "PATH": f"{python.parent}:{os.environ['PATH']}", "MLFLOW_DISABLE_TELEMETRY": "true"}
    environ["MLFLOW_SERVER_ENABLE_JOB_EXECUTION"] = "false"  # children that would outlive it
    credentials = {}
    if with_users:
        command += ["--app-name", "basic-auth"]
        (folder / "auth.ini").write_text(_AUTH, encoding="utf-8")
        environ |= {"MLFLOW_AUTH_CONFIG_PATH": str(folder / "auth.ini"), "MLFLOW_FLASK_SERVER_SECRET_KEY": "k" * 20}
        credentials = {"MLFLOW_TRACKING_USERNAME": USER, "MLFLOW_TRACKING_PASSWORD": PASSWORD}
    log = folder / "server.log"
    with log.open("wb") as stream:
        process = subprocess.Popen(
            command, cwd=folder, env=environ, stdout=stream, stderr=subprocess.STDOUT, start_new_session=True
        )
        try:
            _wait(f"http://127.0.0.1:{port}/health", process, log)
            if with_users:
                _hash_quickly(folder / "auth.db")
            yield MlflowProcess(url=f"http://127.0.0.1:{port}", python=python, credentials=credentials)
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGTERM)  # its own session: the workers too
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait(20)


def _hash_quickly(users: Path) -> None:
    """Keep the password with a single round: MLflow hashes it for each request, which are some 300."""
    digest = hashlib.pbkdf2_hmac("sha256", PASSWORD.encode(), b"salt", 1).hex()
    with contextlib.closing(sqlite3.connect(users)) as database, database:
        database.execute("UPDATE users SET password_hash = ?", [f"pbkdf2:sha256:1$salt${digest}"])


def _wait(url: str, process: "subprocess.Popen[bytes]", log: Path) -> None:
    ends = time.monotonic() + WATCHDOG_S
    while time.monotonic() < ends and process.poll() is None:
        with contextlib.suppress(requests.RequestException):
            if requests.get(url, timeout=5).ok:
                return
        time.sleep(0.2)
    raise AssertionError(f"MLflow did not start:\n{log.read_text(encoding='utf-8')[-3000:]}")
