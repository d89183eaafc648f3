"""The container's post-entrypoint: complete a check that a killed process left in progress."""

import logging
import os
from collections.abc import Mapping

from metricgate.cli.action import read_event, start_log
from metricgate.errors import MetricgateError
from metricgate.publish.github.publication import STATE, Publication
from metricgate.settings.inputs import read_inputs
from metricgate.trigger.event_reader import read_trigger

log = logging.getLogger(__name__)


def main() -> None:
    """Run as a program of its own: the runner gives a post-entrypoint no arguments."""
    start_log()
    close_check(os.environ)


def close_check(environ: Mapping[str, str]) -> bool:
    """Complete the check that the main step started, if it is open; yield whether it was."""
    number = environ.get(f"STATE_{STATE}", "")
    if not number.isdecimal():
        return False
    try:
        inputs = read_inputs(environ)
        publication = Publication.open(read_trigger(environ, read_event(environ)), inputs, environ)
    except MetricgateError as error:
        # The main step has already said so, and its check was then never started.
        log.info("%s", error.what)
        return False
    return publication.close(int(number))


if __name__ == "__main__":
    main()
