"""The one HTTP client for everything that is not GitHub: a deadline for the whole call, and no redirects.

It takes proxies and certificates from the environment, as `requests` does, and no passwords from ``~/.netrc``.
"""

import logging
import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Literal
from urllib.parse import unquote, urlsplit

from metricgate import __version__
from metricgate.services.deadline import finish_within
from metricgate.services.service_error import ServiceError, ServiceTrouble

if TYPE_CHECKING:
    from requests import PreparedRequest

log = logging.getLogger(__name__)

ATTEMPTS = 4
MAX_ANSWER_BYTES = 1 << 20
MAX_TOLD_CHARACTERS = 200
HIDDEN = "***"
_PIECE_BYTES = 1 << 16
_MIN_HIDDEN = 6  # a shorter part of an address is a word such as "api"

Method = Literal["GET", "POST", "PUT", "PATCH", "DELETE"]
_Body = bytes | BinaryIO


@dataclass(frozen=True)
class ServiceAnswer:
    """A successful answer; ``is_whole`` is false where ``body`` was cut at the limit. Header names are lower case."""

    status: int
    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)
    is_whole: bool = True


@dataclass(frozen=True, kw_only=True)
class HttpClient:
    """Sends bytes to one service.

    Attributes
    ----------
    service : its name in messages, which never show its address
    within_s : seconds for one call: connecting, sending, reading, and all repetitions with their pauses
    attempts : how often a request is sent at most
    uses_proxy : whether the environment's proxies count, which do not know the services of a job
    """

    service: str
    within_s: float
    max_answer_bytes: int = MAX_ANSWER_BYTES
    attempts: int = ATTEMPTS
    uses_proxy: bool = True
    sleep: Callable[[float], None] = time.sleep
    now: Callable[[], float] = time.monotonic

    def send(
        self,
        method: Method,
        url: str,
        body: bytes | Path = b"",
        headers: Mapping[str, str] | None = None,
        *,
        may_repeat: bool | None = None,
    ) -> ServiceAnswer:
        """Return the answer to a request with a 2xx status. A ``body`` that is a file is read while it is sent.

        What the service has not taken (no connection, 429, 503 with Retry-After) is sent again while the time lasts.
        What it may have taken is sent again only where that does no harm: ``may_repeat``, by default all but POST and
        PATCH.

        Raises
        ------
        ServiceError
            Whatever goes wrong; its ``trouble`` says what.
        """
        is_harmless = method not in ("POST", "PATCH") if may_repeat is None else may_repeat
        if isinstance(body, Path):
            with body.open("rb") as stream:
                return self._repeat(self._prepare(method, url, stream, headers or {}), is_harmless=is_harmless)
        return self._repeat(self._prepare(method, url, body, headers or {}), is_harmless=is_harmless)

    def _repeat(self, request: "PreparedRequest", *, is_harmless: bool) -> ServiceAnswer:
        ends = self.now() + self.within_s
        for attempt in range(self.attempts):
            try:
                return self._check(self._ask(request, ends - self.now()), request)
            except ServiceError as error:
                pause = 2.0**attempt if error.retry_after_s is None else error.retry_after_s
                may_pass = error.trouble in _MAY_PASS and (is_harmless or not error.may_be_done)
                if not may_pass or attempt + 1 == self.attempts or self.now() + pause >= ends:
                    raise
                log.info("%s Trying again in %.0f s.", error.what, pause)
            self.sleep(pause)
        raise AssertionError("the last attempt raises")

    def _prepare(self, method: Method, url: str, body: _Body, headers: Mapping[str, str]) -> "PreparedRequest":
        import requests  # noqa: PLC0415  0.1 s that a run without services does not need

        try:
            return _prepare(method, url, body, headers)
        except (requests.RequestException, ValueError):
            raise self._error("has an unusable address or header", ServiceTrouble.UNUSABLE) from None

    def _ask(self, request: "PreparedRequest", seconds: float) -> ServiceAnswer:
        import requests  # noqa: PLC0415

        logging.getLogger("urllib3.connection").addFilter(_shows_no_address)
        # From None: the text and the chain of these errors hold the address, and a proxy's password.
        try:
            return finish_within(seconds, lambda: self._exchange(request, seconds))
        except TimeoutError:
            raise self._error(f"did not answer within {self.within_s:.3g} s", ServiceTrouble.TIMED_OUT) from None
        except requests.ConnectTimeout:
            raise self._error("could not be reached in time", ServiceTrouble.UNREACHABLE) from None
        except requests.Timeout:
            raise self._error(f"did not answer within {self.within_s:.3g} s", ServiceTrouble.TIMED_OUT) from None
        except requests.ConnectionError as error:
            raise self._explain_connection(error) from None
        except requests.exceptions.InvalidURL:
            raise self._error("has an unusable address or header", ServiceTrouble.UNUSABLE) from None
        except (requests.RequestException, OSError, ValueError) as error:
            problem = f"gave no usable answer ({type(error).__name__})"
            raise self._error(problem, ServiceTrouble.BROKEN) from None

    def _exchange(self, request: "PreparedRequest", seconds: float) -> ServiceAnswer:
        import requests  # noqa: PLC0415
        import urllib3  # noqa: PLC0415

        with requests.Session() as session:
            settings = session.merge_environment_settings(request.url, {}, True, None, None)
            if not self.uses_proxy:
                settings["proxies"] = {}
            if not isinstance(request.body, bytes | str | None):
                request.body.seek(0)  # an earlier attempt has read it
            try:
                with session.send(request, timeout=max(0.01, seconds), allow_redirects=False, **settings) as response:
                    body = bytearray()
                    for piece in response.raw.stream(_PIECE_BYTES, decode_content=False):
                        body += piece
                        if len(body) > self.max_answer_bytes:
                            break
            except urllib3.exceptions.HTTPError as error:  # requests translates it only where it decodes
                raise requests.exceptions.ChunkedEncodingError(type(error).__name__) from None
            return ServiceAnswer(
                response.status_code,
                bytes(body[: self.max_answer_bytes]),
                {name.lower(): value for name, value in response.headers.items()},
                is_whole=len(body) <= self.max_answer_bytes,
            )

    def _explain_connection(self, error: Exception) -> ServiceError:
        reason = getattr(error.args[0], "reason", None) if error.args else None
        kind = type(reason or error).__name__
        if kind in _NOTHING_SENT:
            return self._error(f"could not be reached ({_NOTHING_SENT[kind]})", ServiceTrouble.UNREACHABLE)
        return self._error("ended the connection without an answer", ServiceTrouble.BROKEN)

    def _check(self, answer: ServiceAnswer, request: "PreparedRequest") -> ServiceAnswer:
        status, requested = answer.status, answer.headers.get("retry-after", "").strip()
        if 200 <= status < 300:
            return answer
        if status == 429 or (status == 503 and requested):
            trouble = ServiceTrouble.RATE_LIMITED
        elif status >= 500 or status == 408:
            trouble = ServiceTrouble.UNAVAILABLE
        else:
            trouble = ServiceTrouble.REFUSED if status >= 400 else ServiceTrouble.REDIRECTED
        raise ServiceError(
            self.service,
            f"answered with status {status}",
            trouble=trouble,
            status=status,
            answer="" if trouble is ServiceTrouble.REDIRECTED else _quote_answer(answer.body, request),
            retry_after_s=float(requested) if requested.isdecimal() else None,
        )

    def _error(self, problem: str, trouble: ServiceTrouble) -> ServiceError:
        return ServiceError(self.service, problem, trouble=trouble)


_MAY_PASS = {
    ServiceTrouble.UNREACHABLE,
    ServiceTrouble.BROKEN,
    ServiceTrouble.RATE_LIMITED,
    ServiceTrouble.UNAVAILABLE,
}
_NOTHING_SENT = {
    "NewConnectionError": "no connection",
    "NameResolutionError": "unknown host",
    "ConnectTimeoutError": "no connection in time",
    "SSLError": "its certificate was refused",
    "ProxyError": "the proxy refused",
}


def _prepare(method: Method, url: str, body: _Body, headers: Mapping[str, str]) -> "PreparedRequest":
    import requests  # noqa: PLC0415
    from requests.utils import get_auth_from_url  # noqa: PLC0415

    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname or re.search(r"\s", url):
        raise ValueError
    user, password = get_auth_from_url(url)
    # Without `auth`, requests would look into ~/.netrc and replace an Authorization header by what is there.
    auth = (user, password) if user or password else _keep_headers
    sent = {"User-Agent": f"metricgate/{__version__}", "Accept-Encoding": "identity", **headers}
    return requests.Request(method, url, headers=sent, data=body, auth=auth).prepare()


def _keep_headers(request: "PreparedRequest") -> "PreparedRequest":
    return request


def _quote_answer(body: bytes, request: "PreparedRequest") -> str:
    """Return the start of what a service wrote, on one line without the parts of its address and of the headers."""
    text = " ".join(body[: 4 * MAX_TOLD_CHARACTERS].decode("utf-8", errors="replace").split())
    text = "".join(character for character in text if character.isprintable())
    for part in sorted(_list_secrets(request), key=len, reverse=True):
        text = text.replace(part, HIDDEN)
    return text[:MAX_TOLD_CHARACTERS].replace("::", ": :").replace("##[", "## [").rstrip(".")


def _list_secrets(request: "PreparedRequest") -> set[str]:
    url = request.url or ""
    values = [str(value) for name, value in request.headers.items() if name.lower() != "content-type"]
    parts = {url, *re.split(r"[/?&=#:@]+", url), *values, *(word for value in values for word in value.split())}
    return {form for part in parts for form in (part, unquote(part)) if len(form) >= _MIN_HIDDEN}


def _shows_no_address(record: logging.LogRecord) -> bool:
    # urllib3 warns of malformed headers with the whole address.
    return "url=" not in str(record.msg)
