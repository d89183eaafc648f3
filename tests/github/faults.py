"""What can go wrong on the way to GitHub and back."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal


@dataclass(frozen=True)
class Fault:
    """One fault for one request. ``written``: whether GitHub did what was asked before things went wrong."""

    kind: Literal["answer", "reset", "slow", "drip"]
    status: int = 500
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    written: bool = False
    seconds: float = 0.0


def answer(status: int, message: str = "", *, written: bool = False, headers: Mapping[str, str] | None = None) -> Fault:
    body = json.dumps({"message": message or f"status {status}", "documentation_url": "https://docs.github.com/rest"})
    return Fault("answer", status, body.encode(), headers or {}, written)


def html(status: int = 200, *, written: bool = False) -> Fault:
    return Fault("answer", status, b"<html><body>We had issues</body></html>", {"Content-Type": "text/html"}, written)


def reset(*, written: bool) -> Fault:
    return Fault("reset", written=written)


def slow(seconds: float, *, written: bool = True) -> Fault:
    return Fault("slow", seconds=seconds, written=written)


def drip(*, written: bool = False) -> Fault:
    """A byte of the response at a time, without end."""
    return Fault("drip", written=written, seconds=0.05)


@dataclass
class FaultPlan:
    """Faults still to come for the requests whose ``METHOD /path`` matches."""

    pattern: re.Pattern[str]
    faults: list[Fault]
    met: int = 0

    def take(self, request: str) -> Fault | None:
        if not self.faults or not self.pattern.search(request):
            return None
        self.met += 1
        return self.faults.pop(0)
