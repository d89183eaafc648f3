"""The issue about a watched model: open while something drifted, was lost or cannot be watched, closed after two clean runs."""

from collections.abc import Mapping
from dataclasses import replace

from pydantic import Field, ValidationError

from metricgate.gates.drift_gates import SOURCE
from metricgate.models.base import Finite, Value
from metricgate.models.outcome import Outcome, Verdict
from metricgate.models.result import GateRow
from metricgate.publish.github.client import GitHubClient
from metricgate.publish.github.issue import IssueNews, keep_issue
from metricgate.publish.github.permissions import GitHubNotices
from metricgate.publish.interface import Delivery, Event
from metricgate.report.formats.issue import IssueText
from metricgate.report.formats.watch_issue import render_watch_issue
from metricgate.report.value import Report
from metricgate.trigger.triggers import Trigger

WITHIN_S = 10.0
CLEAN_RUNS = 2
AGE = "data age"  # as a comment that acknowledges it names it
GROWN = 1.0  # margins further out: news about a feature that has drifted already


class Told(Value):
    """What the issue says: alarms of which model, how far out each was when people heard of it, how often they did."""

    model: str = ""
    alarms: dict[str, Finite] = Field(default_factory=dict)
    clean: int = 0
    news: int = 0

    @property
    def state(self) -> str:
        """Changes only when people should hear of it."""
        return f"{self.model} {self.news}"


class WatchIssueDestination:
    """Keeps one issue for each watched set-up, if `monitor: issue` asks for it."""

    def __init__(self, trigger: Trigger, *, client: GitHubClient | None) -> None:
        self._trigger = trigger
        self._client = client

    def deliver(self, event: Event, *, within_s: float) -> Delivery:
        """Open, update or close the issue."""
        client, watch = self._client, event.report.watch
        if client is None or watch is None or not watch.issue or not self._trigger.is_about_default_branch:
            return Delivery(event=event)
        notices = GitHubNotices()
        with client.budget.at_most(min(within_s, WITHIN_S)):
            topic = name_topic(event.report.id)
            notices.attempt_with(
                "issues", "issue", lambda: keep_issue(client, topic, lambda memory: describe_watch_news(event, memory))
            )
        return Delivery(event=replace(event, notices=(*event.notices, *notices.all())), failed=notices.failed)


def name_topic(id_: str) -> str:
    """Return the topic of the issue about a watched set-up."""
    return f"{id_} monitor"


def describe_watch_news(event: Event, memory: str) -> IssueNews | None:
    """Return what the run means for the issue; None where it judged nothing.

    The same features, about as far out, of the same model change nothing; a new one, or one that is a margin further
    out, is news once.
    """
    report = event.report
    if report.verdict in (Verdict.SKIPPED, Verdict.CANCELLED) or report.watch is None:
        return None
    told = _load(memory)
    alarms = list_alarms(report)
    text = render_watch_issue(report, event.view_context, name=event.name)
    if not alarms and report.verdict is Verdict.INCONCLUSIVE:  # too few rows prove no recovery
        return IssueNews(kind="doubt", state=told.state, memory=told.model_dump_json())
    if not alarms:
        return _describe_clean(told, text)
    model = report.watch.model or told.model  # an error may come before the model is known
    news = set() if report.accepted else _find_news(alarms, told, model)
    kept = {name: size if name in news else told.alarms.get(name, size) for name, size in alarms.items()}
    if not report.watch.features:  # nothing was compared: what drifted before has not recovered
        kept = told.alarms | kept
    now = Told(model=told.model if report.accepted else model, alarms=kept, news=told.news + bool(news))
    return IssueNews(
        kind="doubt" if report.accepted else "problem",
        state=now.state,
        title=text.title,
        body=text.body,
        comment=text.comment,
        memory=now.model_dump_json(),
    )


def _describe_clean(told: Told, text: IssueText) -> IssueNews:
    clean = told.clean + 1
    if clean >= CLEAN_RUNS:
        return IssueNews(kind="recovery", state=f"clean after {told.state}", comment=text.comment)
    return IssueNews(kind="doubt", state=told.state, memory=told.model_copy(update={"clean": clean}).model_dump_json())


def list_alarms(report: Report) -> dict[str, float]:
    """Return what drifted, was lost, is too old or failed, each with how far out it is, in margins."""
    alarms: dict[str, float] = {}
    for gate in report.gates:
        if gate.outcome is Outcome.FAILED:
            name = _name_alarm(gate)
            size = abs(gate.difference or 0.0) / gate.bound if gate.bound else 1.0
            alarms[name] = max(alarms.get(name, 0.0), round(size, 2))
    if report.verdict is Verdict.ERROR:
        alarms[f"error: {report.failure.title}" if report.failure else "error"] = 1.0
    return alarms


def _name_alarm(gate: GateRow) -> str:
    if gate.metric == "data_age":
        return AGE
    return gate.feature if gate.source == SOURCE else gate.metric


def _find_news(alarms: Mapping[str, float], told: Told, model: str) -> set[str]:
    if told.model != model:
        return set(alarms)
    return {name for name, size in alarms.items() if name not in told.alarms or size >= told.alarms[name] + GROWN}


def _load(memory: str) -> Told:
    try:
        return Told.model_validate_json(memory) if memory else Told()
    except ValidationError:
        return Told()


def list_earlier(report: Report) -> tuple[Verdict, ...]:
    """Return the verdicts of earlier watching runs, the newest first; none of other runs."""
    past = report.watch.past if report.watch else ()
    return tuple(Verdict(run.verdict) for run in reversed(past))
