"""What of a release can be rehearsed with an engine: the workflow's order, and the list of what is in the image."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.container.test_act import ACT, find_base_image

pytestmark = pytest.mark.acceptance

ROOT = Path(__file__).parents[2]
WORKFLOW = ".github/workflows/release.yml"
SYFT = Path(sys.executable).parent / "syft"
STUB = "name: stub\nruns:\n  using: node20\n  main: index.js\n"
LIST_PACKAGES = """
import json
from importlib.metadata import distributions
print(json.dumps({found.name: found.version for found in distributions()}))
"""


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """A clone with the files as they lie here, whose origin is called what it will be on GitHub."""
    folder = tmp_path / "clone"
    subprocess.run(["git", "clone", "--quiet", str(ROOT), str(folder)], check=True, capture_output=True)
    (folder / WORKFLOW).write_text((ROOT / WORKFLOW).read_text(encoding="utf-8"), encoding="utf-8")
    url = "https://github.com/metricgate/metricgate.git"
    subprocess.run(["git", "remote", "set-url", "origin", url], cwd=folder, check=True)
    return folder


def rehearse(clone: Path, branch: str, home: Path) -> list[str]:
    """Let act go through the workflow without running it, other actions being empty here; return the steps it reached."""
    # The only branch: act takes any other one at this commit for the one that is checked out.
    subprocess.run(["git", "checkout", "--quiet", "--detach"], cwd=clone, check=True, capture_output=True)
    for name in list_branches(clone):
        subprocess.run(["git", "branch", "--quiet", "--delete", "--force", name], cwd=clone, check=True)
    subprocess.run(["git", "checkout", "--quiet", "-B", branch], cwd=clone, check=True, capture_output=True)
    (home / "stub").mkdir()
    (home / "stub/action.yml").write_text(STUB, encoding="utf-8")
    text = (clone / WORKFLOW).read_text(encoding="utf-8")
    command = [str(ACT), "workflow_dispatch", "--dryrun", "--workflows", WORKFLOW, "--input", "version=0.1.0"]
    command += ["--pull=false"]
    for runner in ("ubuntu-24.04", "ubuntu-24.04-arm"):
        command += ["--platform", f"{runner}={find_base_image()}"]
    for action in sorted(set(re.findall(r"uses: (\S+@[0-9a-f]{40})", text))):
        command += ["--local-repository", f"{action}={home / 'stub'}"]
    environment = {**os.environ, "HOME": str(home), "XDG_CACHE_HOME": str(home / "cache")}
    done = subprocess.run(command, cwd=clone, env=environment, check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return re.findall(r"Success - Main (.+?) \[", done.stdout)


def list_branches(clone: Path) -> list[str]:
    command = ["git", "for-each-ref", "--format=%(refname:lstrip=2)", "refs/heads/"]
    return subprocess.run(command, cwd=clone, check=True, capture_output=True, text=True).stdout.split()


def test_the_release_workflow_goes_from_the_tests_to_the_tags(image: str, clone: Path, tmp_path: Path) -> None:
    assert image  # its base image is there, which act names

    steps = rehearse(clone, "main", tmp_path)

    order = [
        "make lint test acceptance",
        "docker/build-push-action@",
        "uv publish",
        "release.py tag",
        "release.py draft",
    ]
    found = [next(number for number, step in enumerate(steps) if name in step) for name in order]
    assert found == sorted(found)
    assert found[-1] == len(steps) - 1


def test_nothing_is_released_from_another_branch(image: str, clone: Path, tmp_path: Path) -> None:
    assert image

    assert rehearse(clone, "topic", tmp_path) == []


def test_a_list_of_what_is_in_the_image_names_every_package_and_git(image: str, tmp_path: Path) -> None:
    """With Syft, which BuildKit's `sbom: true` runs as well."""
    archive, listed = tmp_path / "image.tar", tmp_path / "sbom.json"
    subprocess.run(["docker", "save", "--output", str(archive), image], check=True)
    command = ["docker", "run", "--rm", "--network", "none", "--entrypoint", "/opt/metricgate/bin/python", image]
    installed = json.loads(
        subprocess.run([*command, "-c", LIST_PACKAGES], check=True, capture_output=True, text=True).stdout
    )
    environment = {**os.environ, "SYFT_CHECK_FOR_APP_UPDATE": "false"}
    scan = [str(SYFT), "--quiet", f"docker-archive:{archive}", "--output", f"spdx-json={listed}"]
    subprocess.run(scan, env=environment, check=True, capture_output=True)

    packages = json.loads(listed.read_text(encoding="utf-8"))["packages"]
    found = {(normalize(package["name"]), package.get("versionInfo")) for package in packages}
    assert len(installed) > 100
    assert {(normalize(name), version) for name, version in installed.items()} - found == set()
    assert "git" in {name for name, _ in found}


def normalize(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()
