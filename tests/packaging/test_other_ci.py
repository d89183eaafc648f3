"""The examples for GitLab CI and Jenkins: their script lines run in a clone and judge it."""

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from metricgate import __version__
from scripts.base_image import read_base
from tests.churn import Churn
from tests.e2e.laptop import copy_for_a_laptop
from tests.packaging.documents import ROOT

BIN = Path(sys.executable).parent
GITLAB = ROOT / "examples/gitlab/.gitlab-ci.yml"
JENKINS = ROOT / "examples/jenkins/Jenkinsfile"
# uvx needs a release. This program replaces it: it checks the version that it is asked for, and starts the one under test.
UVX = """\
#!/bin/sh
set -eu
test "$1" = "metricgate=={version}"
shift
exec "{python}" -m metricgate "$@"
"""


@pytest.fixture
def tools(tmp_path: Path) -> Path:
    folder = tmp_path / "bin"
    folder.mkdir()
    (folder / "uvx").write_text(UVX.format(python=sys.executable, version=__version__), encoding="utf-8")
    (folder / "uvx").chmod(0o755)
    return folder


def run_lines(lines: list[str], clone: Churn, tools: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    path = os.pathsep.join([str(tools), str(BIN), os.environ["PATH"]])
    return subprocess.run(
        ["sh", "-e", "-c", "\n".join(lines)],
        cwd=clone.repository,
        env={**os.environ, **variables, "PATH": path},
        check=False,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def read_gitlab_job() -> Any:
    return YAML(typ="safe").load(GITLAB)["model-gate"]


def test_the_gitlab_example_keeps_its_schema() -> None:
    command = [str(BIN / "check-jsonschema"), "--builtin-schema", "vendor.gitlab-ci", str(GITLAB)]
    done = subprocess.run(command, check=False, capture_output=True, text=True)

    assert done.returncode == 0, done.stdout + done.stderr


def test_the_gitlab_example_pins_what_it_installs() -> None:
    """The base image and uv are those that the project itself builds with; Dependabot and `make lock` move them."""
    job = read_gitlab_job()
    (uv,) = re.findall(r"^(uv==\S+)", (ROOT / "requirements/uv.txt").read_text(encoding="utf-8"), re.MULTILINE)

    assert job["image"] == "@".join(read_base())
    assert f"pip install --quiet {uv}" in job["before_script"]


@pytest.mark.acceptance
def test_the_gitlab_example_blocks_a_worse_model(churn: Churn, tools: Path, tmp_path: Path) -> None:
    clone = copy_for_a_laptop(churn, tmp_path)
    clone.git("checkout", "--quiet", "--detach")  # as GitLab's runner does
    job = read_gitlab_job()
    base = clone.git("merge-base", "HEAD", "origin/main")

    done = run_lines(job["script"], clone, tools, CI_MERGE_REQUEST_DIFF_BASE_SHA=base, **job["variables"])

    assert done.returncode == 1, done.stdout
    assert "ROC AUC is 0.026 lower" in done.stdout
    (kept,) = job["artifacts"]["paths"]
    assert (clone.repository / kept / "report.md").is_file()


@pytest.mark.acceptance
def test_the_jenkins_example_blocks_a_worse_model(churn: Churn, tools: Path, tmp_path: Path) -> None:
    text = JENKINS.read_text(encoding="utf-8")
    lines = re.findall(r"^ +sh '(.+)'$", text, re.MULTILINE)
    assert len(lines) == text.count("sh '") == 2
    (version,) = re.findall(r"METRICGATE_VERSION = '(.+)'", text)
    clone = copy_for_a_laptop(churn, tmp_path)
    clone.git("update-ref", "-d", "refs/remotes/origin/main")  # Jenkins fetches the change's branch only

    done = run_lines(lines, clone, tools, CHANGE_TARGET="main", METRICGATE_VERSION=version)

    assert done.returncode == 1, done.stdout
    (kept,) = re.findall(r"artifacts: '(.+?)/\*\*'", text)
    assert (clone.repository / kept / "report.md").is_file()


def test_the_jenkinsfile_is_one_closed_pipeline() -> None:
    text = re.sub(r"//[^\n]*|'[^'\n]*'", "", JENKINS.read_text(encoding="utf-8"))

    depth = 0
    for character in text:
        depth += {"{": 1, "}": -1}.get(character, 0)
        assert depth >= 0
    assert depth == 0
    assert set(
        re.findall(r"^ *(pipeline|agent|options|environment|stages|stage|when|steps|post)\b", text, re.MULTILINE)
    ) == {
        "pipeline",
        "agent",
        "options",
        "environment",
        "stages",
        "stage",
        "when",
        "steps",
        "post",
    }
