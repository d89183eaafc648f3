"""The action's post step: complete a check that a killed process left in progress."""

import logging
import os
from collections.abc import Mapping

from metricgate.cli.action import read_event
from metricgate.cli.workflow_log import start_log
from metricgate.errors import MetricgateError
from metricgate.publish.github.destination import STATE
from metricgate.publish.publication import Publication
from metricgate.settings.inputs import read_inputs
from metricgate.trigger.event_reader import read_trigger

log = logging.getLogger(__name__)


def main() -> None:
    """Run as a program: the runner passes no arguments to a post-entrypoint."""
    start_log()
    close_check(os.environ)


def close_check(environ: Mapping[str, str]) -> bool:
    """Complete the check that the main step started, if it is open; return whether it was."""
    number = environ.get(f"STATE_{STATE}", "")
    if not number.isdecimal():
        return False
    try:
        inputs = read_inputs(environ)
        publication = Publication(read_trigger(environ, read_event(environ)), inputs, environ)
    except MetricgateError as error:
        # The main step failed with the same error, before it started a check.
        log.info("%s", error.what)
        return False
    return publication.github.close(int(number))


if __name__ == "__main__":
    main()
