"""Reads JUnit XML, which a pull request's code wrote: bounded, and without a document type or entities.

pytest's dialect is the reference; Surefire, Jest, Catch2, gtest and go-junit-report differ from it only in what is not
read here.
"""

from dataclasses import dataclass, field
from pathlib import Path
from xml.parsers import expat

from metricgate.models.model_test import MOST_TESTS, ModelTest, ModelTestOutcome

MAX_BYTES = 20_000_000
MAX_DEPTH = 50
MAX_NAME = 500
MAX_MESSAGE = 500
_SUITES = frozenset({"testsuites", "testsuite"})


class JunitError(ValueError):
    """Why a file cannot be used: the end of a sentence that starts with its name."""


def read_junit(path: Path) -> tuple[ModelTest, ...]:
    """Return the tests of a JUnit XML file, in its order; equal names are numbered.

    Raises
    ------
    JunitError
        If it is not JUnit XML, too long, or names no test at all.
    """
    size = path.stat().st_size
    if size == 0:
        raise JunitError("is empty")
    if size > MAX_BYTES:
        raise JunitError(f"is {size:,} bytes long, more than {MAX_BYTES:,}")
    reader = _Reader()
    parser = expat.ParserCreate()
    parser.buffer_text = True
    parser.StartDoctypeDeclHandler = _refuse_doctype
    parser.StartElementHandler = reader.start
    parser.EndElementHandler = reader.end
    parser.CharacterDataHandler = reader.take_text
    try:
        parser.Parse(path.read_bytes(), True)
    except expat.ExpatError as error:
        raise JunitError(f"is not XML ({error})") from error
    if not reader.tests:
        raise JunitError("names no test")
    return _number_equal(reader.tests)


def _refuse_doctype(*_: object) -> None:
    raise JunitError("declares a document type, which JUnit XML does not have")


@dataclass
class _Reader:
    """Collects test cases as their elements open and close."""

    tests: list[ModelTest] = field(default_factory=list)
    _path: list[str] = field(default_factory=list)
    _case: dict[str, str] | None = None
    _outcome: ModelTestOutcome = "passed"
    _message: str = ""
    _text: list[str] = field(default_factory=list)

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        if not self._path and tag not in _SUITES:
            raise JunitError(f"starts with <{tag[:40]}>, where JUnit XML has <testsuites> or <testsuite>")
        self._path.append(tag)
        if len(self._path) > MAX_DEPTH:
            raise JunitError(f"is nested more than {MAX_DEPTH} deep")
        self._text.clear()
        if tag == "testcase" and self._case is None:
            self._case, self._outcome, self._message = attributes, "passed", ""
            # Catch2 and gtest say it here as well.
            if attributes.get("status", "").lower() in {"notrun", "disabled", "skipped"}:
                self._outcome = "skipped"
        elif self._case is not None and self._path[-2] == "testcase":
            self._note(tag, attributes)

    def _note(self, tag: str, attributes: dict[str, str]) -> None:
        said = attributes.get("message", "")
        if tag in {"failure", "error"}:
            if self._outcome != "failed" or not self._message:
                self._outcome, self._message = "failed", said
        elif tag == "skipped" and self._outcome == "passed":
            self._outcome, self._message = "skipped", said

    def take_text(self, text: str) -> None:
        if self._case is not None and self._path[-1] in {"failure", "error", "skipped"} and len(self._text) < 100:
            self._text.append(text)

    def end(self, tag: str) -> None:
        self._path.pop()
        if tag in {"failure", "error", "skipped"} and self._case is not None and not self._message:
            self._message = "".join(self._text)
        if tag != "testcase" or self._case is None or "testcase" in self._path:
            return
        self.tests.append(_describe(self._case, self._outcome, self._message))
        self._case = None
        if len(self.tests) > MOST_TESTS:
            raise JunitError(f"names more than {MOST_TESTS:,} tests")


def _describe(attributes: dict[str, str], outcome: ModelTestOutcome, message: str) -> ModelTest:
    parts = [attributes.get("classname", ""), attributes.get("name", "")]
    name = "::".join(part for part in parts if part) or "a test without a name"
    line = attributes.get("line", "")
    return ModelTest(
        name=name[:MAX_NAME],
        outcome=outcome,
        message=_first_line(message) if outcome != "passed" else "",
        file=attributes.get("file", "")[:MAX_NAME],
        line=int(line) if line.isascii() and line.isdecimal() and len(line) < 8 else None,
    )


def _first_line(text: str) -> str:
    return next((line.strip() for line in text.splitlines() if line.strip()), "")[:MAX_MESSAGE]


def _number_equal(tests: list[ModelTest]) -> tuple[ModelTest, ...]:
    """Return the tests with ``#2``, ``#3`` … added to names that were there before: none may hide another."""
    seen: dict[str, int] = {}
    named = []
    for test in tests:
        seen[test.name] = count = seen.get(test.name, 0) + 1
        named.append(test if count == 1 else test.model_copy(update={"name": f"{test.name}#{count}"}))
    return tuple(named)
