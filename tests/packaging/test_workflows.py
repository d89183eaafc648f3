"""The workflows and policies that teams copy, and the project's own workflows."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from metricgate.settings.policy_file import read_policy

ROOT = Path(__file__).parents[2]
BIN = Path(sys.executable).parent
EXAMPLES = sorted((ROOT / "examples/workflows").glob("*.yml"))
WORKFLOWS = [*EXAMPLES, *sorted((ROOT / ".github/workflows").glob("*.yml"))]
POLICIES = sorted((ROOT / "examples/policies").glob("*.yaml"))
PINNED = re.compile(r"^\s*- uses: (?P<action>[^@\s]+)@(?P<revision>\S+)(?: # (?P<comment>.+))?$", re.MULTILINE)


def load(path: Path) -> Any:
    return YAML(typ="safe").load(path)


REUSABLE = ".github/workflows/gate.yml"
ACTION = load(ROOT / "action.yml")


def steps_of(workflow: Any) -> Iterator[dict[str, Any]]:
    for job in workflow["jobs"].values():
        yield from job.get("steps", ())


def is_ours(step: dict[str, Any]) -> bool:
    return str(step.get("uses", "")).startswith(("metricgate/metricgate@", f"metricgate/metricgate/{REUSABLE}@", "./"))


def run_tool(*command: str) -> None:
    done = subprocess.run([BIN / command[0], *command[1:]], cwd=ROOT, check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def test_workflows_keep_githubs_schema() -> None:
    run_tool("check-jsonschema", "--builtin-schema", "vendor.github-workflows", *map(str, WORKFLOWS))


@pytest.mark.parametrize(
    ("schema", "pattern"),
    [
        ("vendor.dependabot", "dependabot.yml"),
        ("vendor.github-issue-config", "ISSUE_TEMPLATE/config.yml"),
        ("vendor.github-issue-forms", "ISSUE_TEMPLATE/[!c]*.yml"),
    ],
)
def test_what_github_reads_keeps_its_schema(schema: str, pattern: str) -> None:
    files = sorted(map(str, (ROOT / ".github").glob(pattern)))

    assert files
    run_tool("check-jsonschema", "--builtin-schema", schema, *files)


def test_dependabot_watches_everything_that_is_pinned() -> None:
    updates = {
        entry["package-ecosystem"]: entry["directory"] for entry in load(ROOT / ".github/dependabot.yml")["updates"]
    }

    assert updates == {"github-actions": "/", "docker": "/", "pip": "/requirements"}


def test_the_action_keeps_githubs_schema() -> None:
    run_tool("check-jsonschema", "--builtin-schema", "vendor.github-actions", "action.yml")


def test_actionlint_finds_nothing() -> None:
    run_tool("actionlint", "-config-file", ".github/actionlint.yaml", *map(str, WORKFLOWS))


def test_zizmor_finds_nothing() -> None:
    run_tool(
        "zizmor",
        "--offline",
        "--config",
        ".github/zizmor.yml",
        *map(str, WORKFLOWS),
        "action.yml",
        ".github/dependabot.yml",
    )


def test_every_other_action_is_pinned_by_one_full_sha_with_its_version() -> None:
    pins: dict[str, set[tuple[str, str]]] = {}
    for path in WORKFLOWS:
        for match in PINNED.finditer(path.read_text(encoding="utf-8")):
            if not match["action"].startswith(("metricgate/", "./")):
                pins.setdefault(match["action"], set()).add((match["revision"], match["comment"] or ""))

    assert "actions/checkout" in pins
    for action, found in pins.items():
        assert len(found) == 1, f"{action} is pinned in several ways: {found}"
        revision, comment = next(iter(found))
        assert re.fullmatch(r"[0-9a-f]{40}", revision), action
        assert re.fullmatch(r"v\d+\.\d+\.\d+", comment), action


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_an_example_uses_inputs_that_exist_and_starts_without_permissions(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    workflow = load(path)
    ours = [step for step in (*steps_of(workflow), *workflow["jobs"].values()) if is_ours(step)]
    given = {name for step in ours for name in step.get("with", {})}
    given |= {name.lower() for name in re.findall(r"^ +INPUT_([A-Z-]+):", text, re.MULTILINE)}

    assert ours or "-m metricgate action" in text
    assert given <= set(ACTION["inputs"])
    assert workflow["permissions"] == {}
    assert text.startswith("# ")
    assert all("permissions" in job for job in workflow["jobs"].values())


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_an_example_never_gives_repository_code_the_rights_of_the_default_branch(path: Path) -> None:
    workflow = load(path)
    triggers = set(workflow["on"] if "on" in workflow else workflow[True])

    assert "pull_request_target" not in triggers
    if "workflow_run" in triggers:
        assert all(step["with"]["mode"] == "publish" for step in steps_of(workflow))


@pytest.mark.parametrize("path", POLICIES, ids=lambda path: path.stem)
def test_an_example_policy_is_valid(path: Path) -> None:
    policy = read_policy(path.read_text(encoding="utf-8"), origin=path.name)

    assert policy.gates


def test_the_reusable_workflow_judges_without_a_right_to_write_and_publishes_without_repository_code() -> None:
    jobs = load(ROOT / REUSABLE)["jobs"]
    judging, publishing = jobs["judge"], jobs["publish"]

    assert set(judging["permissions"].values()) == {"read"}
    assert [step["uses"].split("@")[0] for step in publishing["steps"]] == ["metricgate/metricgate"]
    assert publishing["steps"][0]["with"]["mode"] == "publish"
    upload = judging["steps"][-1]["with"]
    assert upload["name"] == publishing["steps"][0]["with"]["artifact"]
    assert {name for step in steps_of({"jobs": jobs}) if is_ours(step) for name in step["with"]} <= set(
        ACTION["inputs"]
    )
    assert jobs["store"]["if"] == "github.event_name == 'push'"
    assert "push" in judging["if"]


def test_the_reusable_workflow_gives_its_callers_secrets_to_the_jobs_that_report() -> None:
    workflow = load(ROOT / REUSABLE)
    declared = set((workflow["on"] if "on" in workflow else workflow[True])["workflow_call"]["secrets"])
    taken = {
        name: {
            key: found[1]
            for key, value in (given for step in job["steps"] if is_ours(step) for given in step["with"].items())
            if (found := re.fullmatch(r"\$\{\{ secrets\.(\w+) \}\}", str(value)))
        }
        for name, job in workflow["jobs"].items()
    }
    mlflow = {f"mlflow-{name}": f"MLFLOW_{name.upper()}" for name in ("uri", "token", "username", "password")}

    assert taken["judge"] == {}
    assert taken["store"] == taken["publish"] | {"pushgateway": "PUSHGATEWAY"}
    assert mlflow.items() <= taken["publish"].items()
    assert declared == {*taken["store"].values(), "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"}


def test_a_caller_grants_what_the_jobs_of_the_reusable_workflow_ask_for() -> None:
    jobs = load(ROOT / REUSABLE)["jobs"].values()
    needed = {(name, level) for job in jobs for name, level in job["permissions"].items()}
    written = {name for name, level in needed if level == "write"}
    (caller,) = load(ROOT / "examples/workflows/reusable.yml")["jobs"].values()

    granted = set(caller["permissions"].items())
    assert {(name, level) for name, level in needed if level == "write" or name not in written} == granted


def test_policies_that_workflows_name_exist() -> None:
    named = {
        name for path in EXAMPLES for name in re.findall(r"examples/policies/[\w-]+\.yaml", path.read_text("utf-8"))
    }

    assert named
    assert all((ROOT / name).is_file() for name in named)


def test_every_input_is_used_by_an_expression_only_if_it_is_declared() -> None:
    text = (ROOT / "action.yml").read_text(encoding="utf-8")

    assert set(re.findall(r"inputs\.([\w-]+)", text)) <= set(ACTION["inputs"])


def find_run(path: Path, name: str) -> str:
    (step,) = (step for step in steps_of(load(path)) if step.get("name") == name)
    return str(step["run"])


@pytest.fixture
def merged(tmp_path: Path) -> tuple[Path, str]:
    """Return a checkout of refs/pull/N/merge with depth 2, and the head commit of that pull request."""

    def git(*arguments: str, cwd: Path = tmp_path / "origin") -> str:
        identity = ("-c", "user.name=Ann", "-c", "user.email=ann@example.org")
        done = subprocess.run(["git", *identity, *arguments], cwd=cwd, check=True, capture_output=True, text=True)
        return done.stdout.strip()

    (tmp_path / "origin").mkdir()
    git("init", "--quiet", "--initial-branch=main")
    git("commit", "--quiet", "--allow-empty", "--message=base")
    git("switch", "--quiet", "--create=topic")
    git("commit", "--quiet", "--allow-empty", "--message=change")
    head = git("rev-parse", "HEAD")
    git("switch", "--quiet", "main")
    git("merge", "--quiet", "--no-ff", "--no-edit", "topic")
    git("update-ref", "refs/pull/7/merge", "HEAD")
    clone = tmp_path / "clone"
    clone.mkdir()
    git("init", "--quiet", cwd=clone)
    git("fetch", "--quiet", "--depth=2", (tmp_path / "origin").as_uri(), "refs/pull/7/merge", cwd=clone)
    git("checkout", "--quiet", "FETCH_HEAD", cwd=clone)
    return clone, head


@pytest.mark.parametrize("reviewed", ["same", "older", "short", "$(touch pwned)", ""])
def test_the_approved_workflow_refuses_a_head_that_was_not_reviewed(merged: tuple[Path, str], reviewed: str) -> None:
    clone, head = merged
    given = {"same": head, "older": "0" * 40, "short": head[:12]}.get(reviewed, reviewed)
    script = find_run(ROOT / "examples/workflows/forks-approved.yml", "Refuse a commit that was not reviewed")
    environment = {**os.environ, "REVIEWED": given}
    command = ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", script]
    done = subprocess.run(command, cwd=clone, env=environment, check=False, capture_output=True, text=True)

    assert done.returncode == (0 if reviewed == "same" else 1), done.stderr
    assert ("::error::" in done.stdout) == (reviewed != "same")
    assert not (clone / "pwned").exists()


def test_the_approved_workflow_checks_the_commit_before_there_are_credentials() -> None:
    workflow = load(ROOT / "examples/workflows/forks-approved.yml")
    names = [str(step.get("name", step.get("uses"))).split("@")[0] for step in steps_of(workflow)]

    assert names.index("Refuse a commit that was not reviewed") < names.index("aws-actions/configure-aws-credentials")
    assert "${{ secrets." not in (ROOT / "examples/workflows/forks-approved.yml").read_text(encoding="utf-8")


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_no_certificate_comes_from_the_pull_request(path: Path) -> None:
    named = [
        str(value)
        for step in steps_of(load(path))
        for name, value in step.get("env", {}).items()
        if re.search(r"CA_?(BUNDLE|INFO|FILE)|CERT", name)
    ]

    assert [value for value in named if not value.startswith("${{ runner.temp }}/")] == []
    assert named or path.stem != "enterprise-server"


def test_the_action_names_what_the_image_starts() -> None:
    """A Kubernetes runner refuses a container action without an entry point: it replaces the image's own."""
    runs = ACTION["runs"]
    text = (ROOT / "Dockerfile").read_text(encoding="utf-8")

    assert f"ENTRYPOINT {json.dumps([runs['entrypoint'], *runs['args']])}" in text
    assert f">{runs['post-entrypoint']} \\" in text


def test_the_marketplace_can_list_the_action() -> None:
    branding = ACTION["branding"]

    assert len(ACTION["description"]) <= 125
    assert (branding["icon"], branding["color"]) == ("git-pull-request", "green")
    assert [path.name for path in ROOT.glob("action.y*ml")] == ["action.yml"]


def test_the_scanner_sees_every_locked_package(tmp_path: Path) -> None:
    """Syft, on which the scan builds, reads a list of packages only under a name that it knows."""
    (tmp_path / "requirements").mkdir()
    locks = {name: (ROOT / f"requirements/{name}.txt").read_text(encoding="utf-8") for name in ("dev", "image")}
    for name, text in locks.items():
        (tmp_path / f"requirements/{name}.txt").write_text(text, encoding="utf-8")
    workflow = load(ROOT / ".github/workflows/security.yml")
    (line,) = (step["run"] for step in workflow["jobs"]["locks"]["steps"] if "run" in step)
    (scanned,) = (step["with"]["path"] for step in steps_of(workflow) if "path" in step.get("with", {}))

    subprocess.run(["bash", "-e", "-c", line], cwd=tmp_path, check=True)
    scan = [str(BIN / "syft"), "--quiet", f"dir:{tmp_path / scanned}", "--output", "json"]
    environment = {**os.environ, "SYFT_CHECK_FOR_APP_UPDATE": "false"}
    done = subprocess.run(scan, env=environment, check=True, capture_output=True, text=True)

    found = {(one["name"], one["version"]) for one in json.loads(done.stdout)["artifacts"]}
    assert found == {
        pair for text in locks.values() for pair in re.findall(r"^([\w.-]+)==([^\s;]+)", text, re.MULTILINE)
    }
