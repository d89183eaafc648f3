"""A prompt judged with Inspect itself, with a mock model, in an environment of its own: `metricgate run` of two changes."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.starter.shapes import create_repository

pytestmark = pytest.mark.acceptance
ASK = """\
import argparse
import pathlib
import shutil

from inspect_ai import Task, eval as evaluate
from inspect_ai.dataset import MemoryDataset, Sample
from inspect_ai.model import ModelOutput
from inspect_ai.scorer import match
from inspect_ai.solver import solver

PROMPT = pathlib.Path("evals/prompt.txt").read_text()
parser = argparse.ArgumentParser()
parser.add_argument("--output", type=pathlib.Path)


@solver
def answer():
    async def solve(state, generate):
        number = int(state.sample_id)
        right = number % 10 or "carefully" in PROMPT  # a hasty model errs in one question of ten
        state.output = ModelOutput.from_content("mockllm/model", str(number * 2 if right else -1))
        return state

    return solve


samples = [
    Sample(id=number, input=f"Twice {number}?", target=str(number * 2), metadata={"topic": "even" if number % 2 else "odd"})
    for number in range(1, 151)
]
task = Task(name="doubling", dataset=MemoryDataset(samples, name="doubling"), solver=answer(), scorer=match(numeric=True))
(log,) = evaluate(task, model="mockllm/model", epochs=2, log_dir="logs/all", display="none")
output = parser.parse_args().output
output.parent.mkdir(exist_ok=True)
shutil.copy(log.location, output)
"""
POLICY = """\
predictions: {{path: logs/doubling.eval, score: match, slices: [metadata.topic]}}
gates:
  - {{metric: mean(match), max_drop: 0.05}}
  - {{metric: pass^2, max_drop: 0.05}}
pipeline: {{command: "{python} evals/ask.py --output logs/doubling.eval"}}
"""


@pytest.fixture(scope="module")
def inspects_python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("inspect")
    uv, python = Path(sys.executable).with_name("uv"), folder / "bin/python"
    for command in (
        ["venv", "--quiet", "--python", sys.executable, str(folder)],
        ["pip", "install", "--quiet", "--python", str(python), "inspect-ai==0.3.285"],
    ):
        done = subprocess.run([uv, *command], check=False, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
    return python


def test_a_prompt_is_judged_by_the_questions_it_loses(inspects_python: Path, tmp_path: Path) -> None:
    repository = create_repository(
        tmp_path / "repository",
        {
            "evals/ask.py": ASK,
            "evals/prompt.txt": "Answer carefully.\n",
            "metricgate.yaml": POLICY.format(python=inspects_python),
            ".gitignore": "logs/\nmetricgate-report/\n",
        },
    )
    repository.commit("The project")
    verdicts = {}
    for name, prompt in (("hasty", "Answer.\n"), ("kinder", "Answer carefully, please.\n")):
        repository.must("git", "switch", "--quiet", "--create", name, "main")
        (repository.root / "evals/prompt.txt").write_text(prompt, encoding="utf-8")
        repository.commit(name)
        verdicts[name] = run_gate(repository.root)

    hasty, kinder = verdicts["hasty"], verdicts["kinder"]
    pairing = hasty["pairings"][0]
    assert (hasty["verdict"], kinder["verdict"]) == ("failed", "passed")
    assert (pairing["rows"], pairing["candidate_answers"], pairing["other_test"]) == (150, 300, "")
    assert [gate["difference"] for gate in hasty["gates"]] == pytest.approx([-0.1, -0.1])
    assert hasty["flips"][0]["lost"] == 15


def run_gate(folder: Path) -> dict[str, Any]:
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    done = subprocess.run(
        [sys.executable, "-m", "metricgate", "run"],
        cwd=folder,
        env=os.environ | {"PATH": path},
        check=False,
        capture_output=True,
        text=True,
    )
    report = folder / "metricgate-report/report.json"
    assert report.is_file(), done.stdout + done.stderr
    return dict(json.loads(report.read_text(encoding="utf-8")))
