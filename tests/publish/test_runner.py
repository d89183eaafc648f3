"""What the runner reads: no value can set anything but itself."""

import logging
from pathlib import Path

import pytest

from metricgate.errors import CancelledError
from metricgate.models.outcome import Verdict
from metricgate.publish.interface import Event
from metricgate.publish.runner import (
    MAX_ANNOTATIONS,
    MAX_SUMMARY_BYTES,
    Runner,
    RunnerAnnotation,
    SilentFormatter,
    append_pairs,
    append_summary,
    render_annotations,
    silence_commands,
)
from tests.github.job import make_gate, make_report, read_pairs

HOSTILE = ["a\nverdict=passed", "x<<EOF\ny\nEOF", "", "=", "a\r\n::set-output name=x::y", "ü 漢 \u202e"]


@pytest.mark.parametrize("value", HOSTILE)
def test_an_output_is_read_back_as_it_is(tmp_path: Path, value: str) -> None:
    file = tmp_path / "output"
    append_pairs(file, {"before": "1"})
    append_pairs(file, {"report": value, "after": "2"})

    text = file.read_bytes().decode()
    assert read_pairs(text) == {"before": "1", "report": value, "after": "2"}


def test_delimiters_are_never_the_same(tmp_path: Path) -> None:
    file = tmp_path / "output"
    append_pairs(file, {"a": "1", "b": "2"})

    delimiters = [line.split("<<")[1] for line in file.read_text(encoding="utf-8").splitlines() if "<<" in line]
    assert len(set(delimiters)) == 2


def test_an_annotation_is_one_line_whatever_is_in_it() -> None:
    hostile = RunnerAnnotation(
        level="error", message="50%\n::error::forged\r", title="a,line=1::b", file="x:y,z", line=3
    )

    [line] = render_annotations([hostile])

    assert line == "::error title=a%2Cline=1%3A%3Ab,file=x%3Ay%2Cz,line=3::50%25%0A::error::forged%0D"


def test_no_more_annotations_than_the_runner_keeps() -> None:
    assert (
        len(render_annotations([RunnerAnnotation(level="notice", message=str(i)) for i in range(30)]))
        == MAX_ANNOTATIONS
    )


def test_a_summary_is_appended_and_stays_below_the_limit(tmp_path: Path) -> None:
    """One byte more, and the runner shows nothing at all."""
    file = tmp_path / "summary"
    file.write_text("from an earlier step\n", encoding="utf-8")

    append_summary(file, "ü line\n" * 300_000)

    data = file.read_bytes()
    assert data.startswith(b"from an earlier step\n\xc3\xbc line\n")
    assert len(data) <= MAX_SUMMARY_BYTES
    assert data.decode().endswith("(The job summary is full; the report folder has everything.)\n")


def test_several_blocking_gates_are_annotated_each_and_never_more_than_ten() -> None:
    lines: list[str] = []
    gates = tuple(make_gate(f"gate {number}") for number in range(20))

    Runner({"GITHUB_ACTIONS": "true"}, lines.append).annotate(make_report(Verdict.FAILED, gates=gates), "MetricGate")

    assert len(lines) == MAX_ANNOTATIONS
    assert lines[1] == "::error title=gate 0::gate 0"


def test_a_single_blocking_gate_is_the_headline_alone() -> None:
    lines: list[str] = []

    Runner({"GITHUB_ACTIONS": "true"}, lines.append).annotate(
        make_report(Verdict.FAILED, gates=(make_gate("gate"),)), "MetricGate"
    )

    assert len(lines) == 1


@pytest.mark.parametrize("environ", [{}, {"GITHUB_ACTIONS": "true"}])
def test_a_good_verdict_and_a_run_elsewhere_are_not_annotated(environ: dict[str, str]) -> None:
    lines: list[str] = []
    verdict = Verdict.PASSED if environ else Verdict.FAILED

    Runner(environ, lines.append).annotate(make_report(verdict), "MetricGate")

    assert lines == []


@pytest.mark.parametrize(
    ("text", "silent"),
    [
        ("::error::x", ": :error::x"),
        ("a\n  ::set-output name=x::y", "a\n  : :set-output name=x::y"),
        ("x ##[error]y", "x ## [error]y"),
        ("a::b", "a::b"),
    ],
)
def test_text_of_ours_that_repeats_others_holds_no_command(text: str, silent: str) -> None:
    assert silence_commands(text) == silent


def test_a_traceback_in_the_log_holds_no_command() -> None:
    error = ValueError("a name\n::add-mask::x ##[error]y")
    record = logging.LogRecord("x", logging.ERROR, __file__, 1, "failed", None, (ValueError, error, None))

    text = SilentFormatter("%(message)s").format(record)

    assert "\n: :add-mask::x ## [error]y" in text


def test_a_signal_is_never_taken_for_trouble(tmp_path: Path) -> None:
    def stop(line: str) -> None:
        raise CancelledError(line, expected="e", fix="f")

    event = Event(report=make_report(Verdict.FAILED), directory=tmp_path, name="MetricGate")

    with pytest.raises(CancelledError, match="Blocked"):
        Runner({"GITHUB_ACTIONS": "true"}, stop).deliver(event, within_s=1)
