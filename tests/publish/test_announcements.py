"""Destinations beyond GitHub: at once, bounded together, and without a say in what the step answers."""

import subprocess
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from metricgate.models.outcome import Verdict
from metricgate.publish.announcements import Announcements, Announcer
from metricgate.publish.interface import Delivery, Event, Notice
from tests.github.job import make_report

EARLIER = Notice("an earlier destination's notice")


@dataclass
class Recorder:
    """A destination that does what a test wants, and counts."""

    act: Callable[[float], object] = lambda _: None
    calls: int = 0

    def deliver(self, event: Event, *, within_s: float) -> Delivery:
        self.calls += 1
        self.act(within_s)
        return Delivery(event=replace(event, notices=(*event.notices, Notice("told"))), failed=True)


def make_event(tmp_path: Path) -> Event:
    return Event(report=make_report(Verdict.FAILED), directory=tmp_path, name="MetricGate", notices=(EARLIER,))


def announce(**destinations: Recorder) -> Announcements:
    return Announcements([Announcer(name=name, destination=one) for name, one in destinations.items()])


def test_all_are_told_at_the_same_time(tmp_path: Path) -> None:
    together = threading.Barrier(2, timeout=30)  # each waits for the other: in turn, neither would end
    one, two = (Recorder(lambda _: together.wait()) for _ in range(2))

    delivery = announce(one=one, two=two).deliver(make_event(tmp_path), within_s=60)

    assert delivery.event.notices == (EARLIER, Notice("told"))
    assert not together.broken


def test_trouble_is_a_notice_and_never_fails_the_step(tmp_path: Path) -> None:
    delivery = announce(one=Recorder()).deliver(make_event(tmp_path), within_s=60)

    assert not delivery.failed
    assert delivery.event.report == make_event(tmp_path).report


def test_one_that_is_late_is_left_behind_with_a_notice(tmp_path: Path) -> None:
    release = threading.Event()
    late, quick = Recorder(lambda _: release.wait(30)), Recorder()

    delivery = announce(Late=late, Quick=quick).deliver(make_event(tmp_path), within_s=0.2)
    release.set()

    assert [notice.text for notice in delivery.event.notices] == [
        EARLIER.text,
        "Late did not answer in time, and may not have been told.",
        "told",
    ]


@pytest.mark.parametrize(("within_s", "allowed"), [(60, 10), (4, 4)])
def test_each_gets_ten_seconds_at_most(tmp_path: Path, within_s: float, allowed: float) -> None:
    given: list[float] = []

    announce(one=Recorder(given.append)).deliver(make_event(tmp_path), within_s=within_s)

    assert allowed - 1 < given[0] <= allowed


def test_a_cancelled_run_leaves_two_seconds(tmp_path: Path) -> None:
    given: list[float] = []
    announcements = announce(one=Recorder(given.append))

    announcements.hurry()
    announcements.deliver(make_event(tmp_path), within_s=60)

    assert given[0] <= 2


def test_what_was_begun_before_a_signal_is_not_begun_again(tmp_path: Path) -> None:
    one = Recorder()
    announcements = announce(one=one)

    announcements.deliver(make_event(tmp_path), within_s=60)
    second = announcements.deliver(make_event(tmp_path), within_s=60)

    assert one.calls == 1
    assert second.event.notices == (EARLIER, Notice("told"))


def test_a_bug_in_one_is_a_notice_and_the_others_are_told(tmp_path: Path) -> None:
    def fail(_: float) -> None:
        raise KeyError("bug")

    other = Recorder()
    delivery = announce(Slack=Recorder(fail), other=other).deliver(make_event(tmp_path), within_s=60)

    assert Notice("Slack could not be told because of a bug in MetricGate (KeyError).") in delivery.event.notices
    assert (other.calls, delivery.failed) == (1, False)


def test_without_destinations_nothing_happens(tmp_path: Path) -> None:
    event = make_event(tmp_path)

    assert announce().deliver(event, within_s=60) == Delivery(event=event)


def test_a_job_without_addresses_imports_nothing_of_the_services() -> None:
    code = (
        "import sys, metricgate.publish.publication as p; from metricgate.settings.inputs import read_inputs;"
        "from metricgate.trigger import Trigger, TriggerKind;"
        "p.Publication(Trigger(kind=TriggerKind.LOCAL), read_inputs({}), {});"
        "print([name for name in sys.modules if name.startswith('metricgate.')])"
    )
    loaded = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout

    unwanted = ("message_destination", "http_client", "formats.slack", "formats.teams", "formats.webhook")
    assert "metricgate.publish.publication" in loaded
    assert [name for name in unwanted if name in loaded] == []
