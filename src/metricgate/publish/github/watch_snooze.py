"""A person's word about alarms: a comment on the issue that snoozes all, or acknowledges named ones, until a day.

`metricgate: snooze 14d` or `metricgate: acknowledge tenure, charges until 2026-09-01`, by someone who may write to the
repository. What follows on the same line is the reason.
"""

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from metricgate.models.outcome import Verdict
from metricgate.publish.github.acceptance import may_write
from metricgate.publish.github.client import GitHubClient
from metricgate.publish.github.issue import find_issue
from metricgate.publish.github.watch_issue import list_alarms, name_topic
from metricgate.report.value import Acceptance, Report

MOST_DAYS = 366
_DAYS = {"d": 1, "w": 7}
_COMMAND = re.compile(
    r"^\s*metricgate:\s*(?P<word>snooze|acknowledge)\s+(?P<names>[^\n]*?)\s*"
    r"(?:(?:for\s+)?\b(?P<count>[1-9]\d{0,2})\s*(?P<unit>[dw])\b|until\s+(?P<day>\d{4}-\d{2}-\d{2}))[ :,]*(?P<why>[^\n]*)$",
    re.IGNORECASE | re.MULTILINE,
)


@dataclass(frozen=True, kw_only=True)
class Snooze:
    """Who wants to hear nothing of which alarms (none named: of all), until when, and why."""

    by: str
    until: datetime
    names: tuple[str, ...] = ()
    reason: str = ""

    def covers(self, alarms: set[str]) -> bool:
        """Return whether every alarm is one that this person spoke of."""
        return not self.names or alarms <= set(self.names)


def read_snooze(body: str, *, by: str, at: datetime) -> Snooze | None:
    """Return what a comment asks for; None where it is no command, or its day is none."""
    found = _COMMAND.search(body)
    if found is None:
        return None
    try:
        days = int(found["count"]) * _DAYS[found["unit"].lower()] if found["count"] else None
        until = at + timedelta(days=days) if days else _end_of(date.fromisoformat(found["day"]))
    except ValueError:
        return None
    if until > at + timedelta(days=MOST_DAYS):
        return None
    names = tuple(name.strip().strip("`") for name in found["names"].split(",") if name.strip())
    if found["word"].lower() == "acknowledge" and not names:
        return None
    return Snooze(by=by, until=until, names=names, reason=found["why"].strip())


def _end_of(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=UTC) + timedelta(days=1)


def find_snoozes(client: GitHubClient, id_: str, now: datetime) -> tuple[Snooze, ...]:
    """Return what holds now, of those who may write; nothing where there is no open issue."""
    issue = find_issue(client, name_topic(id_))
    if issue is None or not issue.is_open:
        return ()
    said = []
    for comment in client.get_all(client.path("issues", issue.number, "comments")):
        by = str((comment.get("user") or {}).get("login", ""))
        asked = read_snooze(
            str(comment.get("body") or ""), by=by, at=datetime.fromisoformat(str(comment["created_at"]))
        )
        if asked is not None and asked.until > now:
            said.append(asked)
    allowed = {by: may_write(client, by) for by in {one.by for one in said}}
    return tuple(one for one in said if allowed[one.by])


def apply_snoozes(report: Report, snoozes: tuple[Snooze, ...]) -> Report:
    """Return the report of a failed run as accepted where people said that they know of every alarm."""
    alarms = set(list_alarms(report))
    if report.verdict is not Verdict.FAILED or report.watch is None or not alarms:
        return report
    known = {name for one in snoozes for name in one.names} | (
        alarms if any(not one.names for one in snoozes) else set()
    )
    if not alarms <= known:
        return report
    counted = [one for one in snoozes if not one.names or alarms & set(one.names)]
    last = min(counted, key=lambda one: one.until)
    people = ", ".join(dict.fromkeys(one.by for one in counted))
    reason = f"until {last.until - timedelta(seconds=1):%Y-%m-%d}" + (f": {last.reason}" if last.reason else "")
    accepted = Acceptance(by=people, reason=reason, exit_code=report.exit_code)
    return report.model_copy(update={"verdict": Verdict.PASSED, "exit_code": 0, "accepted": accepted})
