"""Every command in the documents is executed, or its form is checked, or this file says why neither is possible."""

import argparse
import os
import re
import shlex
import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import click
import pytest
from click.testing import CliRunner
from dvc.cli.parser import get_main_parser
from ruamel.yaml import YAML

from metricgate.cli import COMMANDS, commands
from metricgate.settings.inputs import input_names
from metricgate.settings.policy import Policy
from metricgate.settings.policy_file import read_policy
from tests.churn import Churn
from tests.packaging.documents import ROOT, list_blocks, list_commands

BIN = Path(sys.executable).parent

# Commands that no test can execute, each with its reason.
NOT_EXECUTED = {
    "gh attestation verify": "needs GitHub; tests/proof gives MetricGate a stand-in of it",
    "cml asset publish": "a command of another tool, quoted as what a team uses today",
    "cml check create --title=… report.md": "a command of another tool, quoted as what a team uses today",
    "cml comment create report.md": "a command of another tool, quoted as what a team uses today",
    "cml comment update report.md": "a command of another tool, quoted as what a team uses today",
    "cml pr create": "a command of another tool, quoted as what a team uses today",
    "cml runner launch": "a command of another tool, quoted as what a team uses today",
    "cml tensorboard connect": "a command of another tool, quoted as what a team uses today",
    "uv pip install -r FILE": "FILE stands for a file of the reader",
    "dvc repro -f": "what MetricGate never runs",
    "git remote set-head origin --auto": "needs a server with a default branch",
    "git lfs pull": "needs a server of Git LFS",
    "dvc remote add --default storage s3://bucket/path": "needs a bucket",
    "gh attestation verify oci://ghcr.io/metricgate/metricgate:X.Y.Z --owner metricgate": "needs a release on GitHub",
    "python scripts/release.py prepare X.Y.Z": "test_release.py and test_rehearsal.py run it, each with a version",
    "uv tool install metricgate": "needs a release; test_wheel.py installs the wheel like this",
    "git push origin --delete REF": "REF stands for a ref of the reader's repository",
}
# What a heading, a sentence or a table calls a program; nobody types these.
NAMED_ONLY = {
    "uvx metricgate",
    "git add",
    "git fetch",
    "docker info",
    "docker run",
    "python -I",
    "python -m",
    "python -c pass",
}


def run_shell(text: str, folder: Path, **variables: str) -> None:
    path = f"{BIN}:{os.environ['PATH']}"
    done = subprocess.run(
        ["sh", "-e", "-c", text],
        cwd=folder,
        env={**os.environ, "PATH": path, **variables},
        check=False,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert done.returncode == 0, f"{text}\n{done.stdout}"


def parse_metricgate(command: str) -> None:
    """Parse a metricgate command without running it: names, options and their values."""
    name, *arguments = shlex.split(re.sub(r"^(uvx )?(--with \S+ )?metricgate ", "", command), comments=True)
    assert name in COMMANDS, command
    found = commands.get_command(click.Context(commands), name)
    assert found is not None
    found.make_context(name, arguments)


def is_metricgate(command: str) -> bool:
    return command.removeprefix("uvx ").startswith("metricgate ")


def list_shell_lines() -> list[tuple[str, str]]:
    """Return each command line of a shell block, with its page."""
    return [(block.page, line) for block in list_blocks() if block.language == "sh" for line in block.lines]


CHURN_README = "examples/churn/README.md"  # its block is executed whole
CHURN_LINES = {line for page, line in list_shell_lines() if page == CHURN_README}


def test_every_block_is_of_a_kind_that_is_tested() -> None:
    for block in list_blocks():
        match block.language:
            case "yaml":
                check_yaml(block.text, block.page)
            case "python":
                pass  # by test_recipes.py
            case "sh":
                pass  # line by line, below
            case "":
                assert "►" in block.text, f"{block.page}: say the language of this block, or draw a picture in it"
            case other:
                pytest.fail(f"{block.page}: nothing tests blocks of {other!r}")


def check_yaml(text: str, page: str) -> None:
    """Accept a workflow (its own tests validate it), a policy or a part of one, and the line for editors."""
    content = YAML(typ="safe").load(text)
    if content is None:
        (address,) = re.findall(r"raw\.githubusercontent\.com/metricgate/metricgate/v1/(\S+)", text)
        assert (ROOT / address).is_file(), page
    elif isinstance(content, list):  # steps of a workflow
        for step in content:
            if step.get("uses", "").startswith("metricgate/metricgate@"):
                assert set(step.get("with", ())) <= set(input_names()), page
    elif "stages" in content:
        assert page == "docs/scale.md"  # executed by tests/slurm
    elif "jobs" not in content:
        assert set(content) <= set(Policy.model_fields), page
        read_policy(text, origin=page)


def test_a_command_line_has_its_test() -> None:
    for page, line in list_shell_lines():
        if page == CHURN_README:
            continue
        if is_metricgate(line):
            parse_metricgate(line)
        else:
            check_target(line)


def check_target(line: str) -> None:
    """Ask make what it would do: the target and its prerequisites must exist."""
    assert line.startswith("make "), line
    done = subprocess.run(
        ["make", "--dry-run", *line.split()[1:]], cwd=ROOT, check=False, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr


def check_program(command: str) -> None:
    """Accept a script of this repository, and a module that can be imported; for metricgate, the rest must parse too."""
    if (script := command.split()[1]).startswith("scripts/"):
        assert (ROOT / script).is_file(), command
        return
    _, module = command.split(" -m ", 1)
    name, _, arguments = module.partition(" ")
    assert find_spec(name), command
    if name == "metricgate":
        parse_metricgate(arguments)


def list_dvc_commands() -> set[str]:
    actions = get_main_parser()._actions
    return {name for action in actions if isinstance(action, argparse._SubParsersAction) for name in action.choices}


def test_a_command_within_a_sentence_has_its_test() -> None:
    for command in sorted(list_commands() - set(NOT_EXECUTED) - NAMED_ONLY):
        match command.split()[0]:
            case "metricgate" if command.count(" ") == 1:
                assert command.split()[1] in COMMANDS, command  # its name, not a line to type
            case "metricgate" | "uvx":
                parse_metricgate(command)
            case "make":
                check_target(command)
            case "python":
                check_program(command)
            case "dvc" if command.count(" ") == 1 and command not in EXECUTED:
                assert command.split()[1] in list_dvc_commands(), command
            case _:
                assert command in {*EXECUTED, *CHURN_LINES}, (
                    f"{command}: execute it here, or give the reason in NOT_EXECUTED"
                )


def test_what_is_not_executed_is_still_in_the_documents() -> None:
    assert set(NOT_EXECUTED) | NAMED_ONLY | set(EXECUTED) <= list_commands()


# In this order, in the churn project, on the branch of its pull request; the results of its main were pushed.
EXECUTED = (
    'git config --global --add safe.directory "$PWD"',
    "git ls-remote origin 'refs/metricgate/*'",
    "git fetch --depth=1 origin main:main",
    "dvc pull",
    "dvc repro",
    "dvc metrics diff",
    "dvc metrics diff --md main >> report.md",
    "dvc params diff main >> report.md",
    "dvc plots diff --targets eval/roc.csv --show-vega main > vega.json",
    "dvc push",
)


@pytest.mark.acceptance
def test_commands_for_a_project_work_in_one(churn: Churn, tmp_path: Path) -> None:
    clone = churn.clone(tmp_path / "clone")

    run_shell("\n".join(EXECUTED), clone.repository, GIT_CONFIG_GLOBAL=str(tmp_path / "gitconfig"))

    assert "roc_auc" in (clone.repository / "report.md").read_text(encoding="utf-8")
    assert (tmp_path / "gitconfig").read_text(encoding="utf-8").strip().endswith(str(clone.repository))


@pytest.mark.acceptance
def test_the_churn_readme_makes_the_project(tmp_path: Path) -> None:
    """Run its block unchanged, except that a folder replaces the reader's bucket."""
    (block,) = (block for block in list_blocks() if block.page == CHURN_README)
    project, remote = tmp_path / "churn", tmp_path / "bucket"
    shutil.copytree(ROOT / "examples/churn", project, ignore=shutil.ignore_patterns("__pycache__"))
    remote.mkdir()
    assert "s3://your-bucket/churn" in block.text
    identity = {"GIT_AUTHOR_NAME": "A", "GIT_AUTHOR_EMAIL": "a@b.example"}
    identity |= {"GIT_COMMITTER_NAME": "A", "GIT_COMMITTER_EMAIL": "a@b.example"}

    run_shell(block.text.replace("s3://your-bucket/churn", str(remote)), project, **identity)

    done = subprocess.run(["git", "status", "--porcelain"], cwd=project, check=True, capture_output=True, text=True)
    assert done.stdout == ""
    assert list(remote.rglob("*"))


def test_commands_in_the_readme_do_what_they_say(churn: Churn, monkeypatch: pytest.MonkeyPatch) -> None:
    """Run every command line of the README in the churn project; `demo` has its own test, from the wheel."""
    lines = [line for page, line in list_shell_lines() if page == "README.md"]
    rows = (churn.repository / "eval/predictions.csv").read_text(encoding="utf-8")
    for name in ("baseline.csv", "candidate.csv"):
        churn.write(name, rows)
    churn.git("switch", "--quiet", "main")
    monkeypatch.setenv("PATH", f"{BIN}:/usr/bin:/bin")
    monkeypatch.chdir(churn.repository)

    codes = {}
    for line in lines:
        _, *arguments = shlex.split(line.removeprefix("uvx "))
        if arguments != ["demo"]:
            codes[line] = CliRunner().invoke(commands, arguments, standalone_mode=False).return_value

    assert codes == {
        "metricgate init": 0,
        "metricgate run": 0,
        "metricgate compare baseline.csv candidate.csv --label churned --score churn_probability --id customer_id": 0,
    }
