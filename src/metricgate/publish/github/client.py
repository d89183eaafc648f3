"""Requests to one repository, repeated only where repeating is safe, within the budget for retries.

PyGithub's requester carries them (token, GitHub Enterprise's base URL, TLS). Its own retries are off: they repeat POST
blindly after a 502, never repeat PATCH, and sleep until a rate limit's reset (measured with 2.10). Its objects are not
used either: they complete themselves with requests of their own, which could then not be counted or repeated.

Each request ends in time even where the response comes a byte at a time, and follows GitHub's redirect of a renamed
repository.
"""

import json
import logging
import math
import re
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from metricgate import __version__
from metricgate.publish.github.response import GitHubError, GitHubResponse, Trouble, explain
from metricgate.publish.github.retry_budget import RetryBudget
from metricgate.services.deadline import finish_within

if TYPE_CHECKING:
    from github.Requester import Requester

log = logging.getLogger(__name__)

ATTEMPTS = 6
ATTEMPTS_IN_CONFLICT = 3
HURRIED_TIMEOUT_S = 2
HURRIED_WAITING_S = 2.0
HURRIED_WITHIN_S = 5.0  # of 10 s, of which ending the pipeline takes up to four
DOWNLOAD_WITHIN_S = 60.0
MAX_REDIRECTS = 3
_MAX_PAGES = 500
_NEXT = re.compile(r'<([^>]+)>;\s*rel="next"')
_GRAPHQL_FORBIDDEN = ("FORBIDDEN", "INSUFFICIENT_SCOPES")
Json = Mapping[str, Any]
_MAY_PASS: Mapping[Trouble | None, int] = {
    Trouble.UNAVAILABLE: ATTEMPTS,
    Trouble.RATE_LIMITED: ATTEMPTS,
    Trouble.CONFLICT: ATTEMPTS_IN_CONFLICT,  # refs that another run writes at the same moment
}


class GitHubClient:
    """One repository's REST API."""

    def __init__(
        self, *, token: str, api_url: str, repository: str, budget: RetryBudget | None = None, timeout_s: float = 15
    ) -> None:
        """``timeout_s`` is for one response, from the connection to its last byte."""
        self.budget = budget or RetryBudget()
        self.repository = repository
        self._token = token
        self._timeout_s = timeout_s
        self._api_url = api_url.rstrip("/")
        # GitHub Enterprise Server: https://HOST/api/v3 and https://HOST/api/graphql.
        self._graphql_url = f"{self._api_url.removesuffix('/v3')}/graphql"
        self._requester = self._connect()

    def _connect(self) -> "Requester":
        import github  # noqa: PLC0415  # 0.3 s that a laptop run does not need

        return github.Github(
            auth=github.Auth.Token(self._token),
            base_url=self._api_url,
            timeout=math.ceil(self._timeout_s),
            retry=None,
            user_agent=f"metricgate/{__version__}",
            per_page=100,
            seconds_between_requests=None,
            seconds_between_writes=None,
            lazy=True,
        ).requester

    def hurry(self) -> None:
        """Stay within the seconds of a cancelled workflow: 7.5 s from SIGINT to SIGTERM, then 2.5 s to SIGKILL."""
        self._timeout_s = min(self._timeout_s, HURRIED_TIMEOUT_S)
        self._requester = self._connect()  # the signal may have interrupted a request on the other one
        self.budget.hurry(HURRIED_WAITING_S, HURRIED_WITHIN_S)

    def path(self, *parts: str | int) -> str:
        """Return the path of a resource of this repository; parts are quoted, slashes inside a part kept."""
        return f"/repos/{self.repository}/" + "/".join(quote(str(part), safe="/") for part in parts)

    def get(self, path: str, **parameters: str | int) -> Any:
        return self._repeat("GET", path, parameters=parameters).data

    def get_all(self, path: str, *, key: str = "", **parameters: str | int) -> Iterator[Json]:
        """Yield every item on every page; ``key`` names the list where it is wrapped in an object."""
        response = self._repeat("GET", path, parameters={"per_page": 100, **parameters})
        for _ in range(_MAX_PAGES):
            items = response.data[key] if key else response.data
            yield from items
            following = _NEXT.search(response.headers.get("link", ""))
            if not following:
                return
            response = self._repeat("GET", following[1])
        raise explain(GitHubResponse(422, f"more than {_MAX_PAGES} pages"), f"GET {path}")

    def change(self, path: str, body: Json) -> Json:
        """PATCH: the same change twice is the same change, so it is repeated."""
        return self._as_object(self._repeat("PATCH", path, body=body), path)

    def delete(self, path: str) -> None:
        """Delete; a resource that is already gone counts as deleted."""
        try:
            self._repeat("DELETE", path)
        except GitHubError as error:
            if error.trouble is not Trouble.MISSING:
                raise

    def download(self, path: str, max_bytes: int) -> bytes:
        """GET a file that GitHub redirects to. The storage is another host, which does not get the token."""
        for attempt in range(ATTEMPTS):
            response = self._ask("GET", path)
            if response.status == 302:
                response, data = self._fetch_file(response.headers.get("location", ""), max_bytes)
                if response.trouble is None:
                    return data
            self._pause_or_raise(response, attempt, f"GET {path}")
        raise AssertionError("the last attempt raises")

    def _fetch_file(self, url: str, max_bytes: int) -> tuple[GitHubResponse, bytes]:
        if not url.startswith(("https://", f"{self._api_url.split('://')[0]}://")):
            return GitHubResponse(422, "a redirect to an unencrypted address"), b""
        started = self.budget.now()
        try:
            within_s = min(DOWNLOAD_WITHIN_S, self.budget.time_left_s)
            return finish_within(within_s, lambda: _read_file(url, max_bytes, self._timeout_s))
        except OSError as error:  # what requests raises, and TimeoutError
            self.budget.spend(self.budget.now() - started)
            return _explain_silence(error), b""

    def create(self, path: str, body: Json, *, find: Callable[[], Json | None]) -> Json:
        """POST. Where the response leaves open whether it was done, look before repeating it."""
        for attempt in range(ATTEMPTS):
            response = self._ask("POST", path, body=body)
            if response.trouble is None:
                return self._as_object(response, path)
            self._pause_or_raise(response, attempt, f"POST {path}")
            if response.trouble is Trouble.UNAVAILABLE and (found := find()) is not None:
                return found
        raise AssertionError("the last attempt raises")

    def create_list(self, path: str, body: Json) -> None:
        """POST what may be done twice, and what GitHub answers with a list."""
        self._repeat("POST", path, body=body)

    def query(self, text: str, variables: Json) -> Json:
        """Send a GraphQL request once and return its data. What it changes may have been changed although it raises."""
        response = self._ask("POST", self._graphql_url, body={"query": text, "variables": dict(variables)})
        if response.trouble is None and isinstance(response.data, Mapping) and (errors := response.data.get("errors")):
            first = errors[0] if isinstance(errors, list) and isinstance(errors[0], Mapping) else {}
            status = 403 if first.get("type") in _GRAPHQL_FORBIDDEN else 422
            response = GitHubResponse(status, {"message": first.get("message", "GraphQL gave no reason")})
        if response.trouble is not None:
            raise explain(response, "POST /graphql")
        data = self._as_object(response, "/graphql").get("data")
        return data if isinstance(data, Mapping) else {}

    def _repeat(
        self, method: str, path: str, *, parameters: Json | None = None, body: Json | None = None
    ) -> GitHubResponse:
        for attempt in range(ATTEMPTS):
            response = self._ask(method, path, parameters=parameters, body=body)
            if response.trouble is None:
                return response
            self._pause_or_raise(response, attempt, f"{method} {path}")
        raise AssertionError("the last attempt raises")

    def _pause_or_raise(self, response: GitHubResponse, attempt: int, request: str) -> None:
        if response.trouble not in _MAY_PASS or attempt + 1 >= _MAY_PASS[response.trouble]:
            raise explain(response, request)
        seconds = response.seconds_to_wait(attempt, self.budget.now())
        why = f"{request} got {response.status or 'no response'} ({response.message})"
        if not self.budget.wait(seconds, why):
            raise explain(response, request)

    def _ask(
        self, method: str, path: str, *, parameters: Json | None = None, body: Json | None = None
    ) -> GitHubResponse:
        started = self.budget.now()
        response = self._send(method, path, parameters, body)
        if response.trouble is Trouble.UNAVAILABLE:
            self.budget.spend(self.budget.now() - started)
        return response

    def _send(self, method: str, path: str, parameters: Json | None, body: Json | None) -> GitHubResponse:
        response = self._exchange(method, path, parameters, body)
        for _ in range(MAX_REDIRECTS):
            target = self._find_new_place(response)
            if target is None:
                return response
            response = self._exchange(method, target, None if "?" in target else parameters, body)
        return response

    def _find_new_place(self, response: GitHubResponse) -> str | None:
        """Return where GitHub says that a renamed repository is; the token goes to no other server."""
        # PyGithub follows 301. A 302 leads to a file, which `download` fetches without the token.
        target = response.headers.get("location", "") if response.status in (307, 308) else ""
        return target if target.startswith(f"{self._api_url}/") else None

    def _exchange(self, method: str, path: str, parameters: Json | None, body: Json | None) -> GitHubResponse:
        requester, within_s = self._requester, min(self._timeout_s, self.budget.time_left_s)
        if not within_s:
            return GitHubResponse(0, "the time for publishing is over")
        try:
            status, headers, text = finish_within(
                within_s,
                lambda: requester.requestJson(
                    method, path, parameters=dict(parameters or {}), input=None if body is None else dict(body)
                ),
            )
        except (OSError, RuntimeError, UnicodeError) as error:  # requests' errors are OSErrors
            self._requester = self._connect()  # a late response would come to the next request
            return _explain_silence(error)
        return _read_response(status, {str(k).lower(): str(v) for k, v in headers.items()}, text)

    def _as_object(self, response: GitHubResponse, path: str) -> Json:
        if isinstance(response.data, Mapping):
            return response.data
        raise explain(GitHubResponse(0, "the response is not a JSON object"), path)


def _read_file(url: str, max_bytes: int, timeout_s: float) -> tuple[GitHubResponse, bytes]:
    import requests  # noqa: PLC0415  # with PyGithub

    with requests.get(url, stream=True, timeout=timeout_s, allow_redirects=False) as response:
        if response.status_code != 200:
            return GitHubResponse(response.status_code, "the artifact storage did not return the file"), b""
        data = bytearray()
        for piece in response.iter_content(1 << 16):
            data += piece
            if len(data) > max_bytes:
                return GitHubResponse(422, f"a file of more than {max_bytes:,} bytes"), b""
        return GitHubResponse(200, {}), bytes(data)


def _explain_silence(error: Exception) -> GitHubResponse:
    # Only the kind of the failure is shown: its text may hold a proxy's address and password.
    kind = type(error).__name__
    return GitHubResponse(0, "no complete response in time" if "Timeout" in kind else f"no usable response ({kind})")


def _read_response(status: int, headers: Mapping[str, str], text: str) -> GitHubResponse:
    if not text:
        return GitHubResponse(status, {}, headers)
    try:
        return GitHubResponse(status, json.loads(text), headers)
    except ValueError:
        return GitHubResponse(status, "the response is not JSON", headers, readable=False)
