"""All watched columns of two tables, measured one after the other, and the rules that they are judged by."""

from collections.abc import Sequence
from dataclasses import dataclass

from metricgate.errors import ConfigurationError
from metricgate.gates.drift_gates import DriftRule
from metricgate.models.outcome import Role
from metricgate.models.watch import JOINT, WatchedFeature
from metricgate.monitoring.column_measurement import MeasuredColumn, measure_column
from metricgate.monitoring.joint_shift import measure_joint_shift
from metricgate.predictions.table_pair import TablePair
from metricgate.predictions.watched_column import WatchedColumn, classify_column, require_columns
from metricgate.settings.monitor import MonitorMargins, MonitorSpec, WatchedFeatureSpec
from metricgate.stats.drift.effect import INDEPENDENT, Units

NOTHING = WatchedFeatureSpec()


@dataclass(frozen=True, kw_only=True)
class MeasuredTable:
    """Every watched column with its effects, and those that only the current rows have."""

    columns: tuple[MeasuredColumn, ...]
    extra: tuple[str, ...]
    rows: tuple[int, int]
    units: Units = INDEPENDENT
    watched: tuple[WatchedColumn, ...] = ()

    def list_rules(self, margins: MonitorMargins, spec: MonitorSpec | None = None) -> tuple[DriftRule, ...]:
        """Return one rule for each effect of each column."""
        return tuple(
            DriftRule(
                metric=metric,
                feature=column.feature.name,
                effect=effect,
                margin=find_margin(metric, margins, spec.find_feature(column.feature.name) if spec else NOTHING),
                role=Role.REQUIRED if column.feature.role == "prediction" else Role.GUARDRAIL,
            )
            for column in self.columns
            for metric, effect in column.effects.items()
        )


def find_margin(metric: str, margins: MonitorMargins, own: WatchedFeatureSpec) -> float:
    """Return how far an effect may be from the reference: the feature's own margin, or that of all."""
    key = {
        "ks_distance": "moved",
        "total_variation": "moved",
        "wasserstein_sd": "distance",
        "new_values": "new",
        "missing": "missing",
        "classifier_auc": "classifier",
    }[metric]
    special: float | None = getattr(own, key, None)
    return float(getattr(margins, key)) if special is None else special


def measure_table(pair: TablePair, names: Sequence[str], spec: MonitorSpec | None = None) -> MeasuredTable:
    """Measure the named columns, and how well a classifier tells both tables apart.

    Rows that depend on each other count as one for each group; a classifier's halves would share groups, so it is left
    out then.

    Raises
    ------
    PredictionsError
        If a column is gone, changed its type, or has no values.
    """
    reference, current = pair.sides["reference"], pair.sides["current"]
    group = spec.group if spec else None
    require_columns(pair, (*names, *([group] if group else [])))
    units = pair.count_units(group) if group else INDEPENDENT
    own = spec.find_feature if spec else lambda _: NOTHING
    columns = [classify_column(pair, name, own(name).type) for name in names]
    measured = [measure_column(pair, one, owner=own(one.name).owner or "", units=units) for one in columns]
    joint = [] if group else _measure_joint(pair, columns)
    return MeasuredTable(
        columns=(*measured, *joint),
        extra=tuple(name for name in current.types if name not in reference.types),
        rows=(reference.rows, current.rows),
        units=units,
        watched=tuple(columns),
    )


def _measure_joint(pair: TablePair, columns: Sequence[WatchedColumn]) -> list[MeasuredColumn]:
    found = measure_joint_shift(pair, columns)
    if found is None:
        return []
    seen, watched = found.columns
    used = [f"it uses {', '.join(found.names)} most"] if found.names else []
    bounded = [f"it sees the first {seen} of {watched} columns"] if seen < watched else []
    feature = WatchedFeature(name=JOINT, kind="joint", role="joint", notes=(*used, *bounded))
    return [MeasuredColumn(feature=feature, effects={"classifier_auc": found.effect})]


def choose_features(pair: TablePair, spec: MonitorSpec, answers: Sequence[str]) -> tuple[str, ...]:
    """Return the columns to watch: those that the policy lists, or all of the reference that are no key and no answer.

    Raises
    ------
    ConfigurationError
        If the policy names a column that the reference lacks.
    """
    known = pair.sides["reference"].types
    named = tuple(spec.features)
    if unknown := [name for name in named if name not in known]:
        raise ConfigurationError(
            f"`monitor: features:` names '{unknown[0]}', which {pair.sides['reference'].shown} does not have.",
            expected=f"columns of the reference: {', '.join(list(known)[:30])}.",
            fix="correct the name in metricgate.yaml.",
            topic="what-is-watched",
        )
    if isinstance(spec.features, tuple) and spec.features:
        return spec.features
    return tuple(name for name in known if name not in spec.unwatched and name not in answers)
