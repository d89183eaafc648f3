"""How a model server answered for the judged rows, in the form of report.json."""

from typing import Annotated

from pydantic import Field

from metricgate.models.base import Bound, Finite, Value

MOST_SKEWED = 20


class SkewedValue(Value):
    """One answer that is not the judged one; a value as text, and empty where there was none."""

    row: str  # its id or, without one, its number in the file from 1
    column: str
    judged: str
    served: str


class Latency(Value):
    """A quantile of the seconds that a request took, with its interval; a null bound: too few requests to tell."""

    quantile: Finite
    seconds: Finite
    low: Bound = None
    high: Bound = None


class ServerAnswers(Value):
    """How one server answered: requests, those that failed, and how long the others took."""

    requests: int
    failed: int
    latencies: tuple[Latency, ...] = ()
    problem: str = ""  # of the first request that failed


class ServingReport(Value):
    """The served model beside the judged one."""

    url: str
    image: str = ""  # the digest of the server's image, where the workflow gives it
    protocol: str
    rows: int = 0
    skewed: int = 0  # rows with an answer that is not the judged one
    unanswered: int = 0
    largest: Finite | None = None  # difference between a judged number and a served one
    columns: tuple[str, ...] = ()  # in which answers differ
    values: Annotated[tuple[SkewedValue, ...], Field(max_length=MOST_SKEWED)] = ()
    batch: int = 0
    candidate: ServerAnswers | None = None
    baseline: ServerAnswers | None = None
    problem: str = ""
