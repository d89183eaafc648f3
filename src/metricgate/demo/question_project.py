"""A project for language models: a prompt, questions, simulated answers, and a branch with a shorter prompt."""

import shutil
from pathlib import Path

from metricgate.bundled import EXAMPLES
from metricgate.demo.project import DemoProject, create_repository, require_free, run_git

QUESTIONS = EXAMPLES / "questions"
PROMPT = Path("prompts/answer.txt")
BRANCH = "shorter-prompt"
WORSE_PROMPT = "Answer with the number alone.\n"


def create_question_project(directory: Path) -> DemoProject:
    """Create the project in ``directory``, which must be new or empty: Git, without DVC.

    Raises
    ------
    ConfigurationError
        If the directory is not empty.
    WorkspaceError
        If Git fails.
    """
    directory = require_free(directory)
    project = DemoProject(repository=directory / "questions", remote=directory, branch=BRANCH)
    directory.mkdir(parents=True, exist_ok=True)
    shutil.copytree(QUESTIONS, project.repository, ignore=shutil.ignore_patterns("__pycache__"))
    create_repository(project)
    run_git(project.repository, "add", ".")
    run_git(project.repository, "commit", "--quiet", "--message", "Ask 120 questions, step by step")
    run_git(project.repository, "switch", "--quiet", "--create", project.branch)
    (project.repository / PROMPT).write_text(WORSE_PROMPT, encoding="utf-8")
    run_git(project.repository, "commit", "--quiet", "--all", "--message", "Shorten the prompt, for fewer tokens")
    return project
