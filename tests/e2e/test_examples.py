"""Each step in examples/workflows judges, with its inputs, variables and rights, on the repository it is for."""

import json
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from metricgate.cli.action import run_action
from tests.churn import Churn
from tests.e2e.example import FOLDER, ExampleStep, read_events, read_steps
from tests.e2e.example_projects import (
    make_dvc,
    make_inspect,
    make_language_model,
    make_model_tests,
    make_monorepo,
    make_own_dependencies,
    make_promptfoo,
    make_script,
    make_serving,
)
from tests.e2e.test_forks import describe_run, make_fork, zip_folder
from tests.e2e.workflow import EVENT, NUMBER, Workflow
from tests.github.fake import TOKEN, FakeGitHub
from tests.github.state import Artifact, Token
from tests.mlflow.fake import FakeMlflow
from tests.projects import stages_find_python
from tests.serving.model_server import serve_model
from tests.starter.shapes import Repository

MAKERS: dict[str, Callable[[Path], Repository]] = {
    "inspect": make_inspect,
    "language-model": make_language_model,
    "model-tests": make_model_tests,
    "monorepo": make_monorepo,
    "own-dependencies": make_own_dependencies,
    "plain-train": make_script,
    "serving": make_serving,
    "promptfoo": make_promptfoo,
}
NAMES = sorted(path.stem for path in FOLDER.glob("*.yml"))
STEPS = [step for name in NAMES for step in read_steps(name)]
# These stand for the others, which take long together and run with the acceptance tests.
IN_EVERY_TEST_RUN = {
    ("language-model", "pull_request"),
    ("plain-train", "pull_request"),
}
JUDGED_FOR_PUBLISHING = {"forks-judge-gate", "hardened-judge", "reusable-judge"}  # by the test of the second job
PUBLISHING = [step for step in STEPS if step.inputs.get("mode") == "publish"]


@dataclass
class ExampleJob(Workflow):
    """A job of an example: the token has the rights that the job declares, and no others."""

    def run_example(self, step: ExampleStep, monkeypatch: pytest.MonkeyPatch) -> int:
        self.fake.tokens[TOKEN] = Token(permissions=dict(step.permissions))
        given = {f"INPUT_{name.upper()}": value for name, value in step.inputs.items()}
        for name, value in step.variables.items():
            monkeypatch.setenv(name, value)
        with stages_find_python():
            return run_action({**os.environ, **self.variables, **given})

    def read_report(self, step: ExampleStep) -> Path:
        return self.workspace / step.inputs.get("working-directory", ".") / "metricgate-report"


@pytest.fixture(scope="module")
def make_template(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """Return a factory of folders with the repository that an example is for, and its DVC remote; never change them."""

    @cache
    def build(make: Callable[[Path], Repository]) -> Path:
        folder = tmp_path_factory.mktemp("example")
        make(folder)
        return folder

    return lambda name: build(MAKERS.get(name, make_dvc))


@pytest.fixture
def make_job(make_template: Callable[[str], Path], tmp_path: Path) -> Iterator[Callable[[str], ExampleJob]]:
    with FakeGitHub().serve() as fake:

        def make(name: str) -> ExampleJob:
            shutil.copytree(make_template(name), tmp_path, symlinks=True, dirs_exist_ok=True)
            churn = Churn(repository=tmp_path / "repository", remote=tmp_path / "remote")
            return ExampleJob(churn=churn, fake=fake, runner=tmp_path / "runner")

        yield make
        assert fake.violations == []


def start(job: ExampleJob, event: str) -> str:
    """Cause the event, and return the commit that is judged."""
    match event:
        case "pull_request":
            return job.open_pull_request()
        case "merge_group":
            return job.queue_merge_group()
        case "workflow_dispatch":
            return job.dispatch()
        case "push":
            before = job.churn.sha("main")
            job.churn.git("switch", "--quiet", "main")
            job.churn.git("merge", "--quiet", "--ff-only", "worse")
            return job.push_to_main(before)
    raise AssertionError(event)


def list_events(step: ExampleStep) -> list[str]:
    """List the events of the workflow for which the job runs, by its `if:`.

    A schedule judges what is on main by what a push stored: tests/results/test_stored.py.
    """
    events = [event for event in read_events(step.workflow) if event != "schedule"]
    named = {event for event in events if f"'{event}'" in step.condition}
    if "event_name !=" in step.condition:
        return [event for event in events if event not in named]
    return [event for event in events if event in named] if "event_name ==" in step.condition else events


def list_cases() -> Iterator[Any]:
    """Yield each judging step with its event; examples that differ only in the steps before it share a case."""
    alike: dict[str, tuple[ExampleStep, str, list[str]]] = {}
    for step in STEPS:
        if step.inputs.get("mode", "run") != "run" or str(step) in JUDGED_FOR_PUBLISHING:
            continue
        for event in list_events(step):
            rights = {name: level for name, level in step.permissions.items() if name != "id-token"}
            key = repr((MAKERS.get(step.workflow), step.inputs, step.variables, rights, event))
            alike.setdefault(key, (step, event, []))[2].append(str(step))
    for step, event, names in alike.values():
        marks = () if (step.workflow, event) in IN_EVERY_TEST_RUN else pytest.mark.acceptance
        yield pytest.param(step, event, id=f"{event}: {' '.join(names)}", marks=marks)


@contextmanager
def serve_beside(step: ExampleStep) -> Iterator[ExampleStep]:
    """Run the server that an example asks: the model's, which it has under `services:`, or MLflow's."""
    if step.workflow == "serving":
        with serve_model(lambda _, rows: [row["score"] for row in rows]) as server:
            yield replace(step, inputs={**step.inputs, "serving-url": server.address()})
    elif step.workflow == "mlflow":
        with FakeMlflow().serve() as mlflow:
            yield replace(step, inputs={**step.inputs, "mlflow-uri": mlflow.url})
            [run_id] = mlflow.active
            assert mlflow.tags(run_id)["metricgate.verdict"] == "failed"
    else:
        yield step


@pytest.mark.parametrize(("step", "event"), list(list_cases()))
def test_the_step_of_an_example_blocks_a_worse_model(
    step: ExampleStep, event: str, make_job: Callable[[str], ExampleJob], monkeypatch: pytest.MonkeyPatch
) -> None:
    job = make_job(step.workflow)
    sha = start(job, event)

    with serve_beside(step) as served:
        exit_code = job.run_example(served, monkeypatch)

    report = json.loads((job.read_report(step) / "report.json").read_text(encoding="utf-8"))
    if step.workflow == "serving":
        assert report["serving"]["image"] == step.inputs["serving-image"]
        assert "served_as_judged" in {gate["reason_code"] for gate in report["gates"]}
    assert (exit_code, report["verdict"]) == (1, "failed"), report["failure"]
    assert report["id"] == step.inputs.get("id", "default")
    checks = [check.conclusion for check in job.fake.checks(sha)]
    assert checks == (["failure"] if step.inputs.get("check") != "none" else [])
    if event == "pull_request":
        assert len(job.fake.comments(NUMBER)) == (step.inputs.get("comment") != "never")


@pytest.mark.acceptance
@pytest.mark.parametrize("step", PUBLISHING, ids=str)
def test_the_second_job_answers_what_the_first_found(
    step: ExampleStep, make_job: Callable[[str], ExampleJob], monkeypatch: pytest.MonkeyPatch
) -> None:
    first, *_ = read_steps({"forks-publish": "forks-judge"}.get(step.workflow, step.workflow))
    job = make_job(first.workflow)
    head = job.open_pull_request()
    if step.workflow == "forks-publish":
        make_fork(job)
    judged = job.run_example(first, monkeypatch)
    assert (judged, job.fake.writes) == (1, [])

    job.fake.artifacts.append(
        Artifact(1, step.inputs.get("artifact", "metricgate-report"), 4711, zip_folder(job.read_report(first)))
    )
    if step.workflow == "forks-publish":
        job.runner.joinpath(EVENT).write_text(json.dumps(describe_run(job, head)), encoding="utf-8")
        job.add_variables(GITHUB_EVENT_NAME="workflow_run", GITHUB_RUN_ID="4712")
    published = job.run_example(step, monkeypatch)

    (comment,), (check,) = job.fake.comments(NUMBER), job.fake.checks(head)
    assert published == 1
    assert "Blocked: " in comment.body
    assert check.conclusion == "failure"


@pytest.mark.acceptance
def test_results_that_a_push_stored_are_not_made_again(
    make_job: Callable[[str], ExampleJob], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """plain-train.yml: the job on main stores, the job on a pull request then trains once, not twice."""
    gate, baseline = read_steps("plain-train")
    job = make_job("plain-train")
    job.churn.git("branch", "later", "main")
    main = job.churn.sha("main")
    job.churn.git("switch", "--quiet", "main")
    pushing = ExampleJob(churn=job.churn, fake=job.fake, runner=tmp_path / "pushing")
    pushing.push_to_main(main)
    assert pushing.run_example(baseline, monkeypatch) == 0
    job.churn.git("switch", "--quiet", "worse")

    job.open_pull_request()
    job.run_example(gate, monkeypatch)

    report = json.loads((job.read_report(gate) / "report.json").read_text(encoding="utf-8"))
    assert report["baseline"]["source"] == "stored results"


@pytest.mark.acceptance
def test_what_mains_tests_said_is_not_asked_again(
    make_job: Callable[[str], ExampleJob], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """model-tests.yml: the job on main stores its tests' results, and the job on a pull request uses them."""
    gate, baseline = read_steps("model-tests")
    job = make_job("model-tests")
    main = job.churn.sha("main")
    job.churn.git("switch", "--quiet", "main")
    pushing = ExampleJob(churn=job.churn, fake=job.fake, runner=tmp_path / "pushing")
    pushing.push_to_main(main)
    pushing.run_example(baseline, monkeypatch)
    job.churn.git("switch", "--quiet", "worse")

    job.open_pull_request()
    job.run_example(gate, monkeypatch)

    report = json.loads((job.read_report(gate) / "report.json").read_text(encoding="utf-8"))
    assert report["model_tests"]["baseline"] == "stored"
    (broken,) = [found for found in report["gates"] if found["source"] == "tests" and found["outcome"] == "failed"]
    assert broken["reason_code"] == "test_broken"
    assert broken["location"] == {"path": "tests/model/test_model.py", "line": 3}
