"""The line that a terminal rewrites."""

import io

import pytest

from metricgate.cli.terminal_progress import CLEAR, LiveLine, TerminalProgress


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def make_live(stream: io.StringIO) -> tuple[LiveLine, list[float]]:
    now = [100.0]
    return LiveLine(stream, clock=lambda: now[0]), now


def test_the_line_counts_the_seconds_of_what_happens_now() -> None:
    stream = Terminal()
    live, now = make_live(stream)

    live.say("running stage train")
    now[0] += 41
    live.tick()
    live.say("running stage evaluate")
    live.tick()

    assert stream.getvalue() == (f"{CLEAR}  … running stage train, 41 s{CLEAR}{CLEAR}  … running stage evaluate, 0 s")


def test_other_output_takes_its_place_and_is_not_written_over() -> None:
    stream = Terminal()
    live, _ = make_live(stream)
    live.say("training")
    write = live.follow(lambda text: print(text, end="", file=stream))
    live.tick()

    write("epoch 1 ▇▇▇")
    live.tick()
    write("▇ done\n")

    assert stream.getvalue() == f"{CLEAR}  … training, 0 s{CLEAR}epoch 1 ▇▇▇▇ done\n"


def test_nothing_is_left_behind_at_the_end_of_a_step() -> None:
    stream = Terminal()
    live, _ = make_live(stream)

    with live.running("Candidate"):
        live.tick()
    live.tick()

    assert stream.getvalue() == f"{CLEAR}  … Candidate, 0 s{CLEAR}"


def test_a_file_or_a_pipe_gets_no_live_line() -> None:
    stream = io.StringIO()
    live, _ = make_live(stream)

    with live.running("Candidate"):
        live.say("running stage train")

    assert stream.getvalue() == ""


def test_a_line_that_ends_something_is_not_counted_on(monkeypatch: pytest.MonkeyPatch) -> None:
    stream = Terminal()
    monkeypatch.setattr("sys.stderr", stream)
    progress = TerminalProgress()
    progress._live, _ = make_live(stream)

    progress.line("running stage train")
    progress._live.tick()
    progress.line("stage train: 3.0 s", ends=True)
    progress._live.tick()

    assert (
        stream.getvalue() == f"  running stage train\n{CLEAR}  … running stage train, 0 s{CLEAR}  stage train: 3.0 s\n"
    )
