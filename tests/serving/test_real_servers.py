"""Real servers of a model that scikit-learn fitted: MLflow's and a FastAPI one in an environment, and the latter in an image."""

import fcntl
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from metricgate.models.outcome import Outcome
from metricgate.models.result import GateRow
from metricgate.serving.asked_servers import ask_servers
from metricgate.serving.judged_rows import read_judged_rows
from metricgate.serving.judged_serving import judge_serving
from metricgate.settings.policy import PredictionsSpec
from metricgate.settings.serving import ServingSpec
from scripts.base_image import is_stand_in, read_base

pytestmark = pytest.mark.acceptance

PACKAGES = ("mlflow", "scikit-learn", "pandas", "fastapi", "uvicorn")
MAKE = """
import joblib, mlflow, numpy as np, pandas as pd
from sklearn.linear_model import LogisticRegression
draw = np.random.default_rng(1)
rows = pd.DataFrame({"age": draw.normal(size=120), "visits": draw.integers(0, 9, 120)})
label = (rows.age + rows.visits / 9 + draw.normal(size=120) * 0.3 > 0.5).astype(int)
model = LogisticRegression().fit(rows, label)
mlflow.sklearn.save_model(model, "model", pyfunc_predict_fn="predict_proba")
joblib.dump(model, "model.joblib")
score = model.predict_proba(rows)[:, 1]
rows.assign(id=range(120)).to_csv("data.csv", index=False)
pd.DataFrame({"id": range(120), "label": label, "p": score.round(6)}).to_csv("predictions.csv", index=False)
"""
APP = """
import joblib, pandas as pd
from fastapi import FastAPI
app, model = FastAPI(), joblib.load("model.joblib")

@app.post("/predict")
def predict(rows: list[dict]):
    return [{"p": float(p)} for p in model.predict_proba(pd.DataFrame(rows)[["age", "visits"]])[:, 1]]

@app.post("/rounded")
def rounded(rows: list[dict]):
    return [round(found["p"], 2) for found in predict(rows)]
"""

DOCKERFILE = """
FROM {base}
RUN pip install --no-cache-dir --quiet {packages}
WORKDIR /model
COPY app.py model.joblib ./
"""
IMAGE = "metricgate-served-model"
VERSIONS = "from importlib.metadata import version; print(*(f'{one}=={version(one)}' for one in %r))"


@pytest.fixture(scope="session")
def model_folder(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Path:
    """Return a folder with a model, its data and predictions, and an environment `venv`; made once for all workers."""
    base = tmp_path_factory.getbasetemp()
    folder = (base if worker_id == "master" else base.parent) / "served"
    uv = str(Path(sys.executable).parent / "uv")
    with folder.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (folder / "predictions.csv").exists():
            folder.mkdir(exist_ok=True)
            (folder / "app.py").write_text(APP, encoding="utf-8")
            python = str(folder / "venv/bin/python")
            for command in (
                [uv, "venv", "--quiet", "--python", sys.executable, str(folder / "venv")],
                [uv, "pip", "install", "--quiet", "--python", python, *PACKAGES],
                [python, "-W", "ignore", "-c", MAKE],
            ):
                subprocess.run(command, cwd=folder, check=True, capture_output=True)
    return folder


@pytest.fixture
def model_image(model_folder: Path) -> str:
    """Build an image of the model and its server, with the libraries' versions that it was fitted with."""
    has_engine = (
        shutil.which("docker") and not subprocess.run(["docker", "info"], check=False, capture_output=True).returncode
    )
    if not has_engine:
        pytest.skip("no Docker Engine answers `docker info`: the model's image was neither built nor run")
    program = VERSIONS % (("scikit-learn", "pandas", "fastapi", "uvicorn"),)
    asked = subprocess.run(
        [model_folder / "venv/bin/python", "-c", program], check=True, capture_output=True, text=True
    )
    name, digest = read_base()
    base = name if is_stand_in(name) else f"{name}@{digest}"
    context = model_folder / "image"
    context.mkdir()
    for file in ("app.py", "model.joblib"):
        shutil.copy(model_folder / file, context)
    (context / "Dockerfile").write_text(DOCKERFILE.format(base=base, packages=asked.stdout.strip()), encoding="utf-8")
    build = ["docker", "build", "--quiet", "--network", "host", "--tag", IMAGE, str(context)]
    done = subprocess.run(build, check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-4000:]
    return IMAGE


@contextmanager
def start(folder: Path, *command: str) -> Iterator[str]:
    """Run a server that takes ``--port``, and yield its address once it listens."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    path = f"{folder / 'venv/bin'}:{os.environ['PATH']}"
    with (folder / f"{port}.log").open("wb") as log:
        server = subprocess.Popen(
            [*command, "--host", "127.0.0.1", "--port", str(port)],
            cwd=folder,
            env={**os.environ, "PATH": path},
            stdout=log,
            stderr=subprocess.STDOUT,
            process_group=0,
        )
    try:
        _await_port(server, port, folder / f"{port}.log")
        yield f"http://127.0.0.1:{port}"
    finally:
        with suppress(ProcessLookupError):
            os.killpg(server.pid, signal.SIGTERM)
        server.wait(30)


def _await_port(server: subprocess.Popen[bytes], port: int, log: Path) -> None:
    for _ in range(1200):
        assert server.poll() is None, log.read_text(encoding="utf-8")
        with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
            return
        time.sleep(0.1)
    raise AssertionError(log.read_text(encoding="utf-8"))


def ask(folder: Path, **serving: object) -> GateRow:
    spec = ServingSpec.model_validate({"data": "data.csv", **serving})
    predictions = PredictionsSpec(path="predictions.csv", id=("id",), label="label", score="p")
    judged = read_judged_rows(spec, predictions, folder / "predictions.csv", folder / "data.csv")
    (gate,) = judge_serving(spec, judged, *ask_servers(spec, judged, tell=lambda _: None)).gates
    return gate


def test_mlflows_own_server_answers_as_judged(model_folder: Path) -> None:
    command = ("mlflow", "models", "serve", "--model-uri", "model", "--env-manager", "local")
    with start(model_folder, *command) as address:
        gate = ask(model_folder, url=f"{address}/invocations", protocol="mlflow", timeout=60)

    assert (gate.outcome, gate.reason_code) == (Outcome.PASSED, "served_as_judged"), gate.reason


CASES: Mapping[str, Outcome] = {"/predict": Outcome.PASSED, "/rounded": Outcome.FAILED}


def test_a_fastapi_server_is_told_from_one_that_rounds(model_folder: Path) -> None:
    check_fastapi(model_folder, "uvicorn", "app:app")


def test_so_is_a_container_of_the_model(model_folder: Path, model_image: str) -> None:
    check_fastapi(model_folder, "docker", "run", "--rm", "--network", "host", model_image, "uvicorn", "app:app")


def check_fastapi(model_folder: Path, *command: str) -> None:
    with start(model_folder, *command) as address:
        found = {path: ask(model_folder, url=address + path, protocol="json", timeout=60) for path in CASES}

    assert {path: gate.outcome for path, gate in found.items()} == CASES
    assert "120 of 120 rows are not answered as judged: off by 0.00" in found["/rounded"].reason
    assert "row 0 has p 0.7 where 0.695905 was judged" in found["/rounded"].reason
