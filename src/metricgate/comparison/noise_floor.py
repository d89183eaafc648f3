"""The noise floor from models that differ in their seed alone, and what it says about a policy's margins."""

from collections.abc import Iterable, Sequence
from statistics import stdev

from metricgate.models.noise import NoiseFloor, NoiseResult
from metricgate.models.result import GateRow, MetricRow, Warning_

CONFIDENCE = 0.95
RELATIVE = ("max_drop", "max_increase")


def measure_floors(seeds: Sequence[Iterable[MetricRow]]) -> tuple[NoiseFloor, ...]:
    """Return the floor of each metric that has a value on all rows for every seed; ``seeds`` has at least two.

    The difference of two draws has the standard deviation s·√2, and s is estimated from k draws: the bound is
    Student's t on k − 1 degrees of freedom.
    """
    from scipy.stats import t  # noqa: PLC0415  a gate's run without a noise floor does not need it here

    found: dict[tuple[str, str, str], list[float]] = {}
    for rows in seeds:
        for row in rows:
            if row.slice is None and row.candidate is not None:
                found.setdefault((row.name, row.set, row.source), []).append(row.candidate)
    width = float(t.ppf((1 + CONFIDENCE) / 2, len(seeds) - 1)) * 2**0.5
    return tuple(
        NoiseFloor(metric=name, set=set_, source=source, sd=stdev(values), floor=width * stdev(values))
        for (name, set_, source), values in found.items()
        if len(values) == len(seeds)
    )


def show_noise(gates: Iterable[GateRow], noise: NoiseResult | None) -> tuple[GateRow, ...]:
    """Return the gates, those about a difference on all rows with the noise floor of their metric."""
    if noise is None:
        return tuple(gates)
    return tuple(
        gate.model_copy(update={"noise": floor.floor})
        if gate.slice is None
        and gate.kind in (*RELATIVE, "min_gain")
        and (floor := noise.find(gate.metric, gate.set, gate.source))
        else gate
        for gate in gates
    )


def warn_of_noise(gates: Iterable[GateRow], noise: NoiseResult | None) -> tuple[Warning_, ...]:
    """Return a warning of each margin that another seed alone can use up."""
    if noise is None:
        return ()
    return tuple(
        Warning_(
            code="margin_below_noise",
            text=f"The margin of {gate.metric} ({gate.bound:.3g}) is below the noise floor ({gate.noise:.3g}): another "
            f"seed alone can move it that far. With seeds alone, {noise.blocked} of {noise.pairs} pairs of equal "
            f"recipes were blocked ({noise.runs} seeds, {noise.at[:10]}).",
            location=gate.location,
        )
        for gate in gates
        if gate.kind in RELATIVE and gate.noise is not None and not gate.anchor and gate.bound < gate.noise
    )
