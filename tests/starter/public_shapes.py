"""The shapes of repositories that people publish, built from scratch: none has a predictions file."""

from pathlib import Path

from tests.starter.shapes import Repository, add_dvc, create_repository

# Row i is positive every other time; `noise` percent of the answers are wrong. Standard library only.
MODEL = """\
import json, os, pathlib, random
noise = int({noise})
rows = {rows}
draw = random.Random(7)
truth = [number % 2 for number in range(rows)]
answers = [label if draw.random() * 100 >= noise else 1 - label for label in truth]
right = sum(map(int.__eq__, truth, answers)) / rows
os.makedirs("eval/plots", exist_ok=True)
"""
PLAIN_NOISE = 'pathlib.Path("noise.txt").read_text()'
NESTED = 'json.dump({"avg_prec": {"train": 1.0, "test": right}, "step": 3}, open("eval/metrics.json", "w"))\n'
FLAT = 'json.dump({"accuracy": right, "seconds": 3}, open("metrics.json", "w"))\n'
ERRORS = 'json.dump({"mae": 2 - right, "rmse": 3 - 2 * right, "n": rows}, open("metrics.json", "w"))\n'
TABLE = """\
json.dump([{"actual": str(a), "predicted": str(b)} for a, b in zip(truth, answers)], open("eval/plots/cm.json", "w"))
"""
STAGE = """\
stages:
  train:
    cmd: python train.py
    deps: [{deps}]
    outs: [model.bin]
    metrics: [{metrics}: {{cache: false}}]
"""
BINARY = 'pathlib.Path("model.bin").write_text(str(noise))\n'


def write_model(*parts: str, noise: str = PLAIN_NOISE, rows: str = "600") -> str:
    return MODEL.format(noise=noise, rows=rows) + "".join(parts)


def make_get_started(folder: Path) -> Repository:
    """Nested metrics, and the answers as a plot that dvc.yaml declares at its top level."""
    pipeline = STAGE.format(deps="train.py, noise.txt", metrics="eval/metrics.json").replace(
        "outs: [model.bin]", "outs: [model.bin]\n    plots: [eval/plots]"
    )
    files = {
        "dvc.yaml": pipeline + "plots:\n- eval/plots/cm.json: {template: confusion, x: actual, y: predicted}\n",
        "train.py": write_model(NESTED, TABLE, BINARY),
        "src/requirements.txt": "pytest\n",
    }
    return make_with_dvc(folder, files)


def make_with_dvc(folder: Path, files: dict[str, str]) -> Repository:
    repository = create_repository(folder / "repository", files)
    add_dvc(repository, folder / "remote")
    repository.commit("A pipeline")
    return repository


def make_nested_metrics(folder: Path) -> Repository:
    pipeline = STAGE.format(deps="train.py, noise.txt", metrics="eval/metrics.json")
    return make_with_dvc(folder, {"dvc.yaml": pipeline, "train.py": write_model(NESTED, BINARY)})


def make_folder_dependency(folder: Path) -> Repository:
    """A stage depends on a folder that holds a .dvc file, as in example-dvc-experiments."""
    files = {
        "dvc.yaml": STAGE.format(deps="train.py, noise.txt, data", metrics="metrics.json"),
        "train.py": write_model(FLAT, BINARY, rows='len(pathlib.Path("data/data.csv").read_text().split())'),
        "data/README": "Rows.\n",
        "data/data.csv": "\n".join(map(str, range(600))),
    }
    repository = create_repository(folder / "repository", files)
    repository.must("dvc", "init", "--quiet")
    repository.must("dvc", "add", "--quiet", "data/data.csv")
    (repository.root / ".dvc/config").unlink()
    remote = folder / "remote"
    remote.mkdir()
    repository.must("dvc", "remote", "add", "--quiet", "--default", "storage", str(remote))
    repository.must("dvc", "repro", "--quiet")
    repository.must("dvc", "push", "--quiet")
    repository.commit("A pipeline")
    return repository


def make_regression(folder: Path) -> Repository:
    pipeline = STAGE.format(deps="train.py, noise.txt", metrics="metrics.json")
    return make_with_dvc(folder, {"dvc.yaml": pipeline, "train.py": write_model(ERRORS, BINARY)})


def make_plain_script(folder: Path) -> Repository:
    """No DVC: a script in a folder that writes metrics, which Git ignores and which lie there."""
    files = {"src/model/train.py": write_model(FLAT), ".gitignore": "metrics.json\neval/\n"}
    repository = create_repository(folder / "repository", files)
    (repository.root / "train.py").unlink()
    repository.must("python", "src/model/train.py")
    repository.commit("A script")
    return repository


def make_without_dvc_folder(folder: Path) -> Repository:
    """A dvc.yaml, and nobody ran `dvc init` or committed what it made; Git has the model."""
    files = {
        "dvc.yaml": STAGE.format(deps="train.py, noise.txt", metrics="metrics.json"),
        "train.py": write_model(FLAT, BINARY),
    }
    repository = create_repository(folder / "repository", files)
    repository.must("python", "train.py")
    repository.commit("A pipeline that was never set up")
    return repository


def make_hydra(folder: Path) -> Repository:
    """A script that is configured by files, and whose runs lie in dated folders beside the last metrics."""
    noise = 'pathlib.Path("conf/config.yaml").read_text().split(":")[1]'
    files = {
        "conf/config.yaml": "noise: 5\n",
        "train.py": write_model(FLAT, noise=noise),
        "outputs/2024-01-01/10-00-00/metrics.json": '{"accuracy": 0.5}\n',
    }
    repository = create_repository(folder / "repository", files)
    repository.must("python", "train.py")
    repository.commit("A configured script")
    return repository


def make_notebook(folder: Path) -> Repository:
    """Nothing to run: a notebook that somebody runs by hand, with the metrics in Git."""
    files = {"train.ipynb": '{"cells": [{"source": [\n  "import sklearn\\n"\n]}]}\n', "work.py": write_model(FLAT)}
    repository = create_repository(folder / "repository", files)
    (repository.root / "train.py").unlink()
    repository.must("python", "work.py")
    repository.commit("A notebook")
    return repository
