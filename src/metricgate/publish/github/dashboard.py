"""One issue as a dashboard: found by its hidden line, kept up to date, and its ticked boxes read as commands."""

import re
from dataclasses import dataclass

from metricgate.publish.github.acceptance import may_write
from metricgate.publish.github.authorship import Authorship, normalise_body
from metricgate.publish.github.client import GitHubClient, Json
from metricgate.publish.github.issue import LABEL
from metricgate.report.escape import marker_id

_TICKED = re.compile(r"^- \[[xX]\] <!-- metricgate-do:([a-z-]+) -->", re.MULTILINE)
_EDITOR = """query($owner: String!, $name: String!, $number: Int!) {
  repository(owner: $owner, name: $name) { issue(number: $number) { editor { login } } } }"""


@dataclass(frozen=True, kw_only=True)
class Commands:
    """What people ask for by ticked boxes, and who asked without the right to."""

    asked: frozenset[str] = frozenset()
    by: str = ""
    refused: str = ""


def draw_box(command: str, text: str) -> str:
    """Return a line with a box that stands for a command."""
    return f"- [ ] <!-- metricgate-do:{command} --> {text}"


class Dashboard:
    """The dashboard of one set-up."""

    def __init__(self, client: GitHubClient, id_: str) -> None:
        self._client = client
        self._marker = f"<!-- metricgate-dashboard:{marker_id(id_)} -->"
        self._authorship = Authorship(client)
        self._path = client.path("issues")

    def find(self) -> Json | None:
        """Return the newest one that this token wrote."""
        listed = self._client.get_all(self._path, state="all", labels=LABEL, sort="created", direction="desc")
        return next((item for item in listed if self._is_own(item)), None)

    def read_commands(self, issue: Json | None, actor: str = "") -> Commands:
        """Return the commands of ticked boxes, if whoever ticked them may write to the repository.

        ``actor`` is who edited the issue, where an event tells; else GitHub is asked who edited it last.
        """
        asked = frozenset(_TICKED.findall(normalise_body(str((issue or {}).get("body") or ""))))
        if issue is None or issue.get("state") != "open" or not asked:
            return Commands()
        by = actor or self._ask_editor(int(issue["number"]))
        return Commands(asked=asked, by=by) if may_write(self._client, by) else Commands(refused=by or "somebody")

    def put(self, issue: Json | None, *, title: str, text: str) -> str:
        """Write the dashboard and return its address; one that a person closed stays closed and as it is."""
        body = f"{self._marker}\n{text}"
        if issue is None:
            wanted = {"title": title, "body": body, "labels": [LABEL]}
            return str(self._client.create(self._path, wanted, find=self.find)["html_url"])
        if issue.get("state") != "open":
            return ""
        if normalise_body(str(issue.get("body") or "")) != normalise_body(body) or issue.get("title") != title:
            self._client.change(self._client.path("issues", int(issue["number"])), {"title": title, "body": body})
        return str(issue["html_url"])

    def _is_own(self, item: Json) -> bool:
        body = normalise_body(str(item.get("body") or ""))
        return "pull_request" not in item and body.startswith(self._marker) and self._authorship.is_own(item)

    def _ask_editor(self, number: int) -> str:
        owner, name = self._client.repository.split("/", 1)
        data = self._client.query(_EDITOR, {"owner": owner, "name": name, "number": number})
        issue = (data.get("repository") or {}).get("issue") or {}
        return str((issue.get("editor") or {}).get("login") or "")
