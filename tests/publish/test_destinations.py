"""What every destination promises (publish/interface.py), for each one that is registered."""

from dataclasses import dataclass
from pathlib import Path

import pytest

from metricgate.models.outcome import Verdict
from metricgate.publish.announcements import Announcements
from metricgate.publish.files import write_report
from metricgate.publish.github.destination import GitHubDestination
from metricgate.publish.github.issue_destination import IssueDestination
from metricgate.publish.interface import Delivery, Destination, Event, Notice
from metricgate.publish.publication import AT_LEAST_S, WITHIN_S
from metricgate.publish.runner import Runner
from metricgate.report.value import Report
from tests.github.fake import FakeGitHub
from tests.github.faults import answer
from tests.github.fixtures import fake_github
from tests.github.job import HEAD, PUSH, Job, ask, make_gate, make_report

__all__ = ["fake_github"]

EARLIER = Notice("an earlier destination's notice")


@dataclass(frozen=True)
class Case:
    """One destination in a job, what it shows, and how to break what it writes to."""

    kind: type[Destination]
    job: Job
    fake: FakeGitHub

    def open(self) -> Destination:
        about = PUSH if self.kind is IssueDestination else {}
        (destination,) = (one for one in self.job.open(**about).destinations if isinstance(one, self.kind))
        return destination

    def event(self, report: Report) -> Event:
        return Event(report=report, directory=self.job.directory, name="MetricGate", notices=(EARLIER,))

    def shown(self) -> list[str]:
        """Return every text that stands there now."""
        if self.kind is Runner:
            return [self.job.read("GITHUB_STEP_SUMMARY")]
        if self.kind is IssueDestination:
            return [issue.body for issue in self.fake.issues.values()]
        return [comment.body for comment in self.fake.comments(7)]

    def break_it(self) -> None:
        if self.kind is Runner:
            for name in ("GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY"):
                Path(self.job.environ[name]).mkdir()
        else:
            self.fake.fail("^", *[answer(503)] * 99)


DESTINATIONS = [GitHubDestination, IssueDestination, Runner]


@pytest.fixture(params=DESTINATIONS)
def case(request: pytest.FixtureRequest, fake_github: FakeGitHub, tmp_path: Path) -> Case:
    fake_github.open_pull_request(7, HEAD)
    ask(fake_github)
    return Case(request.param, Job(fake_github, tmp_path), fake_github)


def test_every_registered_destination_is_held_to_the_contract(fake_github: FakeGitHub, tmp_path: Path) -> None:
    registered = [type(one) for one in Job(fake_github, tmp_path).open().destinations]

    assert [kind for kind in registered if kind is not Announcements] == DESTINATIONS


def test_a_delivery_shows_the_verdict_and_keeps_the_event(case: Case) -> None:
    report = make_report(Verdict.FAILED)
    write_report(report, case.job.directory)

    delivery = case.open().deliver(case.event(report), within_s=60)

    assert not delivery.failed
    assert (delivery.event.report, delivery.event.notices) == (report, (EARLIER,))
    assert any("Blocked" in text for text in case.shown())


def test_trouble_is_a_notice_and_never_raised(case: Case) -> None:
    case.break_it()

    delivery = case.open().deliver(case.event(make_report(Verdict.FAILED)), within_s=60)

    assert delivery.failed
    assert delivery.event.report.verdict is Verdict.FAILED
    assert delivery.event.notices[0] == EARLIER
    assert len(delivery.event.notices) > 1


def test_a_report_that_no_view_can_show_is_a_notice_too(case: Case) -> None:
    broken = make_report(Verdict.FAILED, gates=(make_gate("g"),)).model_copy(update={"gates": ("not a gate",)})

    delivery = case.open().deliver(case.event(broken), within_s=60)

    assert delivery.failed
    assert "because of a bug in MetricGate" in delivery.event.notices[-1].text


@pytest.mark.parametrize("within_s", [0, 5, 60])
def test_a_delivery_waits_no_longer_than_it_may(case: Case, within_s: float) -> None:
    case.break_it()

    case.open().deliver(case.event(make_report()), within_s=within_s)

    assert sum(case.job.clock.sleeps) <= within_s


def test_what_is_missing_from_the_folder_costs_only_itself(case: Case) -> None:
    delivery = case.open().deliver(case.event(make_report(Verdict.FAILED)), within_s=60)

    assert not case.job.directory.exists()
    assert not delivery.failed


def test_github_tells_the_next_destination_its_links_and_the_last_verdict(
    fake_github: FakeGitHub, tmp_path: Path
) -> None:
    fake_github.open_pull_request(7, HEAD)
    case = Case(GitHubDestination, Job(fake_github, tmp_path), fake_github)

    first = case.open().deliver(case.event(make_report(Verdict.FAILED)), within_s=60).event
    second = case.open().deliver(case.event(make_report()), within_s=60).event

    assert (first.previous, second.previous) == (None, Verdict.FAILED)
    assert (
        first.comment_url
        == second.comment_url
        == f"https://github.example/acme/churn/pull/7#issuecomment-{fake_github.comments(7)[0].number}"
    )
    assert second.check_url


def test_all_destinations_share_one_deadline_and_none_is_left_without_time(
    fake_github: FakeGitHub, tmp_path: Path
) -> None:
    given: list[float] = []

    class Recorder:
        def deliver(self, event: Event, *, within_s: float) -> Delivery:
            given.append(within_s)
            return Delivery(event=event)

    job = Job(fake_github, tmp_path)
    publication = job.open()
    publication.destinations = (Recorder(), Recorder(), Recorder())
    publication.finish(make_report(), job.directory)

    assert WITHIN_S >= given[0] > given[1] > given[2] >= AT_LEAST_S
