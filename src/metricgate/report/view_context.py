"""What a view depends on beside the report: links, addresses of pictures, earlier runs."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Annotated

from pydantic import Field

from metricgate.models.base import Value
from metricgate.models.outcome import Verdict


class PastRun(Value):
    """An earlier run in the same pull request, as MetricGate's own comment remembers it."""

    revision: str = Field(pattern=r"^[0-9a-f]{7,64}$")
    verdict: Verdict
    headline: str = Field(max_length=300)
    changes: tuple[Annotated[str, Field(max_length=200)], ...] = Field((), max_length=4)  # of the first gates
    test_set: str = Field("", max_length=32)
    answers: str = Field("", max_length=32)


@dataclass(frozen=True, kw_only=True)
class ViewContext:
    """Where a report is shown; the default knows nothing, as on a laptop.

    Attributes
    ----------
    repository_url : such as ``https://github.com/OWNER/NAME``; commits are linked below it
    pictures : chart name to the addresses of its light and its dark picture
    picture_note : one sentence that says why there are no pictures, and how to get them
    history : earlier runs in this pull request, oldest first
    report_url : address of the whole report (the run's artifact or its summary page)
    """

    repository_url: str = ""
    pictures: Mapping[str, tuple[str, str]] = field(default_factory=lambda: MappingProxyType({}))
    picture_note: str = ""
    history: tuple[PastRun, ...] = ()
    report_url: str = ""


NO_CONTEXT = ViewContext()
