"""One call to a service ends in time, tells nobody its address, and does nothing twice that may not be done twice."""

import logging
import socket
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from metricgate.services.http_client import MAX_TOLD_CHARACTERS, HttpClient
from metricgate.services.service_error import ServiceError, ServiceTrouble
from tests.services import awkward_replies as replies
from tests.services.awkward_replies import Reply
from tests.services.awkward_server import serve

SECRET = "/services/T0AB12CD3/B0EF45GH6/s3cr3tpath"
WATCHDOG_S = 30


def client(*, within_s: float = 5.0, pauses: list[float] | None = None, max_answer_bytes: int = 10_000) -> HttpClient:
    kept = pauses if pauses is not None else []
    return HttpClient(service="Slack", within_s=within_s, sleep=kept.append, max_answer_bytes=max_answer_bytes)


def fail(send: Callable[[], object]) -> ServiceError:
    """Return the error of a call that must end before the watchdog's time, which no machine is slow enough to reach."""
    outcome: list[BaseException] = []

    def work() -> None:
        try:
            send()
        except ServiceError as error:
            outcome.append(error)

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    thread.join(WATCHDOG_S)
    assert not thread.is_alive(), "the call has no end"
    (error,) = outcome
    assert isinstance(error, ServiceError)
    return error


def test_bytes_and_headers_arrive_as_they_are() -> None:
    with serve(replies.answer(201, b"made", X_Id="7")) as server:
        answer = client().send("POST", f"{server.url}/hook", b'{"a": "\xc3\xbc"}', {"Content-Type": "application/json"})

    assert (answer.status, answer.body, answer.headers["x-id"], answer.is_whole) == (201, b"made", "7", True)
    (request,) = server.requests
    assert request.startswith(b"POST /hook HTTP/1.1\r\n")
    assert request.endswith(b'{"a": "\xc3\xbc"}')
    assert b"Content-Type: application/json" in request


@pytest.mark.parametrize("reply", [replies.drip_head(), replies.drip_body(), replies.hang()])
def test_the_deadline_holds_although_bytes_keep_coming(reply: Reply) -> None:
    with serve(reply) as server:
        error = fail(lambda: client(within_s=0.4).send("PUT", server.url))

    assert error.trouble is ServiceTrouble.TIMED_OUT
    assert "within 0.4 s" in error.what
    assert len(server.requests) == 1


@pytest.mark.parametrize("reply", [replies.reset(), replies.cut(), replies.no_http()])
def test_a_broken_answer_is_asked_for_again_only_where_that_does_no_harm(reply: Reply) -> None:
    with serve(reply, replies.answer()) as server:
        assert client().send("PUT", server.url).body == b"ok"
    with serve(reply, replies.answer()) as server:
        error = fail(lambda: client().send("POST", server.url))
        assert (error.trouble, len(server.requests)) == (ServiceTrouble.BROKEN, 1)
        assert error.may_be_done
    with serve(reply, replies.answer()) as server:
        assert client().send("POST", server.url, may_repeat=True).body == b"ok"


def test_a_redirect_is_not_followed() -> None:
    with serve(replies.answer()) as elsewhere, serve(replies.answer(307, Location=elsewhere.url)) as server:
        error = fail(lambda: client().send("POST", server.url, b"secret"))

        assert (error.trouble, error.status) == (ServiceTrouble.REDIRECTED, 307)
        assert elsewhere.url not in str(error)
        assert elsewhere.requests == []


@pytest.mark.parametrize("status", [429, 503])
def test_a_pause_that_the_service_asks_for_is_kept_within_the_time(status: int) -> None:
    pauses: list[float] = []
    with serve(replies.answer(status, Retry_After="3"), replies.answer()) as server:
        assert client(within_s=60, pauses=pauses).send("POST", server.url).status == 200

    assert pauses == [3.0]


def test_a_pause_beyond_the_time_is_not_begun() -> None:
    pauses: list[float] = []
    with serve(replies.answer(429, Retry_After="3600")) as server:
        error = fail(lambda: client(within_s=60, pauses=pauses).send("POST", server.url))

    assert (error.trouble, error.status, error.retry_after_s, pauses) == (ServiceTrouble.RATE_LIMITED, 429, 3600, [])


def test_repetitions_are_counted() -> None:
    pauses: list[float] = []
    with serve(replies.answer(500)) as server:
        error = fail(lambda: client(within_s=600, pauses=pauses).send("PUT", server.url))

    assert (error.trouble, pauses, len(server.requests)) == (ServiceTrouble.UNAVAILABLE, [1, 2, 4], 4)


def test_a_server_error_after_a_post_is_not_repeated() -> None:
    with serve(replies.answer(502, b"bad gateway")) as server:
        error = fail(lambda: client().send("POST", server.url))

    assert (error.trouble, len(server.requests)) == (ServiceTrouble.UNAVAILABLE, 1)


def test_a_post_that_never_left_is_sent_again() -> None:
    pauses: list[float] = []
    with socket.create_server(("127.0.0.1", 0)) as closed:
        url = f"http://127.0.0.1:{closed.getsockname()[1]}"

    error = fail(lambda: client(within_s=60, pauses=pauses).send("POST", url))

    assert (error.trouble, pauses) == (ServiceTrouble.UNREACHABLE, [1, 2, 4])
    assert not error.may_be_done


def test_a_long_answer_is_cut() -> None:
    with serve(replies.answer(200, b"x" * 100_000)) as server:
        answer = client(max_answer_bytes=1000).send("GET", server.url)

    assert (len(answer.body), answer.is_whole) == (1000, False)


def test_a_compressed_answer_is_not_unpacked() -> None:
    import gzip  # noqa: PLC0415

    bomb = gzip.compress(b"x" * 1_000_000)
    with serve(replies.answer(200, bomb, Content_Encoding="gzip")) as server:
        answer = client(max_answer_bytes=2000).send("GET", server.url)

    assert answer.body == bomb


@pytest.mark.parametrize(
    "reply",
    [
        replies.answer(404, f"The requested URL {SECRET} was not found".encode()),
        replies.answer(403, b"Bearer abcdef123456 is not valid for s3cr3tpath"),
        replies.answer(302, Location="http://127.0.0.1/s3cr3tpath"),
        replies.reset(),
        replies.cut(),
        replies.no_http(),
        replies.hang(),
    ],
)
def test_no_error_shows_the_address_or_a_header(reply: Reply) -> None:
    with serve(reply) as server:
        send = client(within_s=0.5).send
        error = fail(lambda: send("POST", server.url + SECRET, headers={"Authorization": "Bearer abcdef123456"}))

    chain = [str(error), repr(error), str(error.__cause__)]
    if not error.__suppress_context__:
        chain.append(repr(error.__context__))
    for text in chain:
        assert not any(part in text for part in ("s3cr3tpath", "T0AB12CD3", "127.0.0.1", "abcdef123456")), text


def test_malformed_headers_do_not_log_the_address(caplog: pytest.LogCaptureFixture) -> None:
    def play(connection: socket.socket, _: threading.Event) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nno colon here\r\n\r\nok")

    with caplog.at_level(logging.INFO), serve(Reply(play)) as server:
        client().send("PUT", server.url + SECRET)

    assert "s3cr3tpath" not in caplog.text


@pytest.mark.parametrize(
    "url",
    ["", "ftp://127.0.0.1/x", "file:///etc/passwd", "127.0.0.1/x", "http://", "http://a b/", "https://x/\nHost: y",
     "http://[::1/", "http://127.0.0.1:99999/"],
)  # fmt: skip
def test_an_unusable_address_is_refused_before_anything_is_sent(url: str) -> None:
    error = fail(lambda: client().send("POST", url))

    assert error.trouble is ServiceTrouble.UNUSABLE
    assert "127.0.0.1" not in str(error)


def test_a_header_with_a_line_break_is_refused() -> None:
    with serve(replies.answer()) as server:
        error = fail(lambda: client().send("POST", server.url, headers={"X-Key": "a\r\nHost: evil"}))

    assert (error.trouble, server.requests) == (ServiceTrouble.UNUSABLE, [])


def test_what_a_service_wrote_is_one_short_line_without_commands() -> None:
    with serve(replies.answer(400, b"no\n::error::boo \x1b[31m ##[group]" + b"x" * 900)) as server:
        error = fail(lambda: client().send("POST", server.url))

    assert error.answer.startswith("no : :error: :boo [31m ## [group]")
    assert len(error.answer) <= MAX_TOLD_CHARACTERS + 10
    assert error.answer.isprintable()


def test_an_authorization_header_is_not_replaced_by_netrc(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / ".netrc").write_text("machine 127.0.0.1 login other password other\n")
    monkeypatch.setenv("NETRC", str(tmp_path / ".netrc"))
    monkeypatch.setenv("HOME", str(tmp_path))
    with serve(replies.answer()) as server:
        client().send("POST", server.url, headers={"Authorization": "Bearer mine"})

    assert b"Authorization: Bearer mine" in server.requests[0]


def test_a_user_and_password_in_the_address_are_sent_as_a_header() -> None:
    with serve(replies.answer()) as server:
        client().send("PUT", server.url.replace("http://", "http://ann:pass@") + "/metrics/job/metricgate")

    assert b"PUT /metrics/job/metricgate HTTP/1.1" in server.requests[0]
    assert b"Authorization: Basic YW5uOnBhc3M=" in server.requests[0]


def test_a_proxy_of_the_environment_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    with serve(replies.answer(200, b"through the proxy")) as proxy:
        monkeypatch.setenv("http_proxy", proxy.url)
        answer = client().send("POST", "http://gateway.invalid/metrics")

    assert answer.body == b"through the proxy"
    assert proxy.requests[0].startswith(b"POST http://gateway.invalid/metrics HTTP/1.1")
