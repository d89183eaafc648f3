"""The report as a short message: the headline, the failing gates, a link. Views for each service are made of it."""

from collections.abc import Sequence
from dataclasses import dataclass

from metricgate.models.outcome import Outcome
from metricgate.models.result import GateRow
from metricgate.report.escape import clean, plain_name, shorten
from metricgate.report.gate_order import gates_with
from metricgate.report.headline import describe_gate, headline
from metricgate.report.number_format import plural
from metricgate.report.value import Report
from metricgate.report.vocabulary import VERDICT_SIGNS
from metricgate.settings.notify import Occasion

MAX_GATES = 5
MAX_SENTENCE = 200

_TELLING = {"inconclusive": (Outcome.INCONCLUSIVE,)}
_WORDS: dict[Occasion, str] = {
    "failed": "failed",
    "inconclusive": "is undecided",
    "error": "could not judge",
    "drift": "drifted",
    "retrained": "was retrained",
    "recovered": "recovered",
}


@dataclass(frozen=True, kw_only=True)
class MessagePlace:
    """What a message is about, and where it leads. Only the subject's name comes from a person who may be anybody."""

    repository: str
    subject: str
    name: str = "MetricGate"
    url: str = ""
    link_text: str = "Open the run"


@dataclass(frozen=True, kw_only=True)
class Message:
    """Plain text, none of it escaped; ``summary`` and ``mention`` alone hold nothing from the repository's files."""

    occasion: Occasion
    summary: str
    headline: str
    gates: tuple[str, ...]
    place: str
    url: str
    link_text: str
    mention: tuple[str, ...] = ()


def write_message(report: Report, occasion: Occasion, place: MessagePlace, mention: Sequence[str] = ()) -> Message:
    """Return the message about a report. Owners are not mentioned on good news."""
    is_good = occasion in ("recovered", "retrained")
    return Message(
        occasion=occasion,
        summary=f"{VERDICT_SIGNS[report.verdict]} {place.name}: {place.repository} {_WORDS[occasion]}",
        headline=f"{VERDICT_SIGNS[report.verdict]} {headline(report)}",
        gates=() if is_good else _list_gates(report, occasion),
        place=" · ".join(_list_places(report, place)),
        url=place.url,
        link_text=place.link_text,
        mention=() if is_good else tuple(mention),
    )


def _list_gates(report: Report, occasion: Occasion) -> tuple[str, ...]:
    outcomes = _TELLING.get(occasion, (Outcome.ERROR, Outcome.FAILED))
    gates = [gate for outcome in outcomes for gate in gates_with(report.gates, outcome)]
    return describe_others(gates, headline(report), MAX_GATES)


def describe_others(gates: Sequence[GateRow], said: str, most: int) -> tuple[str, ...]:
    """Return a sentence about each gate that the text ``said`` does not describe already, at most ``most`` and a count."""
    sentences = [shorten(clean(describe_gate(gate)), MAX_SENTENCE) for gate in gates]
    others = [sentence for sentence in sentences if sentence not in said]
    more = len(others) - most
    return (*others[:most], *((f"and {plural(more, 'more gate')}",) if more > 0 else ()))


def _list_places(report: Report, place: MessagePlace) -> list[str]:
    set_up = [] if report.id == "default" else [place.name]  # several set-ups of a repository may share a channel
    revision = report.candidate.revision if report.candidate else None
    return [*set_up, place.repository, plain_name(place.subject), *([revision[:7]] if revision else [])]
