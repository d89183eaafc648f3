"""Two files in, a report out: how far the current rows lie from the reference, with neither Git nor a policy."""

from pathlib import Path

from metricgate.errors import MetricgateError
from metricgate.models.snapshot import RevisionInfo, Source
from metricgate.monitoring.watch_report import Watched, lay_out_watch
from metricgate.monitoring.watched_features import measure_table
from metricgate.predictions.table_pair import SideName, open_pair
from metricgate.report.failure import report_failure
from metricgate.report.value import Report
from metricgate.settings.monitor import DEFAULT_MARGINS


def watch_files(reference: Path, current: Path) -> Report:
    """Compare two files by every column, against the default margins; an unusable file is the report's error."""
    files: dict[SideName, tuple[Path, str]] = {
        "reference": (reference, str(reference)),
        "current": (current, str(current)),
    }
    try:
        with open_pair(files, rows={}) as pair:
            table = measure_table(pair, tuple(pair.sides["reference"].types))
    except MetricgateError as error:
        return report_failure(error)
    ends = [
        RevisionInfo(name=name, source=Source.FILE, rows=size)
        for (_, name), size in zip(files.values(), table.rows, strict=True)
    ]
    watched = Watched(
        reference=ends[0],
        current=ends[1],
        columns=table.columns,
        rules=table.list_rules(DEFAULT_MARGINS),
        extra=table.extra,
    )
    return lay_out_watch(watched)
