"""What GitHub's runner reads from a step: annotations, the job summary, outputs and state."""

import logging
import re
import secrets
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal

from metricgate.errors import MetricgateError
from metricgate.models.outcome import Outcome, Verdict
from metricgate.models.result import ANNOTATED
from metricgate.publish.interface import Delivery, Event, Notices
from metricgate.report.escape import code_block, escape_sentence
from metricgate.report.headline import headline
from metricgate.report.value import Report

log = logging.getLogger(__name__)

MAX_ANNOTATIONS = 10  # of a kind; the runner keeps no more
MAX_MESSAGE = 4000  # the runner cuts at 4,096 characters
MAX_SUMMARY_BYTES = 1024 * 1024  # a longer summary is not shown at all

_COMMAND = re.compile(r"^(\s*)::", re.MULTILINE)
_LEVELS: Mapping[Verdict, Literal["error", "warning"]] = {
    Verdict.FAILED: "error",
    Verdict.ERROR: "error",
    Verdict.CANCELLED: "error",
    Verdict.INCONCLUSIVE: "warning",
}


@dataclass
class Runner:
    """The runner of this step's job. ``emit`` writes a line to standard output.

    Outside GitHub Actions the environment names no files, and nothing is written.
    """

    environ: Mapping[str, str]
    emit: Callable[[str], None] = print
    _summary_start: int | None = field(default=None, init=False)
    _is_annotated: bool = field(default=False, init=False)

    def deliver(self, event: Event, *, within_s: float) -> Delivery:  # noqa: ARG002  files take no time
        """Write outputs, annotations and the job summary, which shows the notices of the destinations so far.

        A second delivery of this step replaces the outputs and the summary of the first.
        """
        notices = Notices()
        notices.attempt("step outputs", lambda: self.write_outputs(event))
        notices.attempt("annotation", lambda: self._annotate_once(event))
        notices.attempt("job summary", lambda: self._summarise(event, notices))
        told = replace(event, notices=(*event.notices, *(one for one in notices.all() if one not in event.notices)))
        return Delivery(event=told, failed=notices.failed)

    def _annotate_once(self, event: Event) -> None:
        if not self._is_annotated:
            self.annotate(event.report, event.name)
            self._is_annotated = True

    def annotate(self, report: Report, title: str) -> None:
        """Show a verdict other than passed or skipped next to the run, and what could decide it besides the model."""
        if self.environ.get("GITHUB_ACTIONS") != "true":
            return
        told = [warning for warning in report.warnings if warning.code in ANNOTATED]
        for line in render_annotations(
            RunnerAnnotation(level="warning", title=title, message=warning.text) for warning in told
        ):
            self.emit(line)
        level = _LEVELS.get(report.verdict)
        if level is None:
            return
        if not report.enforced:
            level = "warning"
        text = headline(report)
        if report.failure:
            text = f"{text}\n{report.failure.what} Expected: {report.failure.expected} What to do: {report.failure.fix}"
        blocking = [gate for gate in report.gates if gate.outcome in (Outcome.FAILED, Outcome.ERROR)]
        annotations = [RunnerAnnotation(level=level, title=title, message=text)]
        if len(blocking) > 1:  # a single one is the headline
            annotations += [RunnerAnnotation(level=level, title=gate.rule, message=gate.reason) for gate in blocking]
        for line in render_annotations(annotations):
            self.emit(line)

    def write_outputs(self, event: Event) -> None:
        """Write the step's outputs; the report folder is relative to the repository, as the host has another path."""
        workspace = Path(self.environ.get("GITHUB_WORKSPACE", "."))
        folder = event.directory
        report = event.report
        self._append(
            "GITHUB_OUTPUT",
            {
                "verdict": report.verdict.value,
                "report": (folder.relative_to(workspace) if folder.is_relative_to(workspace) else folder).as_posix(),
                "comment-url": event.comment_url,
                "check-url": event.check_url,
                "baseline-sha": (report.baseline.revision or "") if report.baseline else "",
                **({"pull-request-url": event.pull_request_url} if event.pull_request_url else {}),
            },
        )

    def explain(self, error: MetricgateError) -> None:
        """Write why there is no report to the log and to the summary, the only places left."""
        if self.environ.get("GITHUB_ACTIONS") == "true":
            message = f"{error}\nMore: {error.help_url}"
            for line in render_annotations([RunnerAnnotation(level="error", title="MetricGate", message=message)]):
                self.emit(line)
        parts = (
            f"## ❌ MetricGate could not start: {escape_sentence(error.title)}",
            escape_sentence(error.what),
            f"**Expected:** {escape_sentence(error.expected)}",
            f"**What to do:**\n\n{code_block(error.fix)}",
            f"[More about this error]({error.help_url})",
        )
        try:
            self._write_summary("\n\n".join(parts), ())
        except OSError as failure:
            log.warning("The job summary could not be written. %s", failure)

    def keep(self, name: str, value: str) -> None:
        """Keep a value for this action's post step, which gets it as STATE_<name>."""
        try:
            self._append("GITHUB_STATE", {name: value})
        except OSError as failure:
            log.warning("The post step will not find what this run began: its state could not be written. %s", failure)

    def _summarise(self, event: Event, notices: Notices) -> None:
        from metricgate.report.formats.markdown import render_summary  # noqa: PLC0415  not to explain an error

        texts = [notice.render() for notice in (*event.notices, *notices.all())]
        self._write_summary(render_summary(event.report, event.view_context), texts)

    def _write_summary(self, markdown: str, notices: Sequence[str]) -> None:
        file = self.environ.get("GITHUB_STEP_SUMMARY")
        if file:
            quoted = "".join(f"\n> [!NOTE]\n{_quote(notice)}\n" for notice in notices)
            self._summary_start = append_summary(Path(file), markdown.rstrip("\n") + "\n" + quoted, self._summary_start)

    def _append(self, variable: str, pairs: Mapping[str, str]) -> None:
        file = self.environ.get(variable)
        if file:
            append_pairs(Path(file), pairs)


@dataclass(frozen=True, kw_only=True)
class RunnerAnnotation:
    """One message that the runner shows next to the run, on a line of a file where it belongs to one."""

    level: Literal["error", "warning", "notice"]
    message: str
    title: str = ""
    file: str = ""
    line: int | None = None


def render_annotations(annotations: Iterable[RunnerAnnotation]) -> tuple[str, ...]:
    """Return one workflow command per line; text in it can neither end the line nor add properties."""
    return tuple(_render_annotation(annotation) for annotation in list(annotations)[:MAX_ANNOTATIONS])


def silence_commands(text: str) -> str:
    """Return text without workflow commands: `::` starts one at a line's start, `##[` anywhere in a line."""
    return _COMMAND.sub(r"\1: :", text).replace("##[", "## [")


class SilentFormatter(logging.Formatter):
    """Formats a log record and its traceback so that no text from the repository in it is a workflow command."""

    def format(self, record: logging.LogRecord) -> str:
        return silence_commands(super().format(record))


def append_pairs(file: Path, pairs: Mapping[str, str]) -> None:
    """Append to the file at GITHUB_OUTPUT or GITHUB_STATE.

    Each value stands between lines with a fresh random delimiter: the form ``name=value`` would let a value with a line
    break set other outputs. Source: actions/runner, ``src/Runner.Worker/FileCommandManager.cs``.
    """
    with file.open("a", encoding="utf-8", newline="\n") as stream:
        for name, value in pairs.items():
            delimiter = f"end-{secrets.token_hex(16)}"
            if delimiter in value:
                raise AssertionError("128 random bits were guessed")
            stream.write(f"{name}<<{delimiter}\n{value}\n{delimiter}\n")


def append_summary(file: Path, markdown: str, start: int | None = None) -> int:
    """Append to the file at GITHUB_STEP_SUMMARY, or replace what is there from byte ``start``; return the start.

    The view stays below the limit by leaving out sections. Text that exceeds it nevertheless is cut at a line.
    """
    size = file.stat().st_size if file.exists() else 0
    start = size if start is None else min(start, size)
    text = _cut_at_line(markdown.rstrip("\n") + "\n", MAX_SUMMARY_BYTES - start)
    with file.open("r+b" if size else "wb") as stream:
        stream.seek(start)
        stream.write(text.encode("utf-8"))
        stream.truncate()
    return start


def _cut_at_line(text: str, room: int) -> str:
    data = text.encode("utf-8")
    if len(data) <= room:
        return text
    note = "\n\n(The job summary is full; the report folder has everything.)\n"
    head = data[: max(0, room - len(note.encode("utf-8")))].decode("utf-8", errors="ignore")
    return head[: head.rfind("\n") + 1] + note if len(note.encode("utf-8")) <= room else ""


def _render_annotation(annotation: RunnerAnnotation) -> str:
    properties = {"title": annotation.title, "file": annotation.file, "line": str(annotation.line or "")}
    shown = ",".join(f"{key}={_escape_property(value)}" for key, value in properties.items() if value)
    return f"::{annotation.level}{' ' + shown if shown else ''}::{_escape(annotation.message[:MAX_MESSAGE])}"


def _escape(text: str) -> str:
    # Source: actions/toolkit, packages/core/src/command.ts, escapeData and escapeProperty.
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _escape_property(text: str) -> str:
    return _escape(text).replace(":", "%3A").replace(",", "%2C")


def _quote(text: str) -> str:
    return "\n".join(f"> {line}".rstrip() for line in text.splitlines())
