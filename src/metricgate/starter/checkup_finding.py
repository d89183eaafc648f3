"""A finding of `metricgate doctor`: what was checked, how bad it is, and its cure."""

from dataclasses import dataclass
from enum import StrEnum

from metricgate.errors import MetricgateError


class Level(StrEnum):
    """How bad a finding is: fine, worth knowing, or fatal to the first run."""

    FINE = "fine"
    NOTICE = "notice"
    BROKEN = "broken"


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One thing that was checked; ``cure`` is empty where there is nothing to do."""

    level: Level
    what: str
    cure: str = ""


def fine(what: str) -> Finding:
    return Finding(level=Level.FINE, what=what)


def notice(what: str, cure: str) -> Finding:
    return Finding(level=Level.NOTICE, what=what, cure=cure)


def broken(what: str, cure: str) -> Finding:
    return Finding(level=Level.BROKEN, what=what, cure=cure)


def from_error(error: MetricgateError) -> Finding:
    return broken(error.what, error.fix)
