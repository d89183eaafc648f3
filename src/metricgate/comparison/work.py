"""How long the pipelines of a run took, how many tokens they used, and how long the reused stages took when they ran."""

from collections.abc import Iterable, Mapping

from metricgate.models.snapshot import Snapshot, Source, Stage

_TOKENS = frozenset({"tokens", "total_tokens"})
_KEPT = frozenset({Source.STORED, Source.EARLIER})


def sum_trained(snapshots: Iterable[Snapshot]) -> float:
    """Return the seconds of all stages that ran in this run, of any revision."""
    return sum(stage.seconds or 0.0 for snapshot in snapshots for stage in snapshot.stages if stage.state == "ran")


def sum_tokens(snapshots: Iterable[Snapshot]) -> int | None:
    """Return the tokens that pipelines which ran in this run counted in their metrics files; None if none did."""
    counted = [
        metric.value
        for snapshot in snapshots
        if any(stage.state == "ran" for stage in snapshot.stages)
        for metric in snapshot.metrics
        if metric.key.rpartition(".")[2] in _TOKENS and metric.value is not None
    ]
    return round(sum(counted)) if counted else None


def sum_reused(candidate: Snapshot, others: Iterable[Snapshot]) -> float:
    """Return the seconds that the stages which did not run took in the runs that kept their results.

    dvc.lock has no durations, so those of results from Git, DVC's cache or its remote are unknown. A stage of the
    candidate that DVC left alone or took from its cache counts as long as the same stage of another side, if known.
    """
    others = tuple(others)
    known: dict[str, float] = {}
    for snapshot in others:
        known |= _durations(snapshot.stages, kept=snapshot.info.source in _KEPT)
    own = _durations(candidate.stages, kept=True) if candidate.info.source in _KEPT else known
    reused = sum(own.get(stage.name, 0.0) for stage in candidate.stages if stage.state != "ran")
    for snapshot in others:
        if snapshot.info.source in _KEPT:
            reused += sum(_durations(snapshot.stages, kept=True).values())
    return reused


def _durations(stages: Iterable[Stage], *, kept: bool) -> Mapping[str, float]:
    """Return the durations of stages that ran: in this run or, of ``kept`` results, in the one that kept them."""
    return {stage.name: stage.seconds for stage in stages if stage.seconds and (kept or stage.state == "ran")}
