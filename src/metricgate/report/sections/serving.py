"""The served model beside the judged one: answers that differ, latency, and failed requests."""

from metricgate.models.serving import Latency, ServerAnswers, ServingReport
from metricgate.report.document import DocumentPart, draw_table, fold
from metricgate.report.escape import code_span, escape_prose
from metricgate.report.number_format import NONE, format_count, plural
from metricgate.report.value import Report

RANK = 2


def serving_section(report: Report) -> DocumentPart:
    """Return the folded section; a report without a model server has none."""
    serving = report.serving

    def draw(count: int) -> str:
        return _draw(serving, count) if serving and count else ""

    return DocumentPart(name="served answers", rank=RANK, size=max(1, len(serving.values)) if serving else 1, draw=draw)


def _draw(serving: ServingReport, count: int) -> str:
    values = [
        (code_span(value.row), code_span(value.column), code_span(value.judged), code_span(value.served))
        for value in serving.values[:count]
    ]
    image = f" · image {code_span(serving.image, 200)}" if serving.image else ""
    batch = f" · {plural(serving.batch, 'row')} in a request" if serving.batch else ""
    return fold(
        f"The served model: {_summarise(serving)}",
        escape_prose(serving.problem),
        draw_table(("Row", "Column", "Judged", "Served"), values, "llrr") if values else "",
        _draw_latencies(serving),
        f"<sub>{code_span(serving.url, 200)} · {serving.protocol}{batch}{image}</sub>",
    )


def _summarise(serving: ServingReport) -> str:
    if serving.problem or not serving.rows:
        return "it could not be asked"
    if serving.skewed or serving.unanswered:
        parts = [(serving.skewed, "differ"), (serving.unanswered, "without an answer")]
        told = ", ".join(f"{format_count(number)} {words}" for number, words in parts if number)
        return f"of {format_count(serving.rows)} rows, {told}"
    return f"all {format_count(serving.rows)} rows are answered as judged"


def _draw_latencies(serving: ServingReport) -> str:
    sides = [(name, side) for name, side in (("Baseline", serving.baseline), ("Candidate", serving.candidate)) if side]
    if not any(side.latencies for _, side in sides):
        return ""
    header = ("Server", "Median", "95 % of requests within", "Requests", "Failed")
    return draw_table(header, [_draw_side(name, side) for name, side in sides], "lrrrr")


def _draw_side(name: str, side: ServerAnswers) -> tuple[str, ...]:
    times = [_draw_latency(latency) for latency in side.latencies] or [NONE, NONE]
    return (name, *times, format_count(side.requests), format_count(side.failed))


def _draw_latency(latency: Latency) -> str:
    low, high = (NONE if end is None else f"{end * 1000:.3g}" for end in (latency.low, latency.high))
    return f"{latency.seconds * 1000:.3g} ms ({low} … {high})"
