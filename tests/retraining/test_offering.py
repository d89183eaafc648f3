"""One pull request for a retrained model: never over somebody's work, and nothing lost or twice, whatever fails."""

from contextlib import suppress
from pathlib import Path

import pytest

from metricgate.errors import WorkspaceError
from metricgate.publish.github.response import GitHubError
from metricgate.publish.github.retrain_pull_request import TAKE_BACK
from metricgate.retraining.memory_ref import Remembered
from metricgate.retraining.offering import Offering
from metricgate.retraining.story import RetrainOutcome
from metricgate.settings.retrain import RetrainSpec
from tests.github.fake import FakeGitHub
from tests.github.faults import Fault, answer, html, reset
from tests.github.fixtures import MakeClient
from tests.github.state import LabelEvent
from tests.retraining.stage import BRANCH, KEY, REF, Stage, git


@pytest.fixture
def stage(fake_github: FakeGitHub, make_client: MakeClient, tmp_path: Path) -> Stage:
    return Stage.build(fake_github, make_client()[0], tmp_path)


def give_back(stage: Stage, login: str = "ann", permission: str = "write") -> None:
    stage.fake.collaborators[login] = permission
    stage.only.label_events.append(LabelEvent("labeled", TAKE_BACK, login, "2026-11-26T01:00:00Z"))


def test_a_model_is_offered_as_one_commit_and_one_pull_request(stage: Stage) -> None:
    stage.train()

    offer = stage.settle()

    request = stage.only
    assert offer.result == "offered"
    assert offer.head == request.head_sha == stage.head
    assert stage.list_changed() == ["dvc.lock", "metrics.json"]
    assert git(stage.folder / "origin.git", "rev-parse", f"{stage.head}^") == stage.fake.refs["refs/heads/main"]
    assert request.body.startswith(f"<!-- metricgate-retrain:default key={KEY} head={stage.head} -->\nthe report")
    assert request.labels == ["retrain"]
    assert sum("/graphql" in one for one in stage.fake.writes) == 1


@pytest.mark.acceptance
def test_the_same_offer_again_writes_nothing_that_people_see(stage: Stage) -> None:
    stage.train()
    stage.settle()
    before, seen = stage.head, len(stage.fake.writes)

    offer = stage.settle()

    assert offer.result == "offered"
    assert stage.head == before
    assert all("/git/" in one for one in stage.fake.writes[seen:]), "blobs and trees, which nobody sees"


@pytest.mark.parametrize("amend", [False, True])
def test_a_persons_commit_is_left_alone_and_that_is_said_once(stage: Stage, amend: bool) -> None:  # noqa: FBT001
    stage.train()
    stage.settle()
    theirs = stage.push(BRANCH, "metrics.json", "{}\n", *(("--amend",) if amend else ()))
    stage.train("2" * 64, "3\n")

    offers = [stage.settle(), stage.settle()]

    assert [offer.result for offer in offers] == ["edited", "edited"]
    assert stage.head == theirs
    assert theirs[:9] in offers[0].problem
    assert len(stage.only.comments) == 1
    assert TAKE_BACK in stage.only.comments[0].body


@pytest.mark.acceptance
@pytest.mark.parametrize(("permission", "result"), [("write", "offered"), ("read", "edited")])
def test_a_label_gives_the_branch_back_if_its_setter_may_write(stage: Stage, permission: str, result: str) -> None:
    stage.train()
    stage.settle()
    theirs = stage.push(BRANCH, "metrics.json", "{}\n")
    give_back(stage, permission=permission)

    offer = stage.settle()

    assert offer.result == result
    assert (stage.head == theirs) is (result == "edited")
    assert (TAKE_BACK in stage.only.labels) is (result == "edited")


def test_a_commit_between_reading_and_writing_is_not_lost(stage: Stage) -> None:
    stage.train()
    stage.settle()
    stage.train("2" * 64, "3\n")
    found: list[str] = []
    stage.fake.call_before("POST /graphql", lambda: found.append(stage.push(BRANCH, "README", "mine\n")))

    offer = stage.settle()

    assert offer.result == "edited"
    assert [stage.head] == found


def test_main_that_moved_elsewhere_gets_the_commit_on_its_new_head(stage: Stage) -> None:
    stage.train()
    stage.settle()
    moved = stage.push("main", "README", "2\n")

    offer = stage.settle()

    assert offer.result == "offered"
    assert git(stage.folder / "origin.git", "rev-parse", f"{stage.head}^") == moved
    assert stage.list_changed() == ["dvc.lock", "metrics.json"]
    assert stage.only.head_sha == stage.head


@pytest.mark.acceptance
@pytest.mark.parametrize("path", ["src/train.py", "dvc.lock"])
def test_main_that_moved_under_the_model_is_left_to_the_next_run(stage: Stage, path: str) -> None:
    stage.train()
    stage.push("main", path, "9\n")

    offer = stage.settle()

    assert offer.result == "moved"
    assert "the next run trains on that" in offer.problem
    assert stage.head is None
    assert stage.pull_requests == []


def test_two_runs_at_once_make_one_pull_request(stage: Stage) -> None:
    stage.train()
    results: list[str] = []

    def run_another() -> None:
        assert stage.fake.git
        stage.fake.git.date = "2026-11-26T00:00:01Z"  # in the same second, both would make the same commit
        results.append(stage.settle().result)

    stage.fake.call_before("POST /graphql", run_another)

    results.append(stage.settle().result)

    assert results == ["offered", "another_run"]
    assert stage.only.head_sha == stage.head


@pytest.mark.parametrize(("reasons", "state"), [(("forced",), "open"), (("new_data",), "closed")])
def test_what_a_person_asked_for_does_not_have_to_be_due(stage: Stage, reasons: tuple[str, ...], state: str) -> None:
    stage.train(reasons=reasons)
    stage.settle()

    stage.settle(obstacle="not_due", why_not="The source did not change.")

    assert stage.only.state == state


def test_another_set_up_has_a_branch_of_its_own(stage: Stage) -> None:
    assert RetrainSpec(branch="bots/model").name_branch("second") == "bots/model"
    stage.train()
    stage.settle()
    report = stage.report(stage.plan(obstacle="not_due"))
    outcome = RetrainOutcome(report=report, remembered=Remembered(), spec=stage.spec, checkout=stage.checkout)

    offer = Offering(
        client=stage.client, outcome=outcome, id="second", base="main", render=lambda _: "the report"
    ).settle()

    assert offer.result == "nothing"
    assert (stage.only.state, stage.only.comments) == ("open", [])


def test_a_memory_that_origin_refuses_is_an_error_that_names_the_right(stage: Stage) -> None:
    hook = stage.folder / "origin.git/hooks/pre-receive"
    hook.write_text("#!/bin/sh\nexit 1\n", encoding="utf-8")
    hook.chmod(0o755)

    with pytest.raises(WorkspaceError, match="could not be kept") as caught:
        stage.train()

    assert "contents: write" in str(caught.value.expected)


@pytest.mark.acceptance
def test_what_a_person_closed_is_not_offered_again(stage: Stage) -> None:
    stage.train()
    stage.settle()
    stage.only.state = "closed"

    assert stage.settle().result == "declined"
    assert len(stage.pull_requests) == 1

    stage.train("2" * 64, "3\n")

    assert stage.settle().result == "offered"
    assert [one.state for one in stage.pull_requests] == ["closed", "open"]


@pytest.mark.acceptance
def test_a_branch_that_was_merged_with_a_persons_commits_is_free_again(stage: Stage) -> None:
    stage.train()
    stage.settle()
    stage.push(BRANCH, "README", "theirs\n")
    stage.only.head_sha = stage.head or ""
    stage.fake.merge(stage.only.number)
    git(stage.work, "pull", "--quiet", "origin", "main")
    stage.train("2" * 64, "3\n")

    offer = stage.settle()

    assert offer.result == "offered"
    assert [one.state for one in stage.pull_requests] == ["closed", "open"]


@pytest.mark.acceptance
def test_an_offer_that_is_no_longer_due_is_closed_with_a_comment(stage: Stage) -> None:
    stage.train()
    stage.settle()

    results = [stage.settle(obstacle="not_due", why_not="The source did not change.").result for _ in range(2)]

    assert results == ["closed", "nothing"]
    assert stage.only.state == "closed"
    assert "The source did not change" in stage.only.comments[0].body
    assert stage.head is None
    assert stage.settle().result == "offered", "MetricGate closed it, nobody declined it"


@pytest.mark.acceptance
def test_an_edited_offer_that_is_no_longer_due_stays(stage: Stage) -> None:
    stage.train()
    stage.settle()
    theirs = stage.push(BRANCH, "README", "theirs\n")

    offer = stage.settle(obstacle="not_due", why_not="The source did not change.")

    assert offer.result == "edited"
    assert stage.only.state == "open"
    assert stage.head == theirs


def test_without_the_right_to_open_it_the_branch_stays_and_the_place_is_named(stage: Stage) -> None:
    stage.fake.may_create_pulls = False
    stage.train()

    offer = stage.settle()

    assert offer.result == "not_allowed"
    assert "Settings → Actions → General" in offer.problem
    assert offer.head == stage.head is not None

    stage.fake.may_create_pulls = True

    assert stage.settle().result == "offered"
    assert stage.only.head_sha == offer.head


@pytest.mark.acceptance
def test_a_protected_branch_is_an_error_that_names_the_reason(stage: Stage) -> None:
    stage.fake.protected = {BRANCH}
    stage.train()

    with pytest.raises(GitHubError, match="Protected branch"):
        stage.settle()

    assert stage.head is None


@pytest.mark.acceptance
def test_a_pull_request_that_a_person_opened_for_the_branch_keeps_its_words(stage: Stage) -> None:
    stage.fake.may_create_pulls = False
    stage.train()
    head = stage.settle().head
    stage.fake.open_pull_request(7, head, head_ref=BRANCH, title="My words", body="Look at this.")

    offer = stage.settle()

    assert offer.result == "offered"
    assert (stage.only.title, stage.only.body) == ("My words", "Look at this.")


@pytest.mark.acceptance
def test_other_labels_and_another_branch_are_used(stage: Stage) -> None:
    stage.spec = RetrainSpec(branch="bots/model", labels=("ml", "bot"))
    stage.train()

    stage.settle()

    assert stage.only.head_ref == "bots/model"
    assert stage.only.labels == ["ml", "bot"]
    assert REF not in stage.fake.refs


FAULTS: dict[str, list[Fault]] = {
    "refused": [answer(403, "Resource not accessible by integration")],
    "invalid": [answer(422, "Validation Failed")],
    "broken": [answer(500)] * 30,
    "silent, not done": [reset(written=False)] * 30,
    "silent, but done": [reset(written=True)],
    "a proxy's page": [html(502, written=True)],
}
STEPS = [
    "GET .*/pulls$",
    "GET .*/git/ref/heads/metricgate",
    "GET .*/git/ref/heads/main",
    "POST .*/git/blobs",
    "POST .*/git/trees",
    "POST .*/git/commits",
    "POST /graphql",
    "POST .*/pulls$",
    "POST .*/labels",
]


@pytest.mark.acceptance
@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("fault", FAULTS)
def test_whatever_fails_the_next_run_completes_it_once(stage: Stage, fault: str, step: str) -> None:
    stage.train()
    plan = stage.fake.fail(step, *FAULTS[fault])
    with suppress(GitHubError):
        stage.settle()
    assert plan.met, "the fault was never met"
    plan.faults.clear()

    offer = stage.settle()

    assert offer.result == "offered"
    assert stage.describe() == (["dvc.lock", "metrics.json"], "2", [("open", "Retrain the model", ["retrain"], 0)])
    assert stage.only.head_sha == stage.head
    assert stage.settle().head == offer.head
