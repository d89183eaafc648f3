"""Servers that answer as judged, and servers as they really go wrong: each is told apart, and none of the latter passes."""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from metricgate.errors import PredictionsError, WorkspaceError
from metricgate.gates.verdict import decide_verdict
from metricgate.models.outcome import Outcome, Verdict
from metricgate.models.result import GateRow
from metricgate.serving.asked_servers import ServerLog, ask_servers, refuse_address
from metricgate.serving.judged_rows import JudgedRows, read_answers_by_id, read_judged_rows
from metricgate.serving.judged_serving import JudgedServing, judge_serving
from metricgate.serving.latency import measure_latency
from metricgate.settings.policy import PredictionsSpec
from metricgate.settings.serving import ServingSpec
from tests.serving.model_server import Manner, ModelServer, Reply, Row, lag, score, serve_model

ROWS = 60
SPEC = PredictionsSpec(path="predictions.csv", id=("id",), label="label", score="p")


@pytest.fixture
def judged(tmp_path: Path) -> JudgedRows:
    return read_rows(tmp_path)


def read_rows(folder: Path, spec: PredictionsSpec = SPEC, **serving: Any) -> JudgedRows:
    """Return rows whose data is in another order than the predictions, with one more row than was judged."""
    rows = [(number, number % 7 / 10, "ab"[number % 2]) for number in range(ROWS + 1)]
    data, predictions = folder / "data.csv", folder / "predictions.csv"
    data.write_text("id,label,x,kind\n" + "".join(f"c{n},{n % 2},{x},{kind}\n" for n, x, kind in reversed(rows)))
    answered = "".join(f"c{n},{n % 2},{score({'x': x, 'kind': kind}):.6f}\n" for n, x, kind in rows[:ROWS])
    predictions.write_text(f"id,label,p\n{answered}")
    return read_judged_rows(make_spec("http://localhost/invocations", **serving), spec, predictions, data)


def make_spec(url: str, **changes: Any) -> ServingSpec:
    return ServingSpec.model_validate({"url": url, "data": "data.csv", "timeout": 5, **changes})


def judge(judged: JudgedRows, url: str, **changes: Any) -> JudgedServing:
    spec = make_spec(url, **changes)
    return judge_serving(spec, judged, *ask_servers(spec, judged, tell=lambda _: None))


@pytest.mark.parametrize(
    ("protocol", "path"),
    [
        ("mlflow", "/invocations"),
        ("kserve", "/v1/models/churn:predict"),
        ("kserve", "/v2/models/churn/infer"),
        ("json", "/predict"),
    ],
)
def test_a_server_that_answers_as_judged_passes(judged: JudgedRows, protocol: str, path: str) -> None:
    with serve_model() as server:
        found = judge(judged, server.address(path), protocol=protocol, batch=7)

    (gate,) = found.gates
    assert (gate.outcome, gate.reason_code) == (Outcome.PASSED, "served_as_judged"), gate.reason
    assert gate.reason == "60 rows are answered as judged; the largest difference is 3.3e-07"
    assert found.report.candidate is not None
    assert (found.report.candidate.requests, found.report.candidate.failed) == (9, 0)
    asked = [body for asked_path, _, body in server.requests if asked_path == path]
    assert len(asked) == 9 + 3
    assert "c1" not in json.dumps(asked), "the id is not a feature"


def test_nothing_secret_is_sent(judged: JudgedRows, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("GITHUB_TOKEN", "ghs_secret")
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    (tmp_path / "netrc").write_text("machine 127.0.0.1 login me password secret\n")
    with serve_model() as server:
        assert judge(judged, server.address()).gates[0].outcome is Outcome.PASSED

    sent = {name.lower() for _, headers, _ in server.requests for name in headers}
    assert sent <= {"host", "user-agent", "accept-encoding", "content-type", "accept", "content-length"}


@pytest.mark.parametrize(
    ("shape", "changes"),
    [
        (lambda value: [1 - value, value], {}),
        (lambda value: [value], {}),
        (lambda value: {"p": value, "model": "churn"}, {}),
        (lambda value: {"probability": value}, {}),
        (lambda value: {"no": 1 - value, "yes": value}, {"field": "yes"}),
        (lambda value: [value, 1 - value], {"field": 0}),
    ],
)
def test_answers_come_in_many_shapes(
    judged: JudgedRows, shape: Callable[[float], Any], changes: dict[str, Any]
) -> None:
    with serve_model(lambda _, rows: [shape(score(row)) for row in rows]) as server:
        (gate,) = judge(judged, server.address(), **changes).gates

    assert gate.outcome is Outcome.PASSED, gate.reason


def test_labels_are_compared_as_labels(tmp_path: Path) -> None:
    judged = read_rows(tmp_path, answer="prediction")
    with serve_model(lambda _, rows: [int(score(row) >= 0.5) for row in rows]) as server:
        assert judge(judged, server.address(), answer="prediction").gates[0].outcome is Outcome.PASSED
    with serve_model(lambda _, rows: [bool(score(row) >= 0.25) for row in rows]) as server:
        assert judge(judged, server.address(), answer="prediction").gates[0].outcome is Outcome.FAILED


def round_off(_: ModelServer, rows: list[Row]) -> Any:
    return [round(score(row), 2) for row in rows]


def reorder(_: ModelServer, rows: list[Row]) -> Any:
    return sorted(score(row) for row in rows)


def drop_a_row(_: ModelServer, rows: list[Row]) -> Any:
    return [score(row) for row in rows][:-1]


def answer_nothing(_: ModelServer, rows: list[Row]) -> Any:
    return [None for _ in rows]


def answer_nan(_: ModelServer, rows: list[Row]) -> Any:
    return [float("nan") for _ in rows]


def fail_sometimes(server: ModelServer, rows: list[Row]) -> Any:
    return Reply(500, b"out of memory") if len(server.requests) % 3 == 0 else [score(row) for row in rows]


def misread_a_kind(_: ModelServer, rows: list[Row]) -> Any:
    return [score({**row, "kind": "a"}) for row in rows]


@pytest.mark.parametrize(
    ("manner", "code", "said"),
    [
        (round_off, "serving_skew", "rows are not answered as judged: off by 0.0033 at most, as after rounding"),
        (reorder, "serving_skew", "rows are not answered as judged"),
        (drop_a_row, "serving_not_asked", "answered for 5 rows where 6 were sent"),
        (answer_nothing, "serving_skew", "60 of 60 rows are not answered as judged: it may be another model"),
        (answer_nan, "serving_skew", "it may be another model"),
        (misread_a_kind, "serving_skew", "30 of 60 rows are not answered as judged (row c1 has p"),
        (fail_sometimes, "serving_failed", "answered with status 500: out of memory"),
        (lambda *_: Reply(500, b"boom"), "serving_not_asked", "answered with status 500: boom"),
        (lambda *_: Reply(200, b"<html>sign in</html>"), "serving_not_asked", "did not answer with JSON (a web page)"),
        (lambda *_: Reply(200, b"{}", "application/json"), "serving_not_asked", "answered without `predictions`"),
        (lambda *_: Reply(200, b"[" * 100_000, "application/json"), "serving_not_asked", "did not answer with JSON"),
        (lambda *_: Reply(302, b"", location="http://127.0.0.1:9/"), "serving_not_asked", "status 302"),
        (lambda *_: [{"score": 1.0, "other": 2}] * 6, "serving_not_asked", "without p: set `field`"),
        (lambda *_: [[1, 2, 3]] * 6, "serving_not_asked", "3 values for a row, where 1 are judged: set `field`"),
    ],
)
def test_a_server_that_goes_wrong_never_passes(judged: JudgedRows, manner: Manner, code: str, said: str) -> None:
    with serve_model(manner) as server:
        found = judge(judged, server.address(), batch=6)

    (gate,) = found.gates
    assert gate.reason_code == code, gate.reason
    assert said in gate.reason
    assert decide_verdict(found.gates) in {Verdict.FAILED, Verdict.ERROR}


def test_what_differs_is_listed_with_its_row_and_column(judged: JudgedRows) -> None:
    with serve_model(round_off) as server:
        report = judge(judged, server.address()).report

    assert report.columns == ("p",)
    assert report.values[0].model_dump() == {"row": "c1", "column": "p", "judged": "0.133333", "served": "0.13"}
    assert 0.001 < (report.largest or 0) < 0.01
    assert len(report.values) == 20
    assert report.skewed > 20


def test_a_coarser_tolerance_allows_rounding(judged: JudgedRows) -> None:
    with serve_model(round_off) as server:
        assert judge(judged, server.address(), tolerance=0.01).gates[0].outcome is Outcome.PASSED


def test_the_baselines_model_is_recognised(judged: JudgedRows, tmp_path: Path) -> None:
    file = tmp_path / "before.csv"
    file.write_text("id,label,p\n" + "".join(f"c{n},0,{0.5 + n / 1000}\n" for n in reversed(range(ROWS + 5))))
    spec = make_spec("http://localhost/x")
    earlier = read_answers_by_id(spec, SPEC, file, judged)
    assert earlier is not None
    answers: Iterator[Any] = iter([])

    def answer_as_before(_: ModelServer, rows: list[Row]) -> Any:
        nonlocal answers
        if len(rows) == ROWS:
            answers = iter(earlier["p"])
        return [next(answers) for _ in rows]

    with serve_model(answer_as_before) as server:
        asked = make_spec(server.address(), batch=ROWS)
        found = judge_serving(asked, judged, *ask_servers(asked, judged, tell=lambda _: None), earlier=earlier)

    assert "it is the baseline's model" in found.gates[0].reason


def test_a_server_that_is_not_there_is_an_error(judged: JudgedRows, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("metricgate.serving.asked_servers.WAIT_S", 0.0)
    with serve_model() as server:
        gone = server.address()

    with pytest.raises(WorkspaceError, match=r"127\.0\.0\.1:\d+/invocations does not answer"):
        judge(judged, gone)


def test_a_server_that_lags_is_too_late(judged: JudgedRows) -> None:
    with serve_model(lag(0.5)) as server:
        (gate,) = judge(judged, server.address(), timeout=0.05, batch=30).gates

    assert gate.reason_code == "serving_not_asked"
    assert "did not answer within 0.05 s" in gate.reason


LATENCY = {"metric": "latency_p50", "max_increase": "50%"}
BAR = {"metric": "latency_p95", "max": 0.25}
ERRORS = {"metric": "error_share", "max": 0.0}


def make_log(judged: JudgedRows, milliseconds: Iterable[float], failed: int = 0) -> ServerLog:
    seconds = [value / 1000 for value in milliseconds]
    answers: list[Mapping[str, Any] | None] = [{"p": value} for value in judged.answers["p"]]
    return ServerLog(answers=answers, seconds=seconds, requests=len(seconds) + failed, failed=failed)


def judge_logs(judged: JudgedRows, candidate: ServerLog, baseline: ServerLog | None, *gates: Any) -> list[GateRow]:
    _, *rows = judge_serving(make_spec("http://m/x", gates=gates), judged, candidate, baseline).gates
    return rows


def test_time_is_advisory_where_the_baselines_server_was_not_asked(judged: JudgedRows) -> None:
    gates = judge_logs(judged, make_log(judged, range(1, 201)), None, LATENCY, ERRORS, BAR)

    assert [(gate.outcome, gate.reason_code) for gate in gates] == [(Outcome.SKIPPED, "advisory")] * 3
    assert [gate.candidate for gate in gates] == [0.101, 0.0, 0.191]
    assert decide_verdict(gates) is Verdict.SKIPPED


def test_a_slower_server_fails_beside_the_baselines(judged: JudgedRows) -> None:
    slow, quick = make_log(judged, range(101, 301)), make_log(judged, range(1, 201))

    worse = judge_logs(judged, slow, quick, LATENCY, ERRORS, BAR)
    better = judge_logs(judged, quick, slow, LATENCY, ERRORS, BAR)

    assert [gate.outcome for gate in worse] == [Outcome.FAILED, Outcome.PASSED, Outcome.FAILED]
    assert [gate.outcome for gate in better] == [Outcome.PASSED] * 3
    assert worse[0].difference == pytest.approx(0.1)
    assert worse[0].low is not None
    assert worse[0].bound == pytest.approx(0.0505)
    assert worse[0].bound < worse[0].low < 0.1


def test_a_difference_that_few_requests_cannot_show_blocks_nothing(judged: JudgedRows) -> None:
    (gate,) = judge_logs(judged, make_log(judged, [40, 50, 60]), make_log(judged, [10, 20, 30]), LATENCY)

    assert (gate.outcome, gate.reason_code, gate.low) == (Outcome.PASSED, "no_harm_shown", None)


def test_the_interval_of_a_quantile_is_that_of_its_order_statistics() -> None:
    found = measure_latency([float(value) for value in range(100, 0, -1)], 0.5, tail=0.025)

    # The known ranks of a 95 % interval of the median of 100: the 40th and the 61st.
    assert found is not None
    assert (found.low, found.seconds, found.high) == (40.0, 51.0, 61.0)
    assert measure_latency([], 0.5, tail=0.025) is None
    few = measure_latency([1.0] * 58, 0.95, tail=0.05)
    enough = measure_latency([1.0] * 59, 0.95, tail=0.05)
    assert few is not None
    assert enough is not None
    assert (few.high, enough.high) == (None, 1.0)


def test_failed_requests_are_a_gate(judged: JudgedRows) -> None:
    with serve_model(fail_sometimes) as server, serve_model() as other:
        found = judge(judged, server.address(), baseline_url=other.address(), gates=[ERRORS], batch=6)

    assert (found.gates[1].outcome, found.gates[1].candidate) == (Outcome.FAILED, 0.3)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("id,x,kind\nc1,1,a\n", "lacks 59 of 60 judged rows, first c0"),
        ("x,kind\n1,a\n", "data.csv has 1 rows, and predictions.csv has 60"),
        ("id,x,kind\nc1,1,a\nc1,1,a\n", "rows with equal ids"),
    ],
)
def test_data_that_is_not_the_judged_rows_is_refused(tmp_path: Path, text: str, problem: str) -> None:
    read_rows(tmp_path)
    (tmp_path / "data.csv").write_text(text)

    with pytest.raises(PredictionsError, match=problem):
        read_judged_rows(make_spec("http://m/x"), SPEC, tmp_path / "predictions.csv", tmp_path / "data.csv")


def test_values_are_sent_as_json_has_them(tmp_path: Path) -> None:
    read_rows(tmp_path)
    (tmp_path / "data.csv").write_text("whole,part,code,mixed,gap\n" + "3,0.5,007,1,\n-4,1e3,8,x,2\n" * 30)

    judged = read_judged_rows(make_spec("http://m/x"), SPEC, tmp_path / "predictions.csv", tmp_path / "data.csv")

    assert judged.rows[:2] == [(3, 0.5, 7, "1", None), (-4, 1000.0, 8, "x", 2)]


@pytest.mark.parametrize(
    ("url", "is_own", "refused"),
    [
        ("http://model:8080/invocations", True, False),
        ("http://localhost:8080/x", True, False),
        ("http://127.0.0.1:8080/x", True, False),
        ("http://[::1]:8080/x", True, False),
        ("http://internal.acme.example/x", True, True),
        ("http://10.0.0.5/x", True, True),
        ("http://10.0.0.5/x", False, False),
        ("http://internal.acme.example/x", False, False),
        ("http://169.254.169.254/latest/meta-data", False, True),
        ("http://[fe80::1]/x", False, True),
        ("http://0.0.0.0/x", False, True),
    ],
)
def test_a_change_aims_the_requests_at_no_other_server(url: str, is_own: bool, refused: bool) -> None:  # noqa: FBT001
    assert bool(refuse_address([url], is_own=is_own)) is refused
