"""The step after the action's: no check stays open because a process was killed."""

from pathlib import Path

import pytest
from ruamel.yaml import YAML

from metricgate.cli.post_step import close_check
from tests.github.fake import FakeGitHub
from tests.github.job import HEAD, Job, make_environ, make_report


def state_of(job: Job) -> dict[str, str]:
    lines = job.read("GITHUB_STATE").split("\n")
    return {f"STATE_{lines[0].split('<<')[0]}": lines[1]}


def test_a_check_left_in_progress_is_completed_as_a_failure(fake_github: FakeGitHub, job: Job) -> None:
    job.open().github.start()

    closed = close_check(make_environ(fake_github, job, **state_of(job)))

    [check] = fake_github.checks(HEAD)
    assert closed
    assert (check.status, check.conclusion, check.title) == (
        "completed",
        "failure",
        "The run ended without a verdict",
    )


def test_a_completed_check_is_left_alone(fake_github: FakeGitHub, job: Job) -> None:
    job.publish(make_report())
    fake_github.writes.clear()

    assert not close_check(make_environ(fake_github, job, **state_of(job)))
    assert fake_github.writes == []


@pytest.mark.parametrize("state", [{}, {"STATE_check-run": ""}, {"STATE_check-run": "../../1"}])
def test_without_a_check_there_is_nothing_to_do(fake_github: FakeGitHub, job: Job, state: dict[str, str]) -> None:
    assert not close_check(make_environ(fake_github, job, **state))
    assert fake_github.requests == []


def test_inputs_that_could_not_be_read_are_not_told_twice(fake_github: FakeGitHub, job: Job) -> None:
    environ = make_environ(fake_github, job, **{"STATE_check-run": "1", "INPUT_NO-SUCH": "x"})

    assert not close_check(environ)


def test_the_image_has_the_program_that_action_yml_names() -> None:
    root = Path(__file__).parents[2]
    action = YAML(typ="safe").load(root / "action.yml")

    program = action["runs"]["post-entrypoint"]

    dockerfile = (root / "Dockerfile").read_text(encoding="utf-8")
    assert f">{program} " in dockerfile
    assert f"chmod 755 {program}" in dockerfile
