"""Fresh rows with their true label: read, counted by whether they are old enough, and judged against the release."""

from dataclasses import dataclass
from datetime import datetime

import numpy as np

from metricgate.errors import MetricgateError
from metricgate.gates.fresh_performance import MAX_MISSING, FreshPerformance, judge_performance, leave_open
from metricgate.gates.judge import tail_of
from metricgate.gates.rules import Rule, expand_gates
from metricgate.models.result import GateRow, Warning_
from metricgate.models.snapshot import FilePart
from metricgate.monitoring.tables import WatchedTables
from metricgate.predictions import Predictions, read_predictions
from metricgate.predictions.labelled_rows import LabelledRows, Month, find_labelled_rows
from metricgate.settings.monitor import LabelsSpec, MonitorSpec
from metricgate.settings.policy import GateSpec, Policy, PredictionsSpec
from metricgate.stats.formula import is_formula


@dataclass(frozen=True, kw_only=True)
class LabelFindings:
    """What the labelled rows showed; ``rows`` is how many there are, None where no labels are named."""

    gates: tuple[GateRow, ...] = ()
    rows: int | None = None
    warnings: tuple[Warning_, ...] = ()


def measure_labels(
    policy: Policy, spec: MonitorSpec, tables: WatchedTables, now: datetime, *, month: Month | None = None
) -> LabelFindings:
    """Judge the policy's gates on fresh labelled rows; nothing where no labels or no gates are named.

    Raises
    ------
    PredictionsError
        If a column is missing, or a labelled row cannot be judged.
    """
    rules = tuple(_list_rules(policy))
    own = next(iter(policy.prediction_sets.values()), None)
    if spec.labels is None:
        return LabelFindings()
    if own is None or not rules:
        lacking = "no gate over all rows" if own else "no `predictions:`"
        text = f"`labels` is named, and the policy has {lacking}, so performance was not judged."
        return LabelFindings(warnings=(Warning_(code="labels", text=text),))
    until = now - spec.labels.delay if spec.labels.delay else None
    found = find_labelled_rows(*tables.current, label=spec.labels.column, time=spec.time, until=until, month=month)
    warnings = tuple(_explain(found, spec.labels))
    reference = _read_reference(own, tables)
    if not found.labelled:
        gates = leave_open(rules, reference) if found.mature and reference else ()
        return LabelFindings(gates=gates, rows=0, warnings=warnings)
    part = FilePart(file=tables.current[0], selected=np.asarray(found.judged))
    meant = _name_columns(own, spec, spec.labels, reference)
    current = read_predictions((part,), meant, shown=tables.current[1])
    performance = FreshPerformance(reference=reference, current=current, missing=found.missing_share)
    gates = judge_performance(rules, performance, tail=tail_of(policy))
    return LabelFindings(gates=gates, rows=found.labelled, warnings=warnings)


def _list_rules(policy: Policy) -> list[Rule]:
    """Return the gates over all rows that have a meaning without the candidate's own file."""
    gates: list[GateSpec] = [
        gate for gate in policy.gates if not gate.slices and ":" not in gate.metric and not is_formula(gate.metric)
    ]
    names: dict[str, dict[str, tuple[str, ...]]] = {gate.set or "": {} for gate in gates} or {"": {}}
    return [rule for rule in expand_gates(gates, names) if rule.kind != "min_gain"]


def _explain(found: LabelledRows, labels: LabelsSpec) -> list[Warning_]:
    texts = []
    if found.young:
        texts.append(f"{found.young:,} rows are younger than `labels.delay` and were not judged.")
    if found.mature and found.missing_share > MAX_MISSING:
        share = f"{100 * found.missing_share:.0f} %"
        texts.append(
            f"{share} of the {found.mature:,} rows that should have '{labels.column}' have none. A loss must stand "
            "whatever their labels are."
        )
    return [Warning_(code="labels", text=text) for text in texts]


def _read_reference(own: PredictionsSpec, tables: WatchedTables) -> Predictions | None:
    """Return the release's own predictions with their labels; None where they cannot be read."""
    if tables.answers is None:
        return None
    spec = own.model_copy(update={"slices": ()})
    try:
        return read_predictions(tables.answers[0], spec, shown=tables.answers[1])
    except MetricgateError:
        if own.label is None:
            return None
        raise


def _name_columns(
    own: PredictionsSpec, spec: MonitorSpec, labels: LabelsSpec, reference: Predictions | None
) -> PredictionsSpec:
    """Return what the columns of the current rows mean: labels are read as the release's were."""
    meant = reference.spec if reference else own
    classes = reference.classes if reference and reference.task == "multiclass" else meant.classes
    return meant.model_copy(
        update={"label": labels.column, "id": (), "slices": (), "weight": None, "group": spec.group, "classes": classes}
    )
