"""The two files a team starts from: metricgate.yaml, and the example workflow that fits. Nothing is overwritten."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from difflib import unified_diff
from pathlib import Path

from metricgate.bundled import EXAMPLES
from metricgate.processes.progress import Progress
from metricgate.revisions.checkout import Checkout
from metricgate.settings.policy import FILE_NAME
from metricgate.starter.checkup_finding import Level
from metricgate.starter.dvc_checkup import examine_dvc
from metricgate.starter.first_policy import quote_text, render_policy
from metricgate.starter.framework import show_lines
from metricgate.starter.missing_results import require_gates
from metricgate.starter.project_survey import Survey, survey_project
from metricgate.starter.stored_model import ModelTrial, try_models

WORKFLOWS = EXAMPLES / "workflows"
WORKFLOW_FOLDER = ".github/workflows"
MAX_ID_LENGTH = 50
# The example workflow with the credentials for a remote, by the start of its address.
REMOTE_WORKFLOWS = {"s3://": "pull-request-s3", "gs://": "pull-request-gcs", "azure://": "pull-request-azure"}


@dataclass(frozen=True, kw_only=True)
class StarterFile:
    """A file to write, unless it exists: then ``written`` is its text."""

    path: Path
    text: str
    written: str | None

    @property
    def exists(self) -> bool:
        return self.written is not None

    def show_difference(self) -> str:
        """Return what would differ if the file were written again, as a diff; empty for equal files."""
        own, new = (self.written or "").splitlines(), self.text.splitlines()
        lines = unified_diff(own, new, "yours", "what init would write now", lineterm="", n=1)
        return "\n".join(lines)


@dataclass(frozen=True, kw_only=True)
class Starter:
    """What `metricgate init` writes, what is left to do, and lines that write predictions, where there are none."""

    files: tuple[StarterFile, ...]
    next_steps: tuple[str, ...]
    prediction_lines: str = ""


def prepare_starter(checkout: Checkout, progress: Progress) -> Starter:
    """Return both files for this project; nothing is written. A stored model is loaded to see whether it can be judged.

    Raises
    ------
    ConfigurationError
        If nothing here can be judged: a policy without a gate would pass for ever.
    """
    survey = survey_project(checkout)
    trial = try_models(checkout, survey, progress)
    if trial.evaluation is not None:
        survey = replace(
            survey, command=None, undeclared=()
        )  # what is judged is stored: nothing has to be trained for it
    workflow = name_workflow(checkout.prefix)
    texts = {
        checkout.directory / FILE_NAME: render_policy(survey, trial),
        checkout.top / workflow: render_workflow(survey, checkout.prefix),
    }
    if not (checkout.directory / FILE_NAME).exists():
        require_gates(texts[checkout.directory / FILE_NAME], survey, trial.problem)
    files = tuple(
        StarterFile(
            path=path, text=text, written=path.read_text(encoding="utf-8", errors="replace") if path.exists() else None
        )
        for path, text in texts.items()
    )
    return Starter(
        files=files,
        next_steps=tuple(_name_next_steps(checkout, survey, trial, workflow)),
        prediction_lines="" if survey.predictions or trial.evaluation else show_lines(survey.framework),
    )


def write_starter(starter: Starter) -> None:
    """Write the files that do not exist."""
    for file in starter.files:
        if not file.exists:
            file.path.parent.mkdir(parents=True, exist_ok=True)
            file.path.write_text(file.text, encoding="utf-8")


def _name_next_steps(checkout: Checkout, survey: Survey, trial: ModelTrial, workflow: str) -> Iterator[str]:
    for finding in examine_dvc(checkout):
        if finding.level is Level.BROKEN:
            yield f"{finding.what} {finding.cure}"
    yield from _name_pipeline_step(survey, trial)
    yield from _name_remote_step(survey, workflow)
    if trial.problem:
        yield f"No stored model can be judged as it lies: {trial.problem}."
    if survey.predictions is None and trial.evaluation is None:
        yield "Let the pipeline write its predictions, a row for each test example: then changes can be measured."
    yield "Read metricgate.yaml and set your own margins."
    yield "metricgate doctor   # what would stop a first run?"
    yield "metricgate run      # judge this checkout"
    yield (
        "Commit both files on a branch. Its pull request is judged by its own gates, later ones by those of "
        f"{survey.default_branch}."
    )


def _name_pipeline_step(survey: Survey, trial: ModelTrial) -> Iterator[str]:
    if trial.evaluation is not None:
        return
    if survey.command:
        yield f"Check `command: {survey.command}` in {FILE_NAME}: it must write the files that the policy names."
    elif not survey.has_pipeline and survey.predictions is not None:
        yield (
            "There is no dvc.yaml and no train.py: the files in Git are compared, and nothing is run. "
            f"If a command writes {survey.predictions.spec.path}, name it: `pipeline: {{command: …}}`."
        )
    elif not survey.has_pipeline:
        yield (
            f"There is no stage and no train.py: the numbers in Git are compared. If a command writes "
            f"{', '.join(survey.metrics)}, name it: `pipeline: {{command: …}}` in {FILE_NAME}."
        )


def _name_remote_step(survey: Survey, workflow: str) -> Iterator[str]:
    address = next(iter(survey.remotes.values()), "")
    if not address:
        if survey.has_pipeline:
            yield "There is no DVC remote: `dvc remote add --default storage s3://your-bucket/path`, then `dvc push`."
    elif "://" not in address:
        yield f"The DVC remote {address} is a folder on this machine, which GitHub's runners cannot reach."
    elif address.startswith(tuple(REMOTE_WORKFLOWS)):
        yield f"Set your own role or account in {workflow}, in the step before MetricGate's."
    elif address.startswith("ssh://"):
        yield "The DVC remote needs a key: pass it to the step as an environment variable or a file."


def name_set_up(prefix: str) -> str:
    """Return the id of a project in a folder; each project of a repository has its own comment and check."""
    return re.sub(r"[^A-Za-z0-9]+", "-", prefix).lower().strip("-")[:MAX_ID_LENGTH].rstrip("-")


def name_workflow(prefix: str) -> str:
    """Return the workflow's path in the repository; a project in a folder has its own."""
    set_up = name_set_up(prefix)
    return f"{WORKFLOW_FOLDER}/{f'metricgate-{set_up}' if set_up else 'metricgate'}.yml"


def render_workflow(survey: Survey, prefix: str) -> str:
    """Return the example workflow that fits the project, with its default branch and folder."""
    address = next(iter(survey.remotes.values()), "")
    plain = "plain-train" if survey.command else "reusable"
    name = next((name for start, name in REMOTE_WORKFLOWS.items() if address.startswith(start)), plain)
    text = (WORKFLOWS / f"{name}.yml").read_text(encoding="utf-8")
    text = text.replace("branches: [main]", f"branches: [{quote_text(survey.default_branch)}]")
    if not prefix:
        return text
    folder = prefix.rstrip("/")
    # The name is part of the concurrency group: two workflows with one name would cancel each other.
    text = re.sub(
        r"^name: (.+)$", lambda found: f"name: {quote_text(f'{found[1]}: {folder}')}", text, count=1, flags=re.MULTILINE
    )
    given = [f"id: {name_set_up(prefix)}", f"working-directory: {quote_text(folder)}"]
    return "\n".join(_add_inputs(text.splitlines(), given)) + "\n"


def _add_inputs(lines: list[str], given: list[str]) -> Iterator[str]:
    """Yield the workflow's lines, with inputs for each of MetricGate's steps and for its reusable workflow."""
    is_own_step = False
    indent = ""
    for line in lines:
        if is_own_step and line.strip() != "with:":
            yield from [f"{indent}with:", *(f"{indent}  {text}" for text in given)]
        yield line
        if is_own_step and line.strip() == "with:":
            yield from (f"{indent}  {text}" for text in given)
        is_own_step = "uses: metricgate/metricgate" in line
        indent = " " * (len(line) - len(line.lstrip(" -")))
    if is_own_step:
        yield from [f"{indent}with:", *(f"{indent}  {text}" for text in given)]
