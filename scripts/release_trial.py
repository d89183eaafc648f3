"""Run what a release will publish, as its users will run it.

release_trial.py package WHAT VERSION     README's first command, then init and compare, from WHAT: a wheel, a source
                                          distribution, or metricgate==X.Y.Z from the index; needs uv
release_trial.py image REFERENCE VERSION  the action on the demo's pull request, as GitHub's runner starts it; needs docker

This script uses only the standard library: it must not find the program in the checkout.
"""

import json
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

BLOCKED = "Blocked: ROC AUC is 0.0"  # the demo's pull request; the last digit depends on scikit-learn
WORKSPACE = "/github/workspace"
OUTPUT = "/github/file_commands/output"
MAIN, BRANCH = "main", "bigger-trees"


class TrialError(Exception):
    """A command of the release did not do what its users expect."""


def main(arguments: Sequence[str]) -> int:
    with tempfile.TemporaryDirectory() as name:
        try:
            match arguments:
                case ["package", what, version]:
                    try_package(what, version, Path(name))
                case ["image", reference, version]:
                    try_image(reference, version, Path(name))
                case _:
                    print(__doc__, file=sys.stderr)
                    return 2
        except TrialError as error:
            print(f"::error::{error}" if os.environ.get("GITHUB_ACTIONS") else error, file=sys.stderr)
            return 1
    return 0


def try_package(what: str, version: str, folder: Path) -> None:
    source = str(Path(what).absolute()) if Path(what).exists() else what
    command = ["uv", "tool", "run", "--python", sys.executable, "--from", source, "metricgate"]
    expect([*command, "--version"], folder, version)
    expect([*command, "demo", "demo"], folder, BLOCKED)
    project = folder / "demo/churn"
    expect_file(project / "metricgate-report/report.html")
    (project / "metricgate.yaml").unlink()
    expect([*command, "init"], project, "metricgate doctor")
    expect_file(project / "metricgate.yaml")
    expect_file(project / ".github/workflows/metricgate.yml")
    write_predictions(folder / "better.csv", wrong=20)
    write_predictions(folder / "worse.csv", wrong=80)
    expect([*command, "compare", "better.csv", "worse.csv"], folder, "Blocked: accuracy", code=1)


def write_predictions(path: Path, *, wrong: int) -> None:
    rows = [f"{number},{number % 2},{(number + (number < wrong)) % 2}" for number in range(400)]
    path.write_text("\n".join(["id,label,prediction", *rows, ""]), encoding="utf-8")


def try_image(reference: str, version: str, folder: Path) -> None:
    """Pull the image, let it create the demo, and run the action on the demo's pull request."""
    expect(["docker", "pull", reference], folder, "sha256:")
    folder.chmod(0o755)
    demo = ["docker", "run", "--rm", "--volume", f"{folder}:{folder}", "--workdir", str(folder)]
    expect([*demo, "--entrypoint", "metricgate", reference, "--version"], folder, version)
    expect([*demo, "--entrypoint", "metricgate", reference, "demo", "demo"], folder, BLOCKED)
    project, workspace = folder / "demo/churn", folder / "workspace"
    # As after a checkout: no data, no cache. Git takes the ownership of the demo from its files: they are root's.
    git = ["git", "-c", "safe.directory=*", "-c", "user.name=trial", "-c", "user.email=trial@localhost"]
    expect([*git, "clone", "--quiet", str(project), str(workspace)], folder)
    for branch in (MAIN, BRANCH):
        expect([*git, "switch", "--quiet", branch], workspace)
        install_nothing(workspace / "metricgate.yaml")
        expect([*git, "commit", "--quiet", "--all", "--message", "Use the image's own packages"], workspace)
    shas = {name: expect([*git, "rev-parse", name], workspace).strip() for name in (MAIN, BRANCH)}
    (folder / "commands").mkdir()
    (folder / "commands/output").touch()
    (folder / "event.json").write_text(json.dumps(describe_event(shas)), encoding="utf-8")
    command = ["docker", "run", "--rm", "--workdir", WORKSPACE]
    for key, value in describe_job(shas).items():
        command += ["--env", f"{key}={value}"]
    mounts = {
        workspace: WORKSPACE,
        folder / "commands": Path(OUTPUT).parent,
        folder / "event.json": "/github/event.json",
    }
    for path, target in {**mounts, folder / "demo/dvc-remote": folder / "demo/dvc-remote"}.items():
        command += ["--volume", f"{path}:{target}"]
    expect([*command, reference], folder, BLOCKED, code=1)
    outputs = (folder / "commands/output").read_text(encoding="utf-8")
    if "verdict=failed" not in outputs and "\nfailed\n" not in outputs:
        raise TrialError(f"{reference} set no output verdict=failed, but: {outputs}")
    # Part of what the container wrote is root's, and no one else could remove it.
    expect([*demo, "--entrypoint", "rm", reference, "-rf", str(folder / "demo"), str(workspace)], folder)


def install_nothing(policy: Path) -> None:
    """Take the requirements out of the demo's policy: the trial asks for no package index in the container."""
    text = policy.read_text(encoding="utf-8")
    kept = re.sub(r"^pipeline:\n  requirements: .*\n", "", text, flags=re.MULTILINE)
    if kept == text:
        raise TrialError(f"{policy.name} of the demo names no requirements for the stages")
    policy.write_text(kept, encoding="utf-8")


def describe_event(shas: Mapping[str, str]) -> dict[str, object]:
    repository = {"full_name": "acme/churn", "default_branch": MAIN}
    head = {"ref": BRANCH, "sha": shas[BRANCH], "repo": repository}
    base = {"ref": MAIN, "sha": shas[MAIN], "repo": repository}
    pull_request = {"number": 1, "draft": False, "body": "", "labels": [], "head": head, "base": base}
    return {"action": "synchronize", "number": 1, "pull_request": pull_request, "repository": repository}


def describe_job(shas: Mapping[str, str]) -> dict[str, str]:
    """Return the variables of a job that may publish nothing: the verdict is the exit code and the output."""
    inputs = {"INPUT_COMMENT": "never", "INPUT_CHECK": "none", "INPUT_CHARTS": "none", "INPUT_MODE": "run"}
    return inputs | {
        "GITHUB_ACTIONS": "true",
        "GITHUB_EVENT_NAME": "pull_request",
        "GITHUB_EVENT_PATH": "/github/event.json",
        "GITHUB_OUTPUT": OUTPUT,
        "GITHUB_REF": "refs/pull/1/merge",
        "GITHUB_REPOSITORY": "acme/churn",
        "GITHUB_SHA": shas[BRANCH],
        "GITHUB_WORKSPACE": WORKSPACE,
    }


def expect_file(path: Path) -> None:
    if not path.is_file():
        raise TrialError(f"{path.name} was not written to {path.parent}")


def expect(command: Sequence[str], folder: Path, text: str = "", *, code: int = 0) -> str:
    """Return what a command prints, which must hold ``text``; it must end with exit code ``code``."""
    print(f"$ {' '.join(command)}", flush=True)
    done = subprocess.run(command, cwd=folder, check=False, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    print(done.stdout, flush=True)
    if done.returncode != code:
        raise TrialError(f"`{' '.join(command)}` ended with exit code {done.returncode}, not {code}")
    if text not in done.stdout:
        raise TrialError(f"`{' '.join(command)}` did not print {text!r}")
    return done.stdout


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
