"""What a server's answers mean: a gate that it answers as judged, those on latency and errors, and the report's part.

Time depends on the machine and on the day: its gates decide only where the baseline's server was asked in this run too.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from scipy import stats

from metricgate.gates.judgement import Judgement, judge_bar
from metricgate.models.outcome import Direction, Outcome, ReasonCode, Role
from metricgate.models.result import GateKind, GateRow
from metricgate.models.serving import Latency, ServerAnswers, ServingReport
from metricgate.serving.asked_servers import ServerLog, show_address
from metricgate.serving.judged_rows import JudgedRows
from metricgate.serving.latency import measure_latency
from metricgate.serving.skew import Skew, add_skew
from metricgate.settings.serving import ServingGateSpec, ServingSpec

SOURCE = "serving"
QUANTILES = {"latency_p50": 0.5, "latency_p95": 0.95}
_TOLD = 2
_ROUNDED = 0.01  # two decimals lose at most 0.005
_UNMEASURED = Judgement(outcome=Outcome.ERROR, code="candidate_absent", reason="no request was answered")
_BEYOND = Judgement(outcome=Outcome.FAILED, code="beyond_margin", reason="worse by more than is allowed", beyond=True)
_NO_HARM = Judgement(outcome=Outcome.PASSED, code="no_harm_shown", reason="no loss beyond what is allowed was shown")
_ADVISORY = Judgement(
    outcome=Outcome.SKIPPED,
    code="advisory",
    reason="decides only if the baseline's server is asked in this run too (`baseline_url`); shown for information",
)


@dataclass(frozen=True, kw_only=True)
class JudgedServing:
    """The gate rows, and what the report shows."""

    gates: tuple[GateRow, ...]
    report: ServingReport


@dataclass(frozen=True)
class _Measured:
    """A value of one side with its interval."""

    value: float
    low: float | None
    high: float | None


def refuse_serving(spec: ServingSpec, problem: str, image: str = "") -> JudgedServing:
    """Return the gate of a server that could not be asked: an error, never a pass."""
    report = ServingReport(url=show_address(spec.url), image=image, protocol=spec.protocol, problem=problem)
    return JudgedServing(gates=(_build_parity(Outcome.ERROR, "serving_not_asked", problem),), report=report)


def judge_serving(
    spec: ServingSpec,
    judged: JudgedRows,
    candidate: ServerLog,
    baseline: ServerLog | None,
    *,
    earlier: Mapping[str, Sequence[Any]] | None = None,
    image: str = "",
    tail: float = 0.025,
) -> JudgedServing:
    """Judge what the servers answered. ``earlier`` has the baseline's own answers by column, for the same rows."""
    skew = Skew()
    for row, served in enumerate(candidate.answers):
        if served is not None:
            add_skew(skew, judged, row, served, spec.tolerance)
    unanswered = sum(served is None for served in candidate.answers)
    measures = (_measure(candidate, tail / 2), _measure(baseline, tail / 2) if baseline else None)
    gates = [
        _judge_parity(judged, candidate, skew, unanswered, is_baseline=_answers_as(earlier, judged, candidate, spec)),
        *(_judge_gate(gate, *measures) for gate in spec.gates),
    ]
    report = ServingReport(
        url=show_address(spec.url),
        image=image,
        protocol=spec.protocol,
        rows=len(judged.rows),
        skewed=skew.rows,
        unanswered=unanswered,
        largest=skew.largest,
        columns=tuple(skew.columns),
        values=tuple(skew.values),
        batch=spec.batch or -(-len(judged.rows) // max(1, candidate.requests)),
        candidate=_describe(candidate, tail),
        baseline=_describe(baseline, tail) if baseline else None,
    )
    return JudgedServing(gates=tuple(gates), report=report)


def _answers_as(
    earlier: Mapping[str, Sequence[Any]] | None, judged: JudgedRows, log: ServerLog, spec: ServingSpec
) -> bool:
    """Return whether a server answers for every row as the baseline's model did."""
    if earlier is None or any(served is None for served in log.answers):
        return False
    skew = Skew()
    before = JudgedRows(names=judged.names, features=judged.features, rows=judged.rows, answers=earlier)
    for row, served in enumerate(log.answers):
        add_skew(skew, before, row, served or {}, spec.tolerance)
    return skew.rows == 0


def _judge_parity(judged: JudgedRows, log: ServerLog, skew: Skew, unanswered: int, *, is_baseline: bool) -> GateRow:
    rows = len(judged.rows)
    if unanswered == rows:
        reason = f"not one of {log.requests:,} requests was answered. {log.problem}"
        return _build_parity(Outcome.ERROR, "serving_not_asked", reason)
    if skew.rows:
        told = "; ".join(
            f"row {value.row} has {value.column} {value.served or 'missing'} where "
            f"{value.judged or 'nothing'} was judged"
            for value in skew.values[:_TOLD]
        )
        guess = _guess_cause(skew, rows, is_baseline=is_baseline)
        reason = f"{skew.rows:,} of {rows:,} rows are not answered as judged{guess} ({told})"
        return _build_parity(Outcome.FAILED, "serving_skew", reason)
    if unanswered:
        reason = f"{unanswered:,} of {rows:,} rows were not answered, in {log.failed:,} failed requests. {log.problem}"
        return _build_parity(Outcome.FAILED, "serving_failed", reason)
    largest = f"; the largest difference is {skew.largest:.2g}" if skew.largest else ""
    return _build_parity(Outcome.PASSED, "served_as_judged", f"{rows:,} rows are answered as judged{largest}")


def _guess_cause(skew: Skew, rows: int, *, is_baseline: bool) -> str:
    if is_baseline:
        return ": it is the baseline's model"
    if skew.largest is not None and skew.largest <= _ROUNDED:
        return f": off by {skew.largest:.2g} at most, as after rounding"
    return ": it may be another model" if skew.rows == rows else ""


def _measure(log: ServerLog, tail: float) -> dict[str, _Measured]:
    found = {}
    for name, quantile in QUANTILES.items():
        if latency := measure_latency(log.seconds, quantile, tail=tail):
            found[name] = _Measured(latency.seconds, latency.low, latency.high)
    if log.requests:
        exact = stats.binomtest(log.failed, log.requests).proportion_ci(1 - 2 * tail, method="exact")
        found["error_share"] = _Measured(log.failed / log.requests, float(exact.low), float(exact.high))
    return found


def _judge_gate(
    spec: ServingGateSpec, candidate: Mapping[str, _Measured], baseline: Mapping[str, _Measured] | None
) -> GateRow:
    own, other = candidate.get(spec.metric), (baseline or {}).get(spec.metric)
    if own is None:
        return _build_gate(spec, _UNMEASURED, bound=spec.max or 0.0)
    if spec.max is not None:
        judgement = judge_bar(own.value, None, bar=spec.max, sign=-1)
        ends, bound = (own.low, own.high), spec.max
    else:
        bound, ends = _find_margin(spec, other), _bound_difference(own, other)
        fails = ends[0] is not None and ends[0] > bound
        judgement = _BEYOND if fails else _NO_HARM
    return _build_gate(spec, judgement if other else _ADVISORY, bound=bound, own=own, other=other, ends=ends)


def _find_margin(spec: ServingGateSpec, other: _Measured | None) -> float:
    """Return how much a value may rise; a share is that of the baseline's value."""
    if spec.max_increase is None:
        return 0.0
    return spec.max_increase.value * (other.value if spec.max_increase.relative and other else 1.0)


def _bound_difference(own: _Measured, other: _Measured | None) -> tuple[float | None, float | None]:
    """Return bounds of candidate minus baseline: each side's own, at half the error each."""
    if other is None:
        return None, None
    low = own.low - other.high if own.low is not None and other.high is not None else None
    high = own.high - other.low if own.high is not None and other.low is not None else None
    return low, high


def _build_gate(
    spec: ServingGateSpec,
    judgement: Judgement,
    *,
    bound: float,
    own: _Measured | None = None,
    other: _Measured | None = None,
    ends: tuple[float | None, float | None] = (None, None),
) -> GateRow:
    kind: GateKind = "max" if spec.max is not None else "max_increase"
    demand = f"at most {bound:g}" if kind == "max" else f"may rise by {spec.max_increase}"
    return GateRow(
        rule=f"{spec.metric} of the served model: {demand}",
        metric=spec.metric,
        source=SOURCE,
        role=Role.REQUIRED if kind == "max" else Role.GUARDRAIL,
        kind=kind,
        direction=Direction.LOWER,
        bound=bound,
        share=spec.max_increase.value if spec.max_increase and spec.max_increase.relative else None,
        outcome=judgement.outcome,
        reason=judgement.reason,
        reason_code=judgement.code,
        beyond=judgement.beyond,
        baseline=other.value if other else None,
        candidate=own.value if own else None,
        difference=own.value - other.value if own and other else None,
        low=ends[0],
        high=ends[1],
        method="order statistics" if spec.metric in QUANTILES else "exact binomial",
    )


def _build_parity(outcome: Outcome, code: ReasonCode, reason: str) -> GateRow:
    return GateRow(
        rule="the served model must answer as judged",
        metric="parity",
        source=SOURCE,
        role=Role.REQUIRED,
        kind="max_drop",
        direction=Direction.HIGHER,
        bound=0.0,
        outcome=outcome,
        reason=reason,
        reason_code=code,
        beyond=outcome is Outcome.FAILED,
    )


def _describe(log: ServerLog, tail: float) -> ServerAnswers:
    found = [measure_latency(log.seconds, quantile, tail=tail) for quantile in QUANTILES.values()]
    latencies: tuple[Latency, ...] = tuple(latency for latency in found if latency is not None)
    return ServerAnswers(requests=log.requests, failed=log.failed, latencies=latencies, problem=log.problem[:600])
