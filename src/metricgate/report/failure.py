"""The reports of runs that did not judge: an error, a cancellation, a skipped run."""

from metricgate import __version__
from metricgate.errors import CancelledError, MetricgateError, TimeLimitError
from metricgate.models.outcome import Verdict
from metricgate.models.result import Change, Warning_
from metricgate.report.value import Failure, Report


def report_failure(
    error: MetricgateError,
    *,
    id_: str = "default",
    warnings: tuple[Warning_, ...] = (),
    changes: tuple[Change, ...] = (),
) -> Report:
    """Return the report of a run that could not judge, with what was known about the change before it failed."""
    return Report(
        metricgate=__version__,
        id=id_,
        verdict=verdict_of(error),
        reason=error.what,
        exit_code=error.exit_code,
        failure=describe_failure(error),
        warnings=warnings,
        changes=changes,
    )


def report_skip(reason: str, *, id_: str) -> Report:
    """Return the report of a run that had nothing to judge, by its settings."""
    return Report(metricgate=__version__, id=id_, verdict=Verdict.SKIPPED, reason=reason, exit_code=0)


def verdict_of(error: MetricgateError) -> Verdict:
    """Return the verdict of a run that ended in ``error``."""
    return Verdict.CANCELLED if error.exit_code == CancelledError.exit_code else Verdict.ERROR


def describe_failure(error: MetricgateError) -> Failure:
    """Return the error as a report shows it."""
    return Failure(
        title=error.title,
        what=error.what,
        expected=error.expected,
        fix=error.fix,
        details=error.details,
        anchor=error.anchor,
        topic=error.topic,
        exit_code=error.exit_code,
        timed_out=isinstance(error, TimeLimitError),
    )
