"""Numbers that the pipeline itself wrote into DVC metrics files, side by side."""

from collections.abc import Iterable
from dataclasses import dataclass

from metricgate.comparison.subject import Missing, MissingSide
from metricgate.models.outcome import Direction
from metricgate.models.result import MetricRow, Warning_
from metricgate.models.snapshot import Snapshot, Source

HIGHER_WORDS = ("accuracy", "auc", "f1", "precision", "recall", "r2", "mcc", "kappa", "jaccard", "iou", "bleu", "rouge")
LOWER_WORDS = ("loss", "error", "mae", "mse", "rmse", "mape", "brier", "perplexity", "wer", "cer")
COST_WORDS = ("seconds", "duration", "latency", "elapsed", "bytes", "memory", "runtime", "wall_time", "train_time")
COST_ENDINGS = ("_s", "_ms", "_sec", "_secs", "_mb", "_gb", "_mib", "_gib", "_time")


@dataclass(frozen=True, kw_only=True)
class NumberPair:
    """One key of a metrics file on both sides; a side without a number is Missing, with the reason."""

    file: str
    key: str
    baseline: float | Missing
    candidate: float | Missing


def pair_number(baseline: Snapshot | None, candidate: Snapshot, file: str, key: str) -> NumberPair:
    """Return one key of a metrics file on both sides."""
    return NumberPair(
        file=file,
        key=key,
        baseline=_find(baseline, "baseline", file, key),
        candidate=_find(candidate, "candidate", file, key),
    )


def _find(snapshot: Snapshot | None, side: MissingSide, file: str, key: str) -> float | Missing:
    if snapshot is None:
        return Missing(side=side, code="no_baseline", reason="there is no baseline to compare with")
    for problem in snapshot.problems:
        if problem.what == file and not problem.missing:
            return Missing(side=side, code="unreadable", reason=f"{file} of the {side} is unreadable: {problem.reason}")
    for metric in snapshot.metrics:
        if (metric.file, metric.key) == (file, key):
            if metric.value is None:
                return Missing(side=side, code="not_a_number", reason=f"{metric.name} of the {side} {metric.problem}")
            return metric.value
    return Missing(side=side, code="absent", reason=f"the {side} has no {file}:{key}")


def measure_numbers(baseline: Snapshot | None, candidate: Snapshot) -> tuple[MetricRow, ...]:
    """Return every number of the metrics files of both sides, in the order of file and key."""
    places = {
        (metric.file, metric.key) for snapshot in (baseline, candidate) if snapshot for metric in snapshot.metrics
    }
    return tuple(_number_row(pair_number(baseline, candidate, *place)) for place in sorted(places))


def _number_row(pair: NumberPair) -> MetricRow:
    baseline = None if isinstance(pair.baseline, Missing) else pair.baseline
    candidate = None if isinstance(pair.candidate, Missing) else pair.candidate
    notes = [value.reason for value in (pair.baseline, pair.candidate) if isinstance(value, Missing)]
    return MetricRow(
        name=pair.key,
        source=pair.file,
        direction=guess_direction(pair.key),
        baseline=baseline,
        candidate=candidate,
        difference=None if baseline is None or candidate is None else candidate - baseline,
        note="; ".join(notes),
    )


def guess_direction(key: str) -> Direction | None:
    """Return which way a number gets better, guessed from its name; None where the name does not tell."""
    name = key.rpartition(".")[2].lower()
    words = set(name.replace("-", "_").split("_"))
    if is_cost(key) or words & set(LOWER_WORDS):
        return Direction.LOWER
    return Direction.HIGHER if words & set(HIGHER_WORDS) else None


def is_advisory(key: str, baseline: Snapshot | None, candidate: Snapshot) -> bool:
    """Return whether a number is seconds or bytes that were not both measured in this run."""
    if not is_cost(key):
        return False
    return baseline is None or {baseline.info.source, candidate.info.source} != {Source.REPRODUCED}


def is_cost(key: str) -> bool:
    """Return whether a number is time or memory, judged by its name."""
    name = key.rpartition(".")[2].lower()
    return name.endswith(COST_ENDINGS) or any(word in name for word in COST_WORDS)


def disagreeing_numbers(rows: Iterable[MetricRow]) -> tuple[Warning_, ...]:
    """Return a warning for each name with different values in a metrics file and in the predictions.

    A number in a file may be rounded: it disagrees when it differs by more than half of its last decimal.
    """
    listed = list(rows)
    computed = {row.name: row for row in listed if row.source == "predictions" and row.slice is None and not row.set}
    return tuple(
        Warning_(
            code="disagreement",
            text=f"{row.source} says {row.name} = {row.candidate:g}, the predictions say "
            f"{computed[row.name].candidate:g}. Gates on {row.name} use the predictions.",
        )
        for row in listed
        if row.source != "predictions"
        and row.name in computed
        and _disagree(row.candidate, computed[row.name].candidate)
    )


def _disagree(written: float | None, computed: float | None) -> bool:
    if written is None or computed is None:
        return False
    decimals = len(repr(written).partition(".")[2].rstrip("0"))
    return abs(written - computed) > 0.5000001 * 10.0**-decimals + 1e-9 * abs(computed)
