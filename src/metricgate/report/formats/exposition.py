"""The report as metrics in Prometheus' text format: for node_exporter's textfile collector, and for a Pushgateway.

Times are exported as timestamps: an age would stand still once runs stop. Commits, pull requests and authors are no
labels: each would add series that a Pushgateway never forgets. Source: prometheus.io, "Exposition formats".
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from metricgate.models.outcome import Verdict
from metricgate.models.result import GateRow, MetricRow
from metricgate.report.escape import plain_name
from metricgate.report.gate_order import margin_to_rule, sort_gates
from metricgate.report.value import Report

MAX_METRICS = 50
MAX_SLICES = 50
MAX_GATES = 100
MAX_LABEL = 100

Labels = Mapping[str, str]
Sample = tuple[Labels, float]


@dataclass(frozen=True, kw_only=True)
class Occurrence:
    """When a run ended and, if it is known, when the newest results of the pipeline were made: seconds since 1970."""

    ended_at: float
    trained_at: float | None = None


def render_exposition(report: Report, when: Occurrence, labels: Labels) -> str:
    """Return every metric of the run; ``labels`` stand on each, except where a Pushgateway's key adds them."""
    families: tuple[tuple[str, str, Iterable[Sample]], ...] = (
        ("verdict", "1 for the verdict of the last run, 0 for the others.", _verdicts(report)),
        ("metric", "Value of the candidate, in the unit of the metric.", _values(report)),
        (
            "metric_difference",
            "Candidate minus baseline, and the ends of its interval, in the unit of the metric.",
            _differences(report),
        ),
        (
            "gate_margin",
            "How far the value is from where its gate would fail; negative beyond it; in the unit of the metric.",
            _margins(report),
        ),
        ("rows", "Test rows compared.", (({"set": one.set}, one.rows) for one in report.pairings)),
        ("run_duration_seconds", "Wall time of the last run, by phase.", _durations(report)),
        ("last_run_timestamp_seconds", "When the last run ended.", (({}, when.ended_at),)),
        (
            "model_trained_timestamp_seconds",
            "When the pipeline made the newest results.",
            (({}, when.trained_at),) if when.trained_at is not None else (),
        ),
        ("build_info", "The version of MetricGate and the judged commit.", (_describe_build(report),)),
    )
    lines = [line for name, text, samples in families for line in _draw(f"metricgate_{name}", text, samples, labels)]
    return "\n".join(lines) + "\n"


def _draw(name: str, text: str, samples: Iterable[Sample], labels: Labels) -> Iterator[str]:
    drawn: dict[str, float] = {}
    for own, value in samples:
        shown = {key: word for key, word in {**labels, **own}.items() if word}
        pairs = ",".join(f'{key}="{_escape(word)}"' for key, word in shown.items())
        drawn.setdefault(f"{name}{{{pairs}}}" if pairs else name, value)  # a series may stand there only once
    if drawn:
        yield f"# HELP {name} {text}"
        yield f"# TYPE {name} gauge"
    for series, value in drawn.items():
        yield f"{series} {value!r}"


def _escape(text: str) -> str:
    return plain_name(text, MAX_LABEL).replace("\\", "\\\\").replace('"', '\\"')


def _verdicts(report: Report) -> Iterator[Sample]:
    return (({"verdict": one.value}, float(one is report.verdict)) for one in Verdict)


def _shown_metrics(report: Report) -> list[MetricRow]:
    """Return the metrics of all rows, those with a gate first, and the slices that a gate names."""
    gated = {(gate.set, gate.metric) for gate in report.gates}
    named = {(gate.set, gate.metric, gate.slice) for gate in report.gates if gate.slice}
    whole = [row for row in report.metrics if row.slice is None]
    whole.sort(key=lambda row: (row.set, row.name) not in gated)
    slices = [row for row in report.metrics if (row.set, row.name, row.slice) in named]
    return [*whole[:MAX_METRICS], *slices[:MAX_SLICES]]


def _labels_of(row: MetricRow | GateRow) -> Labels:
    name = row.name if isinstance(row, MetricRow) else row.metric
    return {"metric": name, "set": row.set, "slice": f"{row.slice.column}={row.slice.value}" if row.slice else ""}


def _values(report: Report) -> Iterator[Sample]:
    return ((_labels_of(row), row.candidate) for row in _shown_metrics(report) if row.candidate is not None)


def _differences(report: Report) -> Iterator[Sample]:
    for row in _shown_metrics(report):
        for bound, value in (("low", row.low), ("estimate", row.difference), ("high", row.high)):
            if value is not None:
                yield {**_labels_of(row), "bound": bound}, value


def _margins(report: Report) -> Iterator[Sample]:
    for gate in sort_gates(report.gates)[:MAX_GATES]:
        margin = margin_to_rule(gate)
        if margin is not None:
            yield {**_labels_of(gate), "gate": f"{gate.kind} since the anchor" if gate.anchor else gate.kind}, margin


def _durations(report: Report) -> Iterator[Sample]:
    return (({"phase": phase}, seconds) for phase, seconds in report.timing or ())


def _describe_build(report: Report) -> Sample:
    revision = (report.candidate.revision or "") if report.candidate else ""
    return {"version": report.metricgate, "sha": revision}, 1.0
