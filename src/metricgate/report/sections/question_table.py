"""The questions that flipped, worst first, with an answer of each side."""

from metricgate.models.result import Flips, QuestionFlip
from metricgate.report.document import DocumentPart, draw_table, fold, unbroken
from metricgate.report.escape import code_span, escape_sentence
from metricgate.report.number_format import format_count, format_number, plural
from metricgate.report.value import Report

QUESTIONS_RANK = 4
_TEXT, _ANSWER = 240, 400
_DECIMALS = 2


def question_section(report: Report) -> DocumentPart:
    """Return the folded table of the questions that flipped; nothing where rows are no questions."""
    shown = [(flips, question) for flips in report.flips for question in flips.questions]

    def draw(count: int) -> str:
        if not shown or not count:
            return ""
        rows = [_draw_row(flips, question, several=len(report.flips) > 1) for flips, question in shown[:count]]
        titles = [unbroken(title) for title in ("Question", "Grade", "Baseline's answer", "Candidate's answer")]
        redacted = any(flips.redacted for flips in report.flips)
        if redacted:
            table = draw_table(titles[:2], [row[:2] for row in rows], "lr")
            return fold(_summarise(report.flips), table, "Texts are left out: `redact: true`.")
        return fold(_summarise(report.flips), draw_table(titles, rows, "lrll"), _explain(report.flips, count))

    return DocumentPart(name="questions", rank=QUESTIONS_RANK, size=max(1, len(shown)), draw=draw)


def _summarise(listed: tuple[Flips, ...]) -> str:
    lost, gained = sum(flips.lost for flips in listed), sum(flips.gained for flips in listed)
    return f"Questions: {format_count(lost)} answered worse, {format_count(gained)} better"


def _explain(listed: tuple[Flips, ...], count: int) -> str:
    total = sum(flips.lost + flips.gained for flips in listed)
    shown = min(count, sum(len(flips.questions) for flips in listed))
    more = f" {plural(total - shown, 'question')} not shown." if total > shown else ""
    return f"<sub>Of several answers, the two that differ most; long texts are cut.{more}</sub>"


def _draw_row(flips: Flips, question: QuestionFlip, *, several: bool) -> tuple[str, ...]:
    where = f"{code_span(flips.set)} " if several else ""
    name = f"{where}{code_span(question.id)}"
    texts = [escape_sentence(text, _TEXT) for text in [_unless_repeated(question)] if text]
    expected = [f"expected: {escape_sentence(question.target, _TEXT)}"] if _is_short(question.target) else []
    before, after = (format_number(value, _DECIMALS) for value in (question.baseline, question.candidate))
    return (
        "<br>".join([name, *texts, *expected]),
        unbroken(f"{before} → {after}"),
        escape_sentence(question.baseline_answer, _ANSWER),
        escape_sentence(question.candidate_answer, _ANSWER),
    )


def _unless_repeated(question: QuestionFlip) -> str:
    return "" if question.input in {"", question.id} else question.input


def _is_short(target: str) -> bool:
    """Return whether a target is for people: assertions and hashes of targets are not."""
    return 0 < len(target) <= 200 and not target.startswith(("[", "{")) and not _is_hash(target)


def _is_hash(text: str) -> bool:
    return len(text) >= 32 and all(character in "0123456789abcdef" for character in text)
