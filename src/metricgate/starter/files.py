"""The two files a team starts from: metricgate.yaml, and a workflow. Nothing is ever overwritten."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from metricgate.revisions.checkout import Checkout
from metricgate.settings.policy import FILE_NAME
from metricgate.starter.policy import render_policy
from metricgate.starter.survey import Survey, survey_project
from metricgate.starter.workflow import REMOTE_WORKFLOWS, name_workflow, render_workflow


@dataclass(frozen=True, kw_only=True)
class StarterFile:
    """A file to write, and why it looks as it does."""

    path: Path
    text: str
    exists: bool


@dataclass(frozen=True, kw_only=True)
class Starter:
    """What `metricgate init` writes, and what is left to a person."""

    files: tuple[StarterFile, ...]
    next_steps: tuple[str, ...]


def prepare_starter(checkout: Checkout) -> Starter:
    """Look at the project and prepare both files; nothing is written."""
    survey = survey_project(checkout)
    workflow = name_workflow(checkout.prefix)
    texts = {
        checkout.directory / FILE_NAME: render_policy(survey),
        checkout.top / workflow: render_workflow(survey, checkout.prefix),
    }
    files = tuple(StarterFile(path=path, text=text, exists=path.exists()) for path, text in texts.items())
    return Starter(files=files, next_steps=tuple(_name_next_steps(survey, workflow)))


def write_starter(starter: Starter) -> None:
    """Write what is not there yet."""
    for file in starter.files:
        if not file.exists:
            file.path.parent.mkdir(parents=True, exist_ok=True)
            file.path.write_text(file.text, encoding="utf-8")


def _name_next_steps(survey: Survey, workflow: str) -> Iterator[str]:
    yield from _name_pipeline_step(survey)
    yield from _name_remote_step(survey, workflow)
    if survey.predictions is None:
        yield "Let the pipeline write its test predictions, one row each: that makes changes measurable."
    yield "Read metricgate.yaml and set the margins you mean."
    yield "metricgate doctor   # what would a first run trip over?"
    yield "metricgate run      # judge this checkout"
    yield (
        "Commit both files on a branch. Its pull request is judged by its own gates, later ones by those of "
        f"{survey.default_branch}."
    )


def _name_pipeline_step(survey: Survey) -> Iterator[str]:
    if survey.command:
        yield f"Check `command: {survey.command}` in {FILE_NAME}: it has to write the files that the policy names."
    elif not survey.has_pipeline and survey.predictions is not None:
        yield f"There is no dvc.yaml and no train.py: what Git holds is compared, and nothing is run. If a command writes {survey.predictions.spec.path}, name it: `pipeline: {{command: …}}`."
    elif not survey.has_pipeline:
        yield f"There is no dvc.yaml and no train.py: name `pipeline: {{command: …}}` in {FILE_NAME}."


def _name_remote_step(survey: Survey, workflow: str) -> Iterator[str]:
    address = next(iter(survey.remotes.values()), "")
    if not address:
        if survey.has_pipeline:
            yield "There is no DVC remote: `dvc remote add --default storage s3://your-bucket/path`, then `dvc push`."
    elif "://" not in address:
        yield f"The DVC remote {address} is a folder of this machine: GitHub's runners cannot reach it."
    elif address.startswith(tuple(REMOTE_WORKFLOWS)):
        yield f"Put your own role or account in {workflow}, in the step before MetricGate's."
    elif address.startswith("ssh://"):
        yield "The DVC remote needs a key: give it to the step as an environment variable or a file."
