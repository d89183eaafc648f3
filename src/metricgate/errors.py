"""Every error a user can see: what happened, what was expected, what to do, and the exit code.

MetricgateError
├── ConfigurationError      2   metricgate.yaml, an input or an option cannot be used
├── PredictionsError        3   predictions are missing, unpaired or not finite
├── WorkspaceError          4   Git, DVC or the pipeline could not deliver
│   └── TimeLimitError      4   the pipeline took longer than it was given
├── PublishError            5   the verdict could not be published (only mode `publish` exits with it)
└── CancelledError        130   a person or the platform stopped the run
"""

import re
from typing import ClassVar

TROUBLESHOOTING = "https://github.com/metricgate/metricgate/blob/main/docs/troubleshooting.md"
ERROR_PAGES = "https://github.com/metricgate/metricgate/blob/main/docs/errors"
_TOPIC = re.compile(r"[a-z0-9]+(-[a-z0-9]+){0,12}", re.ASCII)
PREDICTIONS_HELP = "https://github.com/metricgate/metricgate/blob/main/docs/predictions.md"


class MetricgateError(Exception):
    """A failure that has a message for the user; anything else that escapes is a bug in MetricGate."""

    exit_code: ClassVar[int] = 70
    title: ClassVar[str] = "A bug in MetricGate"
    anchor: ClassVar[str] = "a-defect-in-metricgate"
    usual_topic: ClassVar[str] = ""  # of every error of a class, where each is the same to a reader

    def __init__(self, what: str, *, expected: str, fix: str, details: str = "", topic: str = "") -> None:
        """Keep the three sentences apart, so that each view can lay them out.

        Parameters
        ----------
        what : what happened, with which value, from where.
        expected : what would have been right.
        fix : what to do now.
        details : the last lines of a failed process, or other long text; untrusted.
        topic : the section of docs/errors that says more, in the page of this kind: its anchor.
        """
        super().__init__(what)
        self.what = what
        self.expected = expected
        self.fix = fix
        self.details = details
        self.topic = topic or self.usual_topic

    @property
    def help_url(self) -> str:
        """The longer answer for this error."""
        return find_help(self.anchor, self.topic)

    def __str__(self) -> str:
        return f"{self.what} Expected: {self.expected} What to do: {self.fix}"


class ConfigurationError(MetricgateError):
    """metricgate.yaml, an action input or a command-line option cannot be used."""

    exit_code = 2
    title = "Configuration"
    anchor = "configuration"


class PredictionsError(MetricgateError):
    """Predictions are missing, do not pair, or hold values that cannot be judged."""

    exit_code = 3
    title = "Predictions"
    anchor = "predictions"


class WorkspaceError(MetricgateError):
    """Git, DVC or the pipeline could not deliver a revision's results."""

    exit_code = 4
    title = "Git, DVC or the pipeline"
    anchor = "workspace"


class TimeLimitError(WorkspaceError):
    """The pipeline took longer than the time it was given."""

    title = "Time limit"
    anchor = "time-limit"


class PublishError(MetricgateError):
    """The verdict stands, but could not be published."""

    exit_code = 5
    title = "Publishing"
    anchor = "publishing"


class CancelledError(MetricgateError):
    """SIGINT or SIGTERM arrived."""

    exit_code = 130
    title = "Cancelled"
    anchor = "cancelled"


def find_help(anchor: str, topic: str = "") -> str:
    """Return the address of the page that says more, and of its section on the topic.

    Both may come from a file: an unknown anchor leads to the page of all errors, an unusable topic to the top of its page.
    """
    known = {MetricgateError.anchor, *(error.anchor for error in list_errors())}
    if anchor not in known:
        return TROUBLESHOOTING
    return f"{ERROR_PAGES}/{anchor}.md{f'#{topic}' if _TOPIC.fullmatch(topic) else ''}"


def list_errors(error: type[MetricgateError] = MetricgateError) -> list[type[MetricgateError]]:
    """Return every kind of error in this module, each parent before its children.

    Other modules may subclass one of them, which is the same error to a user.
    """
    kinds = [child for child in error.__subclasses__() if child.__module__ == __name__]
    return [found for child in kinds for found in (child, *list_errors(child))]
