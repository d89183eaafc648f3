"""Who wrote a comment or an issue: a marker in somebody else's text does not make it MetricGate's."""

from metricgate.publish.github.client import GitHubClient, Json
from metricgate.publish.github.response import GitHubError, Trouble


class Authorship:
    """Knows what this token wrote: a job's token is a bot that cannot ask for its login; a person's can."""

    def __init__(self, client: GitHubClient) -> None:
        self._client = client
        self._login: str | None = None

    def is_own(self, item: Json) -> bool:
        """Return whether this token wrote a comment or an issue."""
        user = item.get("user") or {}
        if user.get("type") == "Bot":
            return True
        if self._login is None:
            self._login = self._ask_login()
        return bool(self._login) and user.get("login") == self._login

    def _ask_login(self) -> str:
        try:
            return str(self._client.get("/user").get("login", ""))
        except GitHubError as error:
            if error.is_forbidden or error.trouble in (Trouble.UNAUTHORIZED, Trouble.MISSING):
                return ""
            raise


def normalise_body(body: str) -> str:
    """Return a body as it compares: GitHub may store CRLF line ends, as a web form sends them, and drops outer space."""
    return body.replace("\r\n", "\n").strip()
