"""What GitHub answered, sorted by what can be done about it."""

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
    LOCKED = "locked"
    MISSING = "missing"
    CONFLICT = "conflict"
    REFUSED = "refused"


@dataclass(frozen=True)
class Answer:
    """One HTTP answer; ``status`` is 0 and ``data`` is what went wrong where there was none."""

    status: int
    data: Any
    headers: Mapping[str, str] = field(default_factory=dict)
    readable: bool = True

    @property
    def message(self) -> str:
        """GitHub's own words in one bounded line that is no command to the runner; a proxy may have written them."""
        words = self.data.get("message") if isinstance(self.data, Mapping) else self.data
        return " ".join(str(words).split())[:200].replace("::", ": :").replace("##[", "## [")

    @property
    def trouble(self) -> Trouble | None:
        """Yield None for a success with a JSON body (or with none, as for DELETE)."""
        if 200 <= self.status < 300:
            return None if self.readable else Trouble.UNAVAILABLE
        if self.status == 0 or self.status >= 500 or self.status == 408:
            return Trouble.UNAVAILABLE
        if self.status == 429 or (self.status == 403 and self._is_rate_limit()):
            return Trouble.RATE_LIMITED
        if self.status == 403 and "locked" in self.message.lower():
            return Trouble.LOCKED
        sorted_by_status = {
            401: Trouble.UNAUTHORIZED,
            403: Trouble.FORBIDDEN,
            404: Trouble.MISSING,
            409: Trouble.CONFLICT,
        }
        return sorted_by_status.get(self.status, Trouble.MISSING if self.status == 410 else Trouble.REFUSED)

    def seconds_to_wait(self, attempt: int, now: float) -> float:
        """Yield the pause before the next attempt: GitHub's own wish, else 1, 2, 4, 8, 16 s, or 60, 120 s for a limit.

        Source: docs.github.com, "Best practices for using the REST API", handling rate limit errors.
        """
        if self.trouble is not Trouble.RATE_LIMITED:
            return float(2**attempt)
        wish = self.headers.get("retry-after", "")
        if wish.isdecimal():
            return float(wish)
        reset = self.headers.get("x-ratelimit-reset", "")
        if self.headers.get("x-ratelimit-remaining") == "0" and reset.isdecimal():
            return max(1.0, float(reset) - now + 1)
        return float(60 * 2**attempt)

    def _is_rate_limit(self) -> bool:
        exhausted = self.headers.get("x-ratelimit-remaining") == "0"
        return exhausted or "retry-after" in self.headers or "rate limit" in self.message.lower()


class GitHubError(PublishError):
    """GitHub did not do what was asked, for good or for as long as we may wait."""

    def __init__(self, what: str, *, trouble: Trouble, status: int, expected: str, fix: str) -> None:
        super().__init__(what, expected=expected, fix=fix)
        self.trouble = trouble
        self.status = status


_FIX = {
    Trouble.UNAVAILABLE: "Re-run the job once GitHub answers again (githubstatus.com).",
    Trouble.RATE_LIMITED: "Re-run the job later, or give `github-token` a token with its own limit.",
    Trouble.UNAUTHORIZED: "Give `github-token` a valid token; the job's own one ends with the job.",
    Trouble.FORBIDDEN: "Grant the job the missing permission.",
    Trouble.LOCKED: "Unlock the conversation to let reports be posted there.",
    Trouble.MISSING: "Check that it was not deleted, and that the token can read this repository.",
    Trouble.CONFLICT: "Re-run the job.",
    Trouble.REFUSED: "Re-run the job; if it stays, report it with this message.",
}


def explain(answer: Answer, request: str) -> GitHubError:
    """Yield the error for an answer that is in trouble."""
    trouble = answer.trouble or Trouble.REFUSED
    status = f"with status {answer.status}" if answer.status else "not at all"
    return GitHubError(
        f"GitHub answered {request} {status}: {answer.message}",
        trouble=trouble,
        status=answer.status,
        expected="a successful answer.",
        fix=_FIX[trouble],
    )
