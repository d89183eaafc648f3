"""`metricgate doctor` on what is watched: silent where nothing is, and every gap has its cure."""

import subprocess
from pathlib import Path

import pytest

from metricgate.revisions.checkout import Checkout
from metricgate.settings.policy_file import read_policy
from metricgate.starter.checkup_finding import Level
from metricgate.starter.monitor_checkup import examine_monitoring

WORKFLOW = """\
on: {{schedule: [{{cron: "0 5 * * 1"}}]}}
jobs:
  monitor:
    runs-on: ubuntu-latest
    permissions: {{contents: {contents}, issues: {issues}}}
    steps:
      - uses: metricgate/metricgate@v1
        with: {{mode: {mode}}}
"""
MONITOR = "monitor: {current: fresh.csv, reference: old.csv, issue: true}\n"


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    who = ("-c", "user.name=ann", "-c", "user.email=ann@example.org")
    for command in (["init", "--quiet"], [*who, "commit", "--quiet", "--allow-empty", "-m", "x"]):
        subprocess.run(["git", *command], cwd=tmp_path, check=True)
    return Checkout.open(tmp_path)


@pytest.mark.parametrize(
    ("policy", "workflow", "said"),
    [
        ("gates: []\n", {"mode": "run"}, []),
        (MONITOR, {"mode": "run"}, [(Level.NOTICE, "no workflow runs `mode: monitor`")]),
        (MONITOR, {"contents": "read"}, [(Level.NOTICE, "does not grant `contents: write`: earlier runs")]),
        (MONITOR, {"issues": "read"}, [(Level.NOTICE, "does not grant `issues: write`: no issue is kept")]),
        (MONITOR, {}, [(Level.FINE, "GitHub ends schedules after 60 days")]),
        ("gates: []\n", {}, [(Level.BROKEN, "the policy has no section `monitor:`")]),
        ("monitor: {current: f.csv}\n", {}, [(Level.BROKEN, "names no reference"), (Level.FINE, "60 days")]),
    ],
)
def test_section_and_workflow_are_held_against_each_other(
    checkout: Checkout, policy: str, workflow: dict[str, str], said: list[tuple[Level, str]]
) -> None:
    file = checkout.top / ".github/workflows/monitor.yml"
    file.parent.mkdir(parents=True)
    usual = {"mode": "monitor", "contents": "write", "issues": "write"}
    file.write_text(WORKFLOW.format(**{**usual, **workflow}), encoding="utf-8")

    findings = list(examine_monitoring(checkout, read_policy(policy, origin="metricgate.yaml")))

    assert [one.level for one in findings] == [level for level, _ in said]
    assert all(words in one.what for one, (_, words) in zip(findings, said, strict=True))
