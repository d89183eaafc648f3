"""The team's own tests of the model, in words: what each said before, and says now."""

from metricgate.models.model_test import ModelTestReport, ModelTestRow, ModelTestState
from metricgate.report.document import DocumentPart, draw_table, fold
from metricgate.report.escape import code_block, code_span, escape_prose, escape_sentence
from metricgate.report.number_format import format_count, format_seconds, plural
from metricgate.report.value import Report
from metricgate.report.vocabulary import TEST_LENGTH

RANK = 2
_SIGNS: dict[ModelTestState, str] = {"passed": "✅", "failed": "❌", "skipped": "⏭️", "absent": "🛑", "unknown": ""}
_WORDS: dict[ModelTestState, str] = {
    "passed": "passed",
    "failed": "failed",
    "skipped": "skipped",
    "absent": "not there",
    "unknown": "not known",
}
_ORIGINS = {"run": "", "stored": ", the baseline's from stored results", "none": "", "unknown": ""}


def model_test_section(report: Report) -> DocumentPart:
    """Return the folded list of tests; a report without any has no such section."""
    tests = report.model_tests

    def draw(count: int) -> str:
        return _draw(tests, count) if tests and count else ""

    return DocumentPart(name="tests", rank=RANK, size=max(1, len(tests.rows)) if tests else 1, draw=draw)


def _draw(tests: ModelTestReport, count: int) -> str:
    table = draw_table(("", "Test", "Baseline", "Candidate"), [_draw_row(row) for row in tests.rows[:count]], "llll")
    more = tests.tests - sum(row.after != "absent" for row in tests.rows)
    return fold(
        f"Tests of the model: {summarise_tests(tests)}",
        f"{escape_prose(tests.problem)}" if tests.problem else "",
        code_block(tests.details) if tests.details.strip() else "",
        table if tests.rows else "",
        f"and {format_count(more)} more that pass" if more > 0 and tests.rows else "",
        f"<sub>{code_span(tests.command)}{_describe_time(tests)}{_ORIGINS[tests.baseline]}</sub>",
    )


def summarise_tests(tests: ModelTestReport) -> str:
    """Return the counts in words: ``3 of 4 pass, 1 fails``."""
    if not tests.tests:
        return "none ran"
    parts = [f"{format_count(tests.passed)} of {format_count(tests.tests)} pass"]
    if tests.failed:
        parts.append(f"{format_count(tests.failed)} fail{'s' if tests.failed == 1 else ''}")
    if tests.skipped:
        parts.append(f"{format_count(tests.skipped)} skipped")
    removed = sum(row.after == "absent" for row in tests.rows)
    return ", ".join((*parts, f"{plural(removed, 'test')} removed") if removed else parts)


def _describe_time(tests: ModelTestReport) -> str:
    return f" ran in {format_seconds(tests.seconds)}" if tests.seconds is not None else ""


def _draw_row(row: ModelTestRow) -> tuple[str, ...]:
    said = f"<br>{escape_sentence(row.message, 200)}" if row.message and row.after != "passed" else ""
    where = f"<br>{code_span(f'{row.location.path}:{row.location.line}')}" if row.location else ""
    return (
        _SIGNS[row.after],
        f"{escape_sentence(row.words, TEST_LENGTH)}{where}{said}",
        _WORDS[row.before],
        _WORDS[row.after],
    )
