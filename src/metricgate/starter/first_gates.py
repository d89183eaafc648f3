"""The gates of a first policy: margins that the test rows at hand can settle."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from metricgate.compare import assess_rows
from metricgate.errors import MetricgateError
from metricgate.gates.assessment import RulePower
from metricgate.models.samples import Task
from metricgate.settings.policy import GateSpec, Margin, Policy, PredictionsSpec

LADDER = (0.01, 0.015, 0.02, 0.025, 0.03, 0.04, 0.05, 0.06, 0.08, 0.1)


@dataclass(frozen=True, kw_only=True)
class FirstGate:
    """A required gate; ``margin`` is a share of the baseline where ``is_share``, and ``remark`` says what it lacks."""

    metric: str
    key: str
    margin: float
    is_share: bool = False
    remark: str = ""

    @property
    def written_margin(self) -> str:
        return f"{self.margin * 100:g}%" if self.is_share else f"{self.margin:g}"


ACCURACY = FirstGate(metric="accuracy", key="max_drop", margin=0.02)
GATES: dict[Task, tuple[FirstGate, ...]] = {
    "binary": (ACCURACY,),
    "multiclass": (ACCURACY, FirstGate(metric="f1_macro", key="max_drop", margin=0.04)),
    "regression": (FirstGate(metric="mean_absolute_error", key="max_increase", margin=0.03, is_share=True),),
    "score": (),
}


def choose_gates(path: Path, spec: PredictionsSpec, task: Task) -> tuple[FirstGate, ...]:
    """Return a gate for each main metric of the task, with a margin that equal models pass in 4 of 5 pull requests.

    One model's predictions are at hand, so how far two models differ is assumed, as `metricgate power` does.
    """
    gates = tuple(_list_gates(spec, task))
    written = tuple(GateSpec.model_validate({"metric": gate.metric, gate.key: _to_margin(gate)}) for gate in gates)
    try:
        powers = assess_rows(path, Policy(predictions=spec, gates=written))
    except MetricgateError:
        return gates  # the file is read again when it is judged, which reports the error
    found = {power.rule.position: power for power in powers}
    return tuple(_settle(gate, found[number]) if number in found else gate for number, gate in enumerate(gates))


def _to_margin(gate: FirstGate) -> Margin:
    return Margin(value=gate.margin, relative=gate.is_share)


def _list_gates(spec: PredictionsSpec, task: Task) -> Iterator[FirstGate]:
    if task == "binary" and spec.score:
        yield FirstGate(metric="roc_auc", key="max_drop", margin=0.01)
    if task == "score":
        yield FirstGate(metric=f"mean({spec.score})", key="max_drop", margin=0.02)
    yield from GATES[task]


def _settle(gate: FirstGate, assessed: RulePower) -> FirstGate:
    power = assessed.power
    settled = gate.margin * power.settled_margin / power.margin if power.margin else 0.0
    margin = _round_up(settled, (step for step in LADDER if step >= gate.margin))
    if margin is not None:
        return replace(gate, margin=margin)
    return replace(gate, remark=f"{power.rows:,} rows cannot settle this; run `metricgate power`")


def _round_up(value: float, steps: Iterable[float]) -> float | None:
    return next((step for step in steps if step >= value), None)
