"""Earlier runs, remembered in MetricGate's own comment."""

import base64

import pytest

from metricgate.models.outcome import Verdict
from metricgate.publish.github.comment import MAX_BODY, MAX_RUNS, add_memory, read_memory
from metricgate.report.view_context import PastRun

BODY = "<!-- metricgate:default -->\n## Passed\n"


def make_run(number: int = 0, headline: str = "Passed") -> PastRun:
    return PastRun(revision=f"{number:040x}", verdict=Verdict.PASSED, headline=headline)


def test_runs_are_read_back_below_the_marker() -> None:
    body = add_memory(BODY, [make_run(1), make_run(2, "--> <b>forged</b>")])

    assert body.startswith("<!-- metricgate:default -->\n<!-- metricgate-runs ")
    assert "forged" not in body
    assert read_memory(body) == (make_run(1), make_run(2, "--> <b>forged</b>"))


def test_only_the_newest_are_kept() -> None:
    kept = read_memory(add_memory(BODY, [make_run(number) for number in range(30)]))

    assert kept == tuple(make_run(number) for number in range(30 - MAX_RUNS, 30))


def test_a_comment_without_room_stays_as_it_is() -> None:
    full = BODY + "x" * (MAX_BODY - len(BODY) - 10)

    assert add_memory(full, [make_run()]) == full


@pytest.mark.parametrize("text", [b"not JSON", b"[]x", b'[{"revision": "x"}]', b'[{"revision": "<script>"}]'])
def test_a_line_that_somebody_changed_is_forgotten(text: bytes) -> None:
    assert read_memory(f"{BODY}<!-- metricgate-runs {base64.b64encode(text).decode()} -->\n") == ()


@pytest.mark.parametrize("line", ["", "<!-- metricgate-runs ==== -->", "<!-- metricgate-runs abc -->"])
def test_a_line_that_is_none_is_forgotten(line: str) -> None:
    assert read_memory(f"{BODY}{line}\n") == ()
