"""The issue about a default branch that fails, as a destination: GitHub's mail and phone notifications, no secret."""

from dataclasses import replace

from metricgate.publish.github.client import GitHubClient
from metricgate.publish.github.issue import IssueNews, keep_issue
from metricgate.publish.github.permissions import GitHubNotices
from metricgate.publish.interface import Delivery, Event
from metricgate.publish.subscriptions import Subscriptions
from metricgate.report.formats.issue import IssueText, render_issue
from metricgate.report.occasion import name_occasion
from metricgate.report.regained import collect_lost_levels, describe_unregained, dump_levels, load_levels
from metricgate.settings.notify import NotifySpec
from metricgate.trigger.triggers import Trigger

WITHIN_S = 10.0


class IssueDestination:
    """Keeps one issue for each set-up whose runs on the default branch fail, if `notify:` asks for it."""

    def __init__(self, trigger: Trigger, subscriptions: Subscriptions, *, client: GitHubClient | None) -> None:
        self._trigger = trigger
        self._subscriptions = subscriptions
        self._client = client

    def deliver(self, event: Event, *, within_s: float) -> Delivery:
        """Open, update or close the issue."""
        client, notices = self._client, GitHubNotices()
        if client is None or not self._trigger.is_about_default_branch:
            return Delivery(event=event)
        with client.budget.at_most(min(within_s, WITHIN_S)):
            spec = notices.attempt("list of `notify:`", lambda: self._subscriptions.find("issue"), done="read")
            if spec:

                def keep() -> str:
                    return keep_issue(
                        client, event.report.id, lambda memory: describe_news(event, spec, memory, branch)
                    )

                branch = self._trigger.default_branch
                notices.attempt_with("issues", "issue", keep)
        return Delivery(event=replace(event, notices=(*event.notices, *notices.all())), failed=notices.failed)


def describe_news(event: Event, spec: NotifySpec, memory: str, branch: str) -> IssueNews | None:
    """Return what the run means for the issue; None where it judged nothing, or nobody asked."""
    report = event.report
    occasion = name_occasion(report.verdict, event.kind)
    if occasion is None:
        return None
    levels = load_levels(memory)
    if occasion == "recovered":
        unregained = describe_unregained(report, levels)
        text = _render(event, spec, branch, unregained)
        if unregained:
            return IssueNews(kind="doubt", state=text.state, comment=text.comment, memory=memory)
        return IssueNews(kind="recovery", state=text.state, comment=text.comment) if "recovered" in spec.on else None
    text = _render(event, spec, branch)
    return IssueNews(
        kind="problem" if occasion in spec.on else "doubt",
        state=text.state,
        title=text.title,
        body=text.body,
        comment=text.comment,
        memory=dump_levels(collect_lost_levels(report, levels)),
    )


def _render(event: Event, spec: NotifySpec, branch: str, unregained: tuple[str, ...] = ()) -> IssueText:
    return render_issue(
        event.report, event.view_context, name=event.name, branch=branch, mention=spec.mention, unregained=unregained
    )
