"""Rules: the policy's gates spelled out, one for each metric, slice value and bound that is judged separately."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from metricgate.errors import ConfigurationError
from metricgate.models.outcome import Direction, Role
from metricgate.models.result import GateKind, Slice
from metricgate.settings.policy import AnchorSpec, GateSpec, Margin
from metricgate.stats.formula import is_formula

ABSOLUTE_KINDS: tuple[GateKind, ...] = ("min", "max")
WRITTEN_KINDS: tuple[GateKind, ...] = ("max_drop", "max_increase", "min_gain")
RELATIVE_KINDS: tuple[GateKind, ...] = (*WRITTEN_KINDS, "max_shift")
DEFAULT_MARGIN = Margin(value=0.01)
DEFAULT_LOSS_MARGIN = Margin(value=0.05, relative=True)


@dataclass(frozen=True, kw_only=True)
class Rule:
    """One thing to judge: ``metric`` on all rows or one slice, against ``margin`` (relative) or ``bar`` (absolute).

    ``file`` is the metrics file of a number that is not computed from predictions.
    """

    metric: str
    kind: GateKind
    role: Role
    set: str = ""
    file: str | None = None
    slice: Slice | None = None
    margin: Margin | None = None
    bar: float | None = None
    confident: bool = False
    anchor: bool = False
    position: int = 0  # of the gate in the policy, from 0

    @property
    def is_relative(self) -> bool:
        return self.kind in RELATIVE_KINDS

    @property
    def source(self) -> str:
        return self.file or "predictions"


def split_metric(name: str) -> tuple[str | None, str]:
    """Split ``FILE:dotted.key`` into file and key; a bare name and a formula have no file."""
    if is_formula(name):
        return None, name
    file, colon, key = name.rpartition(":")
    return (file, key) if colon and file else (None, name)


def expand_gates(
    gates: Iterable[GateSpec],
    slice_values: Mapping[str, Mapping[str, tuple[str, ...]]],
) -> tuple[Rule, ...]:
    """Return the rules of the gates. ``slice_values``: prediction set -> slice column -> its values, in order."""
    return tuple(
        replace(rule, slice=slice_)
        for position, gate in enumerate(gates)
        for rule in _rules_of(gate, position, slice_values)
        for slice_ in _slices_of(gate, rule.set, slice_values)
    )


def _rules_of(
    gate: GateSpec, position: int, slice_values: Mapping[str, Mapping[str, tuple[str, ...]]]
) -> Iterable[Rule]:
    file, metric = split_metric(gate.metric)
    role = gate.role or (Role.GUARDRAIL if gate.slices else Role.REQUIRED)
    for kind in (*ABSOLUTE_KINDS, *WRITTEN_KINDS):
        value = getattr(gate, kind)
        if value is not None:
            yield Rule(
                metric=metric,
                kind=kind,
                role=role,
                set="" if file else _set_of(gate, slice_values),
                file=file,
                margin=value if kind in RELATIVE_KINDS else None,
                bar=value if kind in ABSOLUTE_KINDS else None,
                confident=gate.confident,
                position=position,
            )


def _set_of(gate: GateSpec, slice_values: Mapping[str, Mapping[str, tuple[str, ...]]]) -> str:
    if not slice_values:
        raise ConfigurationError(
            f"The gate on {gate.metric} needs predictions, and the policy names none.",
            expected="`predictions:` with the path and the columns of the predictions file.",
            fix=f"Add `predictions:` to metricgate.yaml, or gate the number in a metrics file: "
            f"`metric: metrics.json:{gate.metric}`.",
            topic="the-gate-needs-predictions",
        )
    if gate.set is not None:
        return gate.set
    if len(slice_values) > 1:
        raise ConfigurationError(
            f"The gate on {gate.metric} does not say which prediction set it judges.",
            expected=f"`set:` with one of {', '.join(slice_values)}.",
            fix=f"Add `set: {next(iter(slice_values))}` to the gate.",
            topic="several-prediction-sets",
        )
    return next(iter(slice_values))


def _slices_of(
    gate: GateSpec, set_name: str, slice_values: Mapping[str, Mapping[str, tuple[str, ...]]]
) -> Iterable[Slice | None]:
    if not gate.slices:
        yield None
    for column in gate.slices:
        values = slice_values.get(set_name, {}).get(column)
        if values is None:
            raise ConfigurationError(
                f"The gate on {gate.metric} judges slices of {column}, which is not a slice column of the predictions.",
                expected=f"a column listed in `predictions.slices`: {_listing(slice_values.get(set_name, {}))}.",
                fix=f"Add {column} to `predictions.slices`, or remove it from the gate.",
                topic="the-slice-is-not-declared",
            )
        for value in values:
            yield Slice(column=column, value=value)


def _listing(names: Iterable[str]) -> str:
    return ", ".join(names) or "none is listed"


def expand_anchor(anchor: AnchorSpec, sets: Iterable[str]) -> tuple[Rule, ...]:
    """Return the rules of the anchor's margins, for the first prediction set."""
    set_name = next(iter(sets), "")
    margins: tuple[tuple[GateKind, dict[str, Margin]], ...] = (
        ("max_drop", anchor.max_drop),
        ("max_increase", anchor.max_increase),
    )
    return tuple(
        Rule(
            metric=metric,
            kind=kind,
            role=Role.REQUIRED,
            set="" if file else set_name,
            file=file,
            margin=margin,
            anchor=True,
        )
        for kind, by_metric in margins
        for name, margin in by_metric.items()
        for file, metric in [split_metric(name)]
    )


def watch_metrics(metrics: Iterable[tuple[str, Direction]], set_name: str) -> tuple[Rule, ...]:
    """Return the rules of a policy without gates: guardrails over the task's main metrics.

    A loss that is shown to exceed 0.01 blocks; for losses and errors, 5 % of the baseline.
    """
    return tuple(
        guard(metric, direction, DEFAULT_MARGIN if direction is Direction.HIGHER else DEFAULT_LOSS_MARGIN, set_name)
        for metric, direction in metrics
    )


def guard(metric: str, direction: Direction, margin: Margin, set_name: str) -> Rule:
    """Return a guardrail over all rows."""
    kind: GateKind = "max_drop" if direction is Direction.HIGHER else "max_increase"
    return Rule(metric=metric, kind=kind, role=Role.GUARDRAIL, set=set_name, margin=margin)


def describe_rule(rule: Rule, label: str, direction: Direction) -> str:
    """Return the rule as one plain sentence; ``label`` is the metric's name for people."""
    where = f" where {rule.slice.column} = {rule.slice.value}" if rule.slice else ""
    must_be = " must be" if rule.kind in ABSOLUTE_KINDS else ""
    amount = f"{rule.bar:g}" if rule.margin is None else str(rule.margin) if rule.margin.value else ""
    confidence = ", with confidence" if rule.confident and rule.kind in ABSOLUTE_KINDS else ""
    return f"{label}{where}{must_be} {word_demand(rule.kind, direction, amount, anchor=rule.anchor)}{confidence}"


def word_demand(kind: GateKind, direction: Direction, amount: str, *, anchor: bool = False) -> str:
    """Return what a rule demands: ``may fall by 0.01``, ``at least 0.9``. A margin of zero has no ``amount``."""
    if kind in ABSOLUTE_KINDS:
        return f"at {'least' if kind == 'min' else 'most'} {amount}"
    if kind == "max_shift":
        return f"may move by {amount}"
    word = "fall" if (direction is Direction.HIGHER) is (kind != "min_gain") else "rise"
    if kind == "min_gain":
        return f"must {word}" + (f" by {amount}" if amount else "")
    since = " since the anchor" if anchor else ""
    return f"may {word} by {amount}{since}" if amount else f"may not {word}{since}"
