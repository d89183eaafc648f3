"""`metricgate run` in a plain clone, as in a terminal, Jenkins or GitLab CI, and what it shares with the action."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from metricgate.demo.project import MAIN
from tests.churn import Churn

# The names that places give to commits, how long it took, and where the run can be repeated.
OF_THE_PLACE = {"timing", "cost", "reproduce", "policy_origin"}
REVISIONS = ("baseline", "candidate")
STAGES = ("baseline_stages", "candidate_stages")


@dataclass(frozen=True, kw_only=True)
class LaptopRun:
    """What `metricgate run` left behind."""

    exit_code: int
    output: str
    report: Mapping[str, Any]


def copy_for_a_laptop(churn: Churn, folder: Path) -> Churn:
    """Clone the candidate's branch from an origin whose default branch is main; its DVC remote is a copy.

    Whatever the action pushes cannot help the laptop.
    """
    remote = shutil.copytree(churn.remote, folder / "dvc-remote")
    clone = replace(churn, remote=remote).clone(folder / "laptop")
    clone.git("remote", "set-head", "origin", MAIN)
    clone.use_remote(remote)
    return clone


def run_on_a_laptop(clone: Churn, *options: str) -> LaptopRun:
    """Run the gate as a person does, or a script of Jenkins or GitLab."""
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    done = subprocess.run(
        [sys.executable, "-m", "metricgate", "run", *options],
        cwd=clone.repository,
        env=os.environ | {"PATH": path},
        check=False,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    report = clone.repository / "metricgate-report/report.json"
    assert report.is_file(), done.stdout
    return LaptopRun(
        exit_code=done.returncode, output=done.stdout, report=json.loads(report.read_text(encoding="utf-8"))
    )


def drop_place(report: Mapping[str, Any]) -> dict[str, Any]:
    """Return the report without what says where and when it was made; all that was found, and decided, stays."""
    found = {key: value for key, value in report.items() if key not in OF_THE_PLACE}
    for key in REVISIONS:
        found[key] = report[key] and {name: report[key][name] for name in ("revision", "dirty", "source")}
    for key in STAGES:
        found[key] = [(stage["name"], stage["state"]) for stage in report[key]]
    return found
