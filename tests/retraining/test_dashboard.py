"""The dashboard: what people read, whose ticks count, and where to go back to when main fails."""

from datetime import UTC, datetime
from typing import Any

import pytest

from metricgate.models.retraining import Retraining, RetrainReason
from metricgate.publish.github.dashboard import Dashboard
from metricgate.publish.github.good_commit import GoodCommit, find_good_commit
from metricgate.retraining.dashboard import render_dashboard
from metricgate.retraining.memory import Memory, Training
from tests.github.fake import FakeGitHub
from tests.github.fixtures import MakeClient
from tests.github.state import CheckRun

DUE = Retraining(reasons=(RetrainReason(kind="age", text="the released model is 100 days old; 90 days are allowed"),))
BOX = "- [ ] <!-- metricgate-do:train -->"


def make_memory(*, helped: bool, number: int | None = None) -> Memory:
    training = Training(
        key="1" * 64,
        at=datetime(2026, 11, 26, tzinfo=UTC),
        model="a",
        reasons=("new_data",),
        verdict="failed",
        headline="accuracy is lower | <b>",
        helped=helped,
        number=number,
    )
    return Memory(trainings=(training,))


@pytest.mark.parametrize(
    ("changes", "offered", "headline"),
    [
        ({"reasons": (), "obstacle": "not_due"}, None, "## Not due"),
        ({"obstacle": "approval"}, None, "## Due, and waiting for approval"),
        ({"obstacle": "frozen"}, None, "## Due, and frozen"),
        ({"obstacle": "cooldown"}, None, "## Retraining did not help"),
        ({"obstacle": "tried"}, None, "## Retraining did not help"),
        ({"obstacle": "tried"}, 12, "## A retrained model waits for review: #12"),
        ({"helped": False}, None, "## Retraining did not help"),
    ],
)
def test_the_first_line_says_where_things_stand(changes: dict[str, Any], offered: int | None, headline: str) -> None:
    text = render_dashboard(DUE.model_copy(update=changes), make_memory(helped=False), offered=offered)

    assert text.startswith(f"{headline}\n")
    assert ("metricgate-do:approve" in text) is (changes.get("obstacle") == "approval")
    assert BOX in text


def test_trainings_are_listed_with_their_pull_requests_and_nothing_in_them_is_markup() -> None:
    text = render_dashboard(DUE, make_memory(helped=True, number=7), offered=None)

    [row] = [line for line in text.splitlines() if "2026-11-26" in line]
    assert row.startswith("| ✅ | 2026-11-26 | new data | accuracy is lower &#124; &#60;b&#62;")
    assert row.endswith("(#7) |")


def test_when_main_fails_it_names_the_last_good_commit_and_the_commands_back() -> None:
    back = GoodCommit(failing="f" * 40, good="a" * 40, undone=2)

    text = render_dashboard(DUE, Memory(), offered=None, back=back)

    assert "The last commit whose gate passed is `aaaaaaaaa`; going back to it undoes 2 commits" in text
    assert "git restore --source=aaaaaaaaaaaa --staged --worktree :/\n" in text


@pytest.mark.parametrize(
    ("conclusions", "good"),
    [
        (["success", "success"], None),
        (["failure", "", "neutral", "success"], 3),
        (["failure", "failure"], None),
        (["", "success"], None),
    ],
)
def test_the_last_commit_that_passed_is_found_behind_those_that_did_not(
    fake_github: FakeGitHub, make_client: MakeClient, conclusions: list[str], good: int | None
) -> None:
    shas = [f"{number:040x}" for number in range(1, len(conclusions) + 1)]
    fake_github.history = ["main", *shas]
    for number, (sha, conclusion) in enumerate(zip(shas, conclusions, strict=True)):
        if conclusion:
            fake_github.check_runs.append(CheckRun(number, "MetricGate", sha, "completed", conclusion))
    fake_github.history = shas

    found = find_good_commit(make_client()[0], shas[0], "MetricGate")

    assert (found.good if found else None) == (shas[good] if good is not None else None)
    if found:
        assert found.undone == good


@pytest.mark.parametrize(("login", "counts"), [("ann", True), ("eve", False), ("", False)])
def test_a_tick_counts_only_from_someone_who_may_write(
    fake_github: FakeGitHub,
    make_client: MakeClient,
    login: str,
    counts: bool,  # noqa: FBT001
) -> None:
    fake_github.collaborators = {"ann": "write", "eve": "read"}
    client, _ = make_client()
    dashboard = Dashboard(client, "default")
    dashboard.put(None, title="MetricGate: retraining", text=f"{BOX} Train now")
    [issue] = fake_github.issues.values()
    issue.body, issue.editor = issue.body.replace("[ ]", "[x]"), login or None

    commands = dashboard.read_commands(dashboard.find())

    assert commands.asked == (frozenset({"train"}) if counts else frozenset())
    assert bool(commands.refused) is not counts


def test_a_dashboard_that_a_person_closed_stays_closed(fake_github: FakeGitHub, make_client: MakeClient) -> None:
    client, _ = make_client()
    dashboard = Dashboard(client, "default")
    dashboard.put(None, title="MetricGate: retraining", text="one")
    [issue] = fake_github.issues.values()
    issue.state = "closed"

    assert dashboard.put(dashboard.find(), title="MetricGate: retraining", text="two") == ""
    assert [one.body for one in fake_github.issues.values()] == [issue.body]
    assert "two" not in issue.body
