"""Two files in, a report out: how far the current rows lie from the reference, with neither Git nor a policy."""

from pathlib import Path

from metricgate.errors import MetricgateError
from metricgate.gates.drift_gates import DriftRule
from metricgate.models.outcome import Role
from metricgate.models.snapshot import RevisionInfo, Source
from metricgate.monitoring.column_measurement import MeasuredColumn, measure_column
from metricgate.monitoring.watch_report import Watched, lay_out_watch
from metricgate.predictions.table_pair import SideName, TablePair, open_pair
from metricgate.predictions.watched_column import classify_column, require_columns
from metricgate.report.failure import report_failure
from metricgate.report.value import Report
from metricgate.settings.monitor import DEFAULT_MARGINS, MonitorMargins

CONFIDENCE = 0.95


def watch_files(reference: Path, current: Path) -> Report:
    """Compare the rows of two files by every column, against the default margins; an unusable file is the report's error."""
    files: dict[SideName, tuple[Path, str]] = {
        "reference": (reference, str(reference)),
        "current": (current, str(current)),
    }
    try:
        with open_pair(files, rows={}) as pair:
            columns = measure_columns(pair, tuple(pair.sides["reference"].types))
            extra = tuple(name for name in pair.sides["current"].types if name not in pair.sides["reference"].types)
            rows = (pair.sides["reference"].rows, pair.sides["current"].rows)
    except MetricgateError as error:
        return report_failure(error)
    ends = [
        RevisionInfo(name=name, source=Source.FILE, rows=size)
        for (_, name), size in zip(files.values(), rows, strict=True)
    ]
    return lay_out_watch(
        Watched(reference=ends[0], current=ends[1], columns=columns, rules=list_rules(columns), extra=extra)
    )


def measure_columns(pair: TablePair, names: tuple[str, ...]) -> tuple[MeasuredColumn, ...]:
    """Measure the columns one after the other, in the order of the reference."""
    require_columns(pair, names)
    return tuple(measure_column(pair, classify_column(pair, name)) for name in names)


def list_rules(columns: tuple[MeasuredColumn, ...], margins: MonitorMargins = DEFAULT_MARGINS) -> tuple[DriftRule, ...]:
    """Return one rule for each effect of each column."""
    allowed = {
        "ks_distance": margins.moved,
        "total_variation": margins.moved,
        "wasserstein_sd": margins.distance,
        "new_values": margins.new,
        "missing": margins.missing,
    }
    return tuple(
        DriftRule(
            metric=metric, feature=column.feature.name, effect=effect, margin=allowed[metric], role=Role.GUARDRAIL
        )
        for column in columns
        for metric, effect in column.effects.items()
    )
