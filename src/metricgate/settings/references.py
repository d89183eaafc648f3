"""What the parts of a policy say about each other: sets, slices and bounds that cannot be."""

from collections.abc import Iterator
from difflib import get_close_matches

from metricgate.settings.document import Place
from metricgate.settings.policy import GateSpec, Policy


def find_broken_references(policy: Policy) -> Iterator[tuple[Place, str]]:
    """Yield the place and the fault of each gate that cannot be judged by this policy."""
    for index, gate in enumerate(policy.gates):
        yield from _check_set(policy, gate, ("gates", index))
        yield from _check_bounds(gate, ("gates", index))


def _check_set(policy: Policy, gate: GateSpec, place: Place) -> Iterator[tuple[Place, str]]:
    sets = policy.prediction_sets
    names = [name for name in sets if name]
    if ":" in gate.metric:
        for key in ("set", "slices"):
            if getattr(gate, key):
                yield (*place, key), f"cannot be used: {gate.metric} is one number in a metrics file, without rows"
    elif not sets:
        fix = f"add predictions:, or name a number in a metrics file (metrics.json:{gate.metric})"
        yield (*place, "metric"), f"is {gate.metric}, which is computed from predictions, but none are named; {fix}"
    elif gate.set is not None and gate.set not in sets:
        yield (*place, "set"), f"names the prediction set '{gate.set}', {_known(gate.set, names)}"
    elif gate.set is None and len(sets) > 1:
        yield place, f"needs set: with one of the prediction sets {', '.join(names)}"
    else:
        yield from _check_slices(gate, sorted(sets[gate.set or next(iter(sets))].slices), place)


def _check_slices(gate: GateSpec, declared: list[str], place: Place) -> Iterator[tuple[Place, str]]:
    for column in gate.slices:
        if column not in declared:
            yield (*place, "slices"), f"names '{column}', {_known(column, declared)} (under predictions: slices:)"


def _check_bounds(gate: GateSpec, place: Place) -> Iterator[tuple[Place, str]]:
    if gate.min is not None and gate.max is not None and gate.min > gate.max:
        yield (*place, "min"), f"is {gate.min:g}, more than max, which is {gate.max:g}: no value can pass"


def _known(name: str, known: list[str]) -> str:
    if not known:
        return "but none is declared"
    near = get_close_matches(name, known, n=1)
    return (
        f"which is not declared; did you mean {near[0]}?"
        if near
        else f"which is not declared; known are {', '.join(known)}"
    )
