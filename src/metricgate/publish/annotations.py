"""Annotations: lines on standard output that GitHub shows beside the run. At most ten of a kind are kept by the runner."""

import logging
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

_COMMAND = re.compile(r"^(\s*)::", re.MULTILINE)

MAX_ANNOTATIONS = 10
MAX_MESSAGE = 4000  # the runner cuts at 4,096 characters


@dataclass(frozen=True, kw_only=True)
class Annotation:
    """One message, on a line of a file of the repository where it belongs to one."""

    level: Literal["error", "warning", "notice"]
    message: str
    title: str = ""
    file: str = ""
    line: int | None = None


def render_annotations(annotations: Iterable[Annotation]) -> tuple[str, ...]:
    """Yield one workflow command a line; text in it can neither end the line nor add properties."""
    return tuple(_render(annotation) for annotation in list(annotations)[:MAX_ANNOTATIONS])


def silence_commands(text: str) -> str:
    """Yield text in which the runner finds no command: `::` starts one at a line's start, `##[` anywhere in a line."""
    return _COMMAND.sub(r"\1: :", text).replace("##[", "## [")


class SilentFormatter(logging.Formatter):
    """Formats a log record, its traceback included, so that no text of the repository in it speaks to the runner."""

    def format(self, record: logging.LogRecord) -> str:
        return silence_commands(super().format(record))


def _render(annotation: Annotation) -> str:
    properties = {"title": annotation.title, "file": annotation.file, "line": str(annotation.line or "")}
    shown = ",".join(f"{key}={_escape_property(value)}" for key, value in properties.items() if value)
    return f"::{annotation.level}{' ' + shown if shown else ''}::{_escape(annotation.message[:MAX_MESSAGE])}"


def _escape(text: str) -> str:
    # Source: actions/toolkit, packages/core/src/command.ts, escapeData and escapeProperty.
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _escape_property(text: str) -> str:
    return _escape(text).replace(":", "%3A").replace(",", "%2C")
