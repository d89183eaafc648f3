"""GitHub's responses, sorted by what can be done about them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from metricgate.errors import PublishError


class Trouble(StrEnum):
    """Why a request did not do what it should."""

    UNAVAILABLE = "unavailable"  # no answer, a server error, or an answer that is not GitHub's: may have been done
    RATE_LIMITED = "rate limited"  # refused before anything was done
    UNAUTHORIZED = "unauthorized"
    FORBIDDEN = "forbidden"
    APP_ONLY = "for apps only"  # a personal token cannot do it, whatever its permissions
    LOCKED = "locked"
    MISSING = "missing"
    CONFLICT = "conflict"
    TOO_LONG = "too long"
    REFUSED = "refused"


@dataclass(frozen=True)
class GitHubResponse:
    """One HTTP response; where there was none, ``status`` is 0 and ``data`` is what went wrong."""

    status: int
    data: Any
    headers: Mapping[str, str] = field(default_factory=dict)
    readable: bool = True

    @property
    def message(self) -> str:
        """What GitHub or a proxy wrote, on one bounded line without a workflow command."""
        words = self.data.get("message") if isinstance(self.data, Mapping) else self.data
        return " ".join(str(words).split())[:200].replace("::", ": :").replace("##[", "## [")

    @property
    def trouble(self) -> Trouble | None:
        """Return what went wrong, or None for a success with a JSON body (or without one, as for DELETE)."""
        if 200 <= self.status < 300:
            return None if self.readable else Trouble.UNAVAILABLE
        if self.status == 0 or self.status >= 500 or self.status == 408:
            return Trouble.UNAVAILABLE
        if self.status == 429 or (self.status == 403 and self._is_rate_limit()):
            return Trouble.RATE_LIMITED
        # GitHub has no codes for these; its sentences are the only difference.
        message = self.message.lower()
        told = [trouble for (status, words), trouble in _TOLD.items() if status == self.status and words in message]
        return told[0] if told else _BY_STATUS.get(self.status, Trouble.REFUSED)

    def seconds_to_wait(self, attempt: int, now: float) -> float:
        """Return the pause before the next attempt: as GitHub asks, else 1, 2, 4, 8, 16 s, or 60, 120 s for a limit.

        Source: docs.github.com, "Best practices for using the REST API", handling rate limit errors.
        """
        if self.trouble is not Trouble.RATE_LIMITED:
            return float(2**attempt)
        requested = self.headers.get("retry-after", "")
        if requested.isdecimal():
            return float(requested)
        reset = self.headers.get("x-ratelimit-reset", "")
        if self.headers.get("x-ratelimit-remaining") == "0" and reset.isdecimal():
            return max(1.0, float(reset) - now + 1)
        return float(60 * 2**attempt)

    def _is_rate_limit(self) -> bool:
        exhausted = self.headers.get("x-ratelimit-remaining") == "0"
        return exhausted or "retry-after" in self.headers or "rate limit" in self.message.lower()


class GitHubError(PublishError):
    """GitHub refused a request, or did not answer it within the time for retries."""

    usual_topic = "github-refuses-or-does-not-answer"

    def __init__(self, what: str, *, trouble: Trouble, status: int, expected: str, fix: str) -> None:
        super().__init__(what, expected=expected, fix=fix)
        self.trouble = trouble
        self.status = status

    @property
    def is_forbidden(self) -> bool:
        return self.trouble in {Trouble.FORBIDDEN, Trouble.APP_ONLY}


_BY_STATUS = {
    401: Trouble.UNAUTHORIZED,
    403: Trouble.FORBIDDEN,
    404: Trouble.MISSING,
    409: Trouble.CONFLICT,
    410: Trouble.MISSING,
}
_TOLD = {
    (403, "locked"): Trouble.LOCKED,
    (403, "github app"): Trouble.APP_ONLY,
    (422, "too long"): Trouble.TOO_LONG,
}
_FIX = {
    Trouble.UNAVAILABLE: "Re-run the job once GitHub is available again (githubstatus.com).",
    Trouble.RATE_LIMITED: "Re-run the job later, or set `github-token` to a token with its own rate limit.",
    Trouble.UNAUTHORIZED: "Set `github-token` to a valid token; the job's token expires with the job.",
    Trouble.FORBIDDEN: "Grant the job the missing permission.",
    Trouble.APP_ONLY: "Use the job's token.",
    Trouble.LOCKED: "Unlock the conversation so that reports can be posted there.",
    Trouble.MISSING: "Check that it was not deleted, and that the token can read this repository.",
    Trouble.CONFLICT: "Re-run the job.",
    Trouble.TOO_LONG: "Re-run the job; if it fails again, report it with this message.",
    Trouble.REFUSED: "Re-run the job; if it fails again, report it with this message.",
}


def explain(response: GitHubResponse, request: str) -> GitHubError:
    """Return the error for a response that is not a success."""
    trouble = response.trouble or Trouble.REFUSED
    answered = f"answered {request} with status {response.status}" if response.status else f"did not answer {request}"
    return GitHubError(
        f"GitHub {answered}: {response.message}",
        trouble=trouble,
        status=response.status,
        expected="a successful response.",
        fix=_FIX[trouble],
    )
