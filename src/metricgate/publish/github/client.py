"""Requests to one repository, repeated only where repeating is safe, and never for longer than patience allows.

PyGithub's requester carries them (token, GitHub Enterprise's base URL, TLS). Its own retries are off: they repeat POST
blindly after a 502, never repeat PATCH, and sleep until a rate limit's reset (measured with 2.10). Its objects are not
used either: they complete themselves with requests of their own, which could then not be counted or repeated.
"""

import json
import logging
import re
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from metricgate import __version__
from metricgate.publish.github.answer import Answer, GitHubError, Trouble, explain
from metricgate.publish.github.patience import Patience

if TYPE_CHECKING:
    from github.Requester import Requester

log = logging.getLogger(__name__)

ATTEMPTS = 6
ATTEMPTS_IN_CONFLICT = 3
HURRIED_TIMEOUT_S = 2
HURRIED_TOTAL_S = 2.0
_MAX_PAGES = 500
_NEXT = re.compile(r'<([^>]+)>;\s*rel="next"')
Json = Mapping[str, Any]
_MAY_PASS: Mapping[Trouble | None, int] = {
    Trouble.UNAVAILABLE: ATTEMPTS,
    Trouble.RATE_LIMITED: ATTEMPTS,
    Trouble.CONFLICT: ATTEMPTS_IN_CONFLICT,  # refs that another run writes at the same moment
}


class GitHubClient:
    """One repository's REST API."""

    def __init__(
        self, *, token: str, api_url: str, repository: str, patience: Patience | None = None, timeout_s: int = 15
    ) -> None:
        self.patience = patience or Patience()
        self.repository = repository
        self._token = token
        self._timeout_s = timeout_s
        self._api_url = api_url.rstrip("/")
        self._requester = self._connect(timeout_s)

    def _connect(self, timeout_s: int) -> "Requester":
        import github  # noqa: PLC0415  # 0.3 s that a laptop run does not need

        return github.Github(
            auth=github.Auth.Token(self._token),
            base_url=self._api_url,
            timeout=timeout_s,
            retry=None,
            user_agent=f"metricgate/{__version__}",
            per_page=100,
            seconds_between_requests=None,
            seconds_between_writes=None,
            lazy=True,
        ).requester

    def hurry(self) -> None:
        """Keep to the seconds between a cancelled workflow's signal and its end: 7.5 s to SIGTERM, 2.5 s to SIGKILL."""
        self._requester = self._connect(HURRIED_TIMEOUT_S)
        self.patience.hurry(HURRIED_TOTAL_S)

    def path(self, *parts: str | int) -> str:
        """Yield the path of something in this repository; parts are quoted, slashes inside a part kept."""
        return f"/repos/{self.repository}/" + "/".join(quote(str(part), safe="/") for part in parts)

    def get(self, path: str, **parameters: str | int) -> Any:
        return self._repeat("GET", path, parameters=parameters).data

    def get_all(self, path: str, *, key: str = "", **parameters: str | int) -> Iterator[Json]:
        """Yield every item on every page; ``key`` names the list where it is wrapped in an object."""
        answer = self._repeat("GET", path, parameters={"per_page": 100, **parameters})
        for _ in range(_MAX_PAGES):
            items = answer.data[key] if key else answer.data
            yield from items
            following = _NEXT.search(answer.headers.get("link", ""))
            if not following:
                return
            answer = self._repeat("GET", following[1])
        raise explain(Answer(422, f"more than {_MAX_PAGES} pages"), f"GET {path}")

    def change(self, path: str, body: Json) -> Json:
        """PATCH: the same change twice is the same change, so it is repeated."""
        return self._as_object(self._repeat("PATCH", path, body=body), path)

    def delete(self, path: str) -> None:
        """Delete; what is already gone is deleted."""
        try:
            self._repeat("DELETE", path)
        except GitHubError as error:
            if error.trouble is not Trouble.MISSING:
                raise

    def download(self, path: str, max_bytes: int) -> bytes:
        """GET a file that GitHub redirects to; the storage behind it is another host, which is not shown the token."""
        for attempt in range(ATTEMPTS):
            answer = self._ask("GET", path)
            if answer.status == 302:
                answer, data = self._fetch_file(answer.headers.get("location", ""), max_bytes)
                if answer.trouble is None:
                    return data
            self._pause_or_raise(answer, attempt, f"GET {path}")
        raise AssertionError("the last attempt raises")

    def _fetch_file(self, url: str, max_bytes: int) -> tuple[Answer, bytes]:
        import requests  # noqa: PLC0415  # with PyGithub

        if not url.startswith(("https://", f"{self._api_url.split('://')[0]}://")):
            return Answer(422, "a redirect to an address that is not encrypted"), b""
        started = self.patience.now()
        try:
            with requests.get(url, stream=True, timeout=self._timeout_s, allow_redirects=False) as response:
                if response.status_code != 200:
                    return Answer(response.status_code, "the storage of artifacts did not answer with a file"), b""
                data = bytearray()
                for piece in response.iter_content(1 << 16):
                    data += piece
                    if len(data) > max_bytes:
                        return Answer(422, f"a file of more than {max_bytes:,} bytes"), b""
                return Answer(200, {}), bytes(data)
        except requests.RequestException as error:
            self.patience.spend(self.patience.now() - started)
            return Answer(0, f"no usable answer ({type(error).__name__})"), b""

    def create(self, path: str, body: Json, *, find: Callable[[], Json | None]) -> Json:
        """POST, and after an answer that leaves open whether it was done, look before doing it again."""
        for attempt in range(ATTEMPTS):
            answer = self._ask("POST", path, body=body)
            if answer.trouble is None:
                return self._as_object(answer, path)
            self._pause_or_raise(answer, attempt, f"POST {path}")
            if answer.trouble is Trouble.UNAVAILABLE and (found := find()) is not None:
                return found
        raise AssertionError("the last attempt raises")

    def _repeat(self, method: str, path: str, *, parameters: Json | None = None, body: Json | None = None) -> Answer:
        for attempt in range(ATTEMPTS):
            answer = self._ask(method, path, parameters=parameters, body=body)
            if answer.trouble is None:
                return answer
            self._pause_or_raise(answer, attempt, f"{method} {path}")
        raise AssertionError("the last attempt raises")

    def _pause_or_raise(self, answer: Answer, attempt: int, request: str) -> None:
        if answer.trouble not in _MAY_PASS or attempt + 1 >= _MAY_PASS[answer.trouble]:
            raise explain(answer, request)
        seconds = answer.seconds_to_wait(attempt, self.patience.now())
        why = f"{request} got {answer.status or 'no answer'} ({answer.message})"
        if not self.patience.wait(seconds, why):
            raise explain(answer, request)

    def _ask(self, method: str, path: str, *, parameters: Json | None = None, body: Json | None = None) -> Answer:
        started = self.patience.now()
        answer = self._send(method, path, parameters, body)
        if answer.trouble is Trouble.UNAVAILABLE:
            self.patience.spend(self.patience.now() - started)
        return answer

    def _send(self, method: str, path: str, parameters: Json | None, body: Json | None) -> Answer:
        import requests  # noqa: PLC0415  # with PyGithub

        try:
            status, headers, text = self._requester.requestJson(
                method, path, parameters=dict(parameters or {}), input=None if body is None else dict(body)
            )
        except (requests.RequestException, RuntimeError, UnicodeError) as error:
            # Only the kind of the failure is told: its text may hold a proxy's address with a password in it.
            return Answer(0, f"no usable answer ({type(error).__name__})")
        return _read_answer(status, {str(k).lower(): str(v) for k, v in headers.items()}, text)

    def _as_object(self, answer: Answer, path: str) -> Json:
        if isinstance(answer.data, Mapping):
            return answer.data
        raise explain(Answer(0, "an answer that is not an object"), path)


def _read_answer(status: int, headers: Mapping[str, str], text: str) -> Answer:
    if not text:
        return Answer(status, {}, headers)
    try:
        return Answer(status, json.loads(text), headers)
    except ValueError:
        return Answer(status, "an answer that is not JSON", headers, readable=False)
