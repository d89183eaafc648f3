import io

from metricgate.processes.process_output import fence_output


def test_fenced_output_cannot_end_the_fence_or_speak_outside_it() -> None:
    stream = io.StringIO()

    with fence_output(stream, github=True) as write:
        write("::set-output name=x::1\nlast line without its end")

    first, *inside, blank = stream.getvalue().split("\n")
    token = first.removeprefix("::stop-commands::")
    assert len(token) == 64
    assert inside == ["::set-output name=x::1", "last line without its end", f"::{token}::"]
    assert blank == ""


def test_two_fences_have_different_tokens() -> None:
    tokens = set()
    for _ in range(2):
        stream = io.StringIO()
        with fence_output(stream, github=True):
            tokens.add(stream.getvalue())

    assert len(tokens) == 2


def test_output_beyond_the_limit_is_left_out_and_said_so() -> None:
    stream = io.StringIO()

    with fence_output(stream, github=False, limit=10) as write:
        write("12345")
        write("67890abc")
        write("never")

    assert stream.getvalue() == "1234567890\n… more output is in the log file only\n"
