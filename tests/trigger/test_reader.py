"""The trigger: one row for each way a run starts."""

from collections.abc import Mapping
from typing import Any

import pytest

from metricgate.errors import ConfigurationError
from metricgate.trigger import PullRequest, Trigger, TriggerKind, WorkflowRun, read_trigger

HEAD, BASE, MERGE, ZEROS = "a" * 40, "b" * 40, "c" * 40, "0" * 40
REPOSITORY = {"full_name": "acme/churn", "default_branch": "main"}


def make_environ(event: str, **changes: str) -> dict[str, str]:
    return {
        "GITHUB_ACTIONS": "true",
        "GITHUB_EVENT_NAME": event,
        "GITHUB_REPOSITORY": "acme/churn",
        "GITHUB_SHA": MERGE,
        "GITHUB_REF": "refs/heads/main",
        "GITHUB_RUN_ID": "42",
        "GITHUB_SERVER_URL": "https://github.example",
        "GITHUB_API_URL": "https://github.example/api/v3",
        **changes,
    }


def make_pull_request(**head: Any) -> dict[str, Any]:
    return {
        "number": 7,
        "head": {"sha": HEAD, "ref": "topic", "repo": {"full_name": "acme/churn"}, **head},
        "base": {"sha": BASE, "ref": "main", "repo": REPOSITORY},
        "draft": False,
        "body": None,
        "labels": [{"name": "metricgate: accept"}],
    }


def make_trigger(kind: TriggerKind, **changes: Any) -> Trigger:
    common = {
        "sha": MERGE,
        "report_sha": MERGE,
        "ref": "refs/heads/main",
        "repository": "acme/churn",
        "default_branch": "main",
        "run_id": 42,
        "run_url": "https://github.example/acme/churn/actions/runs/42",
        "server_url": "https://github.example",
        "api_url": "https://github.example/api/v3",
    }
    return Trigger(kind=kind, **{**common, **changes})


PULL_REQUEST = PullRequest(
    number=7,
    head_sha=HEAD,
    head_ref="topic",
    head_repository="acme/churn",
    base_sha=BASE,
    base_ref="main",
    labels=("metricgate: accept",),
)


@pytest.mark.parametrize(
    ("name", "event", "expected"),
    [
        (
            "pull_request",
            {"pull_request": make_pull_request()},
            make_trigger(TriggerKind.PULL_REQUEST, report_sha=HEAD, pull_request=PULL_REQUEST),
        ),
        (
            "merge_group",
            {
                "merge_group": {
                    "base_sha": BASE,
                    "head_sha": MERGE,
                    "head_ref": "refs/heads/gh-readonly-queue/main/pr-7",
                }
            },
            make_trigger(TriggerKind.MERGE_GROUP, merge_group_base=BASE),
        ),
        ("push", {"before": BASE, "after": MERGE}, make_trigger(TriggerKind.PUSH, before=BASE)),
        ("push", {"before": ZEROS, "after": MERGE}, make_trigger(TriggerKind.PUSH, before=None)),
        ("schedule", {"schedule": "0 4 * * *"}, make_trigger(TriggerKind.SCHEDULE)),
        ("workflow_dispatch", {"inputs": {}}, make_trigger(TriggerKind.MANUAL)),
    ],
)
def test_each_event_becomes_its_trigger(name: str, event: Mapping[str, Any], expected: Trigger) -> None:
    assert read_trigger(make_environ(name), {**event, "repository": REPOSITORY}) == expected


def test_outside_of_github_the_run_is_local() -> None:
    assert read_trigger({"GITHUB_EVENT_NAME": "push"}, None) == Trigger(kind=TriggerKind.LOCAL)


@pytest.mark.parametrize("repo", [{"full_name": "mallory/churn"}, None])
def test_another_repository_or_a_deleted_one_is_a_fork(repo: object) -> None:
    event = {"pull_request": make_pull_request(repo=repo), "repository": REPOSITORY}

    assert read_trigger(make_environ("pull_request"), event).is_fork


def test_a_publishing_job_answers_for_the_run_before_it() -> None:
    run = {
        "id": 41,
        "event": "pull_request",
        "head_sha": HEAD,
        "head_branch": "topic",
        "head_repository": {"full_name": "mallory/churn"},
    }
    environ = make_environ("workflow_run", INPUT_MODE="publish")

    trigger = read_trigger(environ, {"workflow_run": run, "repository": REPOSITORY})

    assert trigger.report_sha == HEAD
    assert trigger.is_fork
    assert trigger.workflow_run == WorkflowRun(
        run_id=41, event="pull_request", head_sha=HEAD, head_branch="topic", head_repository="mallory/churn"
    )


@pytest.mark.parametrize(
    ("name", "mode"),
    [("pull_request_target", "run"), ("pull_request_target", "publish"), ("workflow_run", ""), ("workflow_run", "run")],
)
def test_privileged_events_that_would_run_repository_code_are_refused_with_the_right_set_up(
    name: str, mode: str
) -> None:
    with pytest.raises(ConfigurationError, match=name) as caught:
        read_trigger(make_environ(name, INPUT_MODE=mode), {"pull_request": make_pull_request()})

    assert "with: {mode: publish}" in caught.value.fix


@pytest.mark.parametrize("name", ["issue_comment", "release", "", "local"])
def test_an_unknown_event_is_an_error(name: str) -> None:
    with pytest.raises(ConfigurationError, match="GITHUB_EVENT_NAME"):
        read_trigger(make_environ(name), {})


@pytest.mark.parametrize(
    ("event", "field"),
    [
        ({}, "pull_request.pull_request"),
        ({"pull_request": {**make_pull_request(), "number": "7"}}, "pull_request.pull_request.number"),
        ({"pull_request": make_pull_request(sha="main")}, "pull_request.pull_request.head.sha"),
        ({"pull_request": {**make_pull_request(), "labels": ["x"]}}, "pull_request.pull_request.labels"),
    ],
)
def test_a_payload_that_is_not_githubs_is_an_error_that_names_the_field(event: dict[str, Any], field: str) -> None:
    with pytest.raises(ConfigurationError, match=field.replace(".", r"\.") + r" \(GITHUB_EVENT_PATH\)"):
        read_trigger(make_environ("pull_request"), event)
