"""A report and its publication, whenever a signal arrives."""

import logging
from collections.abc import Callable
from pathlib import Path

from metricgate.errors import CancelledError
from metricgate.publish.files import write_report
from metricgate.publish.github.publication import Publication, Published
from metricgate.report.failure import report_failure
from metricgate.report.value import Report

log = logging.getLogger(__name__)


def deliver(
    publication: Publication, produce: Callable[[], Report], output: Path, *, set_up: str
) -> tuple[Report, Published]:
    """Produce the report, write its files and publish it; a signal shortens this to what fits into seconds.

    A signal during ``produce`` may already be part of its report. One that arrives before or while publishing is
    answered here, with the report if it is known by then.
    """
    report: Report | None = None
    try:
        report = produce()
        _write(report, output)
        return report, publication.finish(report, output)
    except CancelledError as error:
        publication.hurry()
        report = report or report_failure(error, id_=set_up)
        _write(report, output)
        return report, publication.finish(report, output)


def _write(report: Report, output: Path) -> None:
    try:
        write_report(report, output)
    except CancelledError:
        raise
    except Exception:
        # A full disk, or a defect in one view: the pull request still gets its answer.
        log.exception("The report folder %s could not be written.", output)
