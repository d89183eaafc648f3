"""Runs the jobs of a workflow of this project on this machine: its own lines, unchanged, each job in a fresh clone.

Other actions are played by functions that do the same here (a clone, a copied folder, `docker build`). A job of the matrix
whose machine or Python is missing is not run, and said to be so. An expression or action that nothing here knows fails.
"""

import os
import re
import shutil
import subprocess
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import product
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

Values = Mapping[str, Any]
Player = Callable[["Job", Values], None]
EXPRESSION = re.compile(r"\$\{\{ ([\w.-]+) \}\}")


class StepFailed(Exception):  # noqa: N818  # GitHub's word
    pass


@dataclass
class Run:
    """One run of a workflow: what every job of it shares."""

    workflow: Path
    origin: Path
    folder: Path
    inputs: Mapping[str, str]
    variables: Mapping[str, str]  # replace those of the workflow: addresses that only this machine has
    players: Mapping[str, Player]
    pythons: Mapping[str, Path]
    skipped: frozenset[str] = frozenset()  # lines that are run elsewhere
    outputs: dict[str, dict[str, str]] = field(default_factory=dict)
    done: list[str] = field(default_factory=list)  # the steps that ended well, in order
    not_run: list[str] = field(default_factory=list)

    def run(self) -> None:
        jobs = YAML(typ="safe").load(self.workflow)["jobs"]
        for name, spec in jobs.items():  # a job stands below those that it needs
            assert set(as_list(spec.get("needs", []))) <= set(self.outputs), f"{name} stands above a job that it needs"
            self.outputs[name] = {}
            for matrix in list_matrix(spec):
                Job(run=self, name=name, spec=spec, matrix=matrix).start()

    @property
    def environment(self) -> dict[str, str]:
        declared = YAML(typ="safe").load(self.workflow).get("env", {})
        filled = {name: EXPRESSION.sub(lambda found: self.look_up(found[1]), str(v)) for name, v in declared.items()}
        return {**filled, **self.variables}

    def look_up(self, path: str) -> str:
        first, *rest = path.split(".")
        match first, rest:
            case "inputs", [name]:
                return self.inputs[name]
            case "needs", [job, "outputs", name]:
                return self.outputs[job][name]
            case "github", ["sha"]:
                return git(self.origin, "rev-parse", "main")
            case "github", ["actor" | "token" as name]:
                return self.variables.get(f"GITHUB_{name.upper()}", name)
            case "env", [name]:
                return self.environment[name]
        raise AssertionError(f"nothing here knows the expression {path}")


@dataclass
class Job:
    """A job, or one combination of its matrix."""

    run: Run
    name: str
    spec: Values
    matrix: Mapping[str, str]
    steps: dict[str, dict[str, str]] = field(default_factory=dict)
    variables: dict[str, str] = field(default_factory=dict)
    path: list[str] = field(default_factory=list)

    @property
    def title(self) -> str:
        return " ".join([self.name, *self.matrix.values()])

    @property
    def workspace(self) -> Path:
        return self.run.folder / self.title.replace(" ", "-")

    def start(self) -> None:
        if self.fill(self.spec["runs-on"]).endswith("-arm"):
            self.run.not_run.append(self.title)
            return
        self.workspace.mkdir(parents=True)
        for step in self.spec["steps"]:
            title = f"{self.title}: {step.get('run') or step['uses'].split('@')[0]}"
            given = {key: self.fill(str(value)) for key, value in step.get("with", {}).items()}
            output = self.run.folder / f"output-{len(self.run.done)}"
            output.touch()
            self.variables |= {"GITHUB_OUTPUT": str(output), "GITHUB_ENV": str(self.workspace.with_suffix(".env"))}
            if "uses" in step:
                action = step["uses"].split("@")[0]
                assert action in self.run.players, f"nothing here plays {action}"
                try:
                    self.run.players[action](self, given)
                except LookupError as missing:
                    self.run.not_run.append(f"{self.title}: {missing.args[0]}")
                    return
            elif step["run"] in self.run.skipped:
                self.run.not_run.append(title)
                continue
            else:
                self.run_line(self.fill(step["run"]), {k: self.fill(str(v)) for k, v in step.get("env", {}).items()})
            self.steps[step.get("id", title)] = read_assignments(output)
            self.run.done.append(title)
        self.run.outputs[self.name] |= {name: self.fill(value) for name, value in self.spec.get("outputs", {}).items()}

    def fill(self, text: str) -> str:
        return EXPRESSION.sub(lambda found: self.look_up(found[1]), text)

    def look_up(self, path: str) -> str:
        match path.split("."):
            case "matrix", name:
                return str(self.matrix[name])
            case "steps", step, "outputs", name:
                return self.steps[step][name]
        return self.run.look_up(path)

    def run_line(self, line: str, variables: Mapping[str, str]) -> None:
        command = ["bash", "-e", "-o", "pipefail", "-c", line]
        done = subprocess.run(
            command,
            cwd=self.workspace,
            env={**self.environment, **variables},
            check=False,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        if done.returncode:
            raise StepFailed(f"{self.title}: {line}\n{done.stdout[-6000:]}")

    @property
    def environment(self) -> dict[str, str]:
        """Return what a line of this job sees: nothing of the environment that the tests run in, but programs."""
        inherited = {name: value for name, value in os.environ.items() if not name.startswith(("GITHUB_", "VIRTUAL_"))}
        sha = git(self.run.origin, "rev-parse", "main")
        written = read_assignments(self.workspace.with_suffix(".env"))
        path = {"PATH": os.pathsep.join([*self.path, inherited["PATH"]])}
        return inherited | {"GITHUB_SHA": sha} | self.run.environment | self.variables | written | path


def as_list(value: str | list[str]) -> list[str]:
    return [value] if isinstance(value, str) else value


def list_matrix(spec: Values) -> Iterator[dict[str, str]]:
    matrix = dict(spec.get("strategy", {}).get("matrix", {}))
    if "include" in matrix:
        yield from matrix["include"]
        return
    for values in product(*matrix.values()):
        yield dict(zip(matrix, values, strict=True))


def read_assignments(file: Path) -> dict[str, str]:
    if not file.exists():
        return {}
    return dict(line.split("=", 1) for line in file.read_text(encoding="utf-8").splitlines())


def git(directory: Path, *arguments: str) -> str:
    done = subprocess.run(["git", *arguments], cwd=directory, check=True, capture_output=True, text=True)
    return done.stdout.strip()


# How other actions are played


def clone(job: Job, _given: Values) -> None:
    git(job.run.folder, "clone", "--quiet", "--depth=1", job.run.origin.as_uri(), str(job.workspace))


def use_python(job: Job, given: Values) -> None:
    """Put the Python that is asked for first on PATH, as a new environment that a job may install into."""
    version = given["python-version"]
    if version not in job.run.pythons:
        raise LookupError(f"no Python {version}")
    environment = job.workspace.with_suffix(".python")
    subprocess.run([job.run.pythons[version], "-m", "venv", environment], check=True, capture_output=True)
    job.path = [str(environment / "bin")]


def upload(job: Job, given: Values) -> None:
    folder = job.run.folder / "artifacts" / given["name"]
    folder.mkdir(parents=True)
    found = sorted(job.workspace.glob(given["path"]))
    assert found, f"{job.title} uploads nothing"
    for path in found:
        shutil.copy(path, folder)


def download(job: Job, given: Values) -> None:
    target = job.workspace / given["path"]
    target.mkdir(exist_ok=True)
    for folder in (job.run.folder / "artifacts").glob(given.get("name") or given["pattern"]):
        shutil.copytree(folder, target, dirs_exist_ok=True)


def do_nothing(_job: Job, _given: Values) -> None:
    """Play an action that changes nothing here: a login, a scan, an attestation."""
