"""The faults that publishing must survive, one scenario each; docs/reliability.md has a row for every one."""

import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.github.fake import TOKEN, FakeGitHub
from tests.github.faults import Fault, answer, drip, html, reset, slow
from tests.github.fixtures import NOW
from tests.github.job import Job, make_report
from tests.github.state import BOT, Comment, Token

ROUTES = {
    "finding the comment": "^GET .*/issues/7/comments$",
    "creating the comment": "^POST .*/issues/7/comments$",
    "updating the comment": "^PATCH .*/issues/comments/",
    "asking for the head": "^GET .*/pulls/7$",
    "starting the check": "^POST .*/check-runs$",
    "completing the check": "^PATCH .*/check-runs/",
    "posting the status": "^POST .*/statuses/",
}
GIT = {"uploading a picture": "^POST .*/git/blobs$", "pointing the ref": "^POST .*/git/refs$"}
WITHOUT, WITH = "comment, check", "comment, check, pictures"
TIMEOUT_S = 1
SLOW_S = 1.2
DRIP_TIMEOUT_S = 0.2


@dataclass(frozen=True)
class Scenario:
    """One fault. ``published`` is what must stand in the end: comment, check, both or none of them."""

    fault: str
    where: str
    prepare: Callable[[FakeGitHub], Any]
    published: str = "comment, check"
    commented_before: bool = False
    runs: int = 1
    pictures: bool = False
    inputs: dict[str, str] = field(default_factory=dict)
    timeout_s: float = TIMEOUT_S
    unwritable: str = ""

    @property
    def name(self) -> str:
        return f"{self.fault}, {self.where}"


def all_scenarios() -> tuple[Scenario, ...]:
    return (*_transient(), *_slow(), *_rate_limits(), *_final(), *_concurrent(), *_pictures(), *_renamed(), *_files())


def _on(where: str, *faults: Fault) -> Callable[[FakeGitHub], Any]:
    return lambda fake: fake.fail(ROUTES[where], *faults)


def _scenario(fault: str, where: str, *faults: Fault, **changes: Any) -> Scenario:
    changes.setdefault("commented_before", where == "updating the comment")
    changes.setdefault("inputs", {"check": "both"} if where == "posting the status" else {})
    return Scenario(fault, where, _on(where, *faults), **changes)


def _transient() -> Iterator[Scenario]:
    for where, pattern in ROUTES.items():
        for status in (500, 502, 503):
            yield _scenario(f"{status} once", where, answer(status))
        yield _scenario("502 five times", where, *[answer(502)] * 5)
        yield _scenario("connection reset before the request was done", where, reset(written=False))
        yield _scenario("HTML instead of JSON", where, html(200))
        if not pattern.startswith("^GET"):
            yield _scenario("502 after the request was done", where, answer(502, written=True))
            yield _scenario(
                "500 and 503 five times, the last after the request was done",
                where,
                *[answer(500), answer(503)] * 2,
                answer(503, written=True),
            )
            yield _scenario("connection reset after the request was done", where, reset(written=True))
            yield _scenario("HTML instead of JSON, though done", where, html(200, written=True))


def _slow() -> Iterator[Scenario]:
    for where in ("creating the comment", "completing the check", "finding the comment"):
        yield _scenario("no answer within the time limit", where, slow(SLOW_S))
        yield _scenario("the answer comes a byte at a time, without end", where, drip())
        yield _scenario("the answer comes a byte at a time, though done", where, drip(written=True))
    yield Scenario(
        "the answer comes a byte at a time, without end",
        "everywhere",
        lambda fake: fake.fail("", *[drip()] * 999),
        published="",
        timeout_s=DRIP_TIMEOUT_S,
    )


def _rate_limits() -> Iterator[Scenario]:
    secondary = "You have exceeded a secondary rate limit"
    after_20_s = {"Retry-After": "20"}
    for where in ("creating the comment", "completing the check", "finding the comment"):
        yield _scenario("primary rate limit (403), reset in 30 s", where, _exhausted(403, 30))
        yield _scenario(
            "secondary rate limit (429), Retry-After 20 s", where, answer(429, secondary, headers=after_20_s)
        )
    where = "creating the comment"
    yield _scenario("secondary rate limit (403), Retry-After 20 s", where, answer(403, secondary, headers=after_20_s))
    yield _scenario("secondary rate limit (429), no Retry-After", where, answer(429, secondary))
    yield _scenario("primary rate limit (429), reset in 30 s", where, _exhausted(429, 30))
    in_50_min = [_exhausted(403, 3000)] * 9
    yield _scenario("primary rate limit, reset in 50 min", where, *in_50_min, published="check")
    yield _scenario("primary rate limit, reset in 50 min", "starting the check", *in_50_min, published="comment")


def _exhausted(status: int, seconds: int) -> Fault:
    headers = {"X-RateLimit-Remaining": "0", "X-RateLimit-Limit": "1000", "X-RateLimit-Reset": str(int(NOW) + seconds)}
    return answer(status, "API rate limit exceeded", headers=headers)


def _final() -> Iterator[Scenario]:
    yield _scenario("502 without end", "creating the comment", *[answer(502)] * 99, published="check")
    yield _scenario("502 without end", "starting the check", *[answer(502)] * 99, published="comment")
    everywhere = "everywhere"
    yield Scenario("502 without end", everywhere, lambda fake: fake.fail("", *[answer(502)] * 999), published="")
    yield Scenario(
        "connection reset without end",
        everywhere,
        lambda fake: fake.fail("", *[reset(written=False)] * 999),
        published="",
    )
    yield Scenario("401, the token is not valid", everywhere, lambda fake: fake.tokens.clear(), published="")
    yield Scenario("401, the token ends after the check started", everywhere, _expire(1), published="")
    yield Scenario("401, the token ends before the comment", everywhere, _expire(3), published="check")
    yield Scenario("403, the token may only read", everywhere, _permit({"contents": "read"}), published="")
    yield Scenario("403, no right to comment", everywhere, _permit({"checks": "write"}), published="check")
    yield Scenario("403, no right to check", everywhere, _permit({"pull-requests": "write"}), published="comment")
    yield Scenario(
        "404, the pull request was deleted", everywhere, lambda fake: fake.pull_requests.clear(), published="check"
    )
    yield Scenario("403, the conversation is locked", everywhere, _lock, published="check")
    yield _scenario("404, the comment was deleted meanwhile", "updating the comment", answer(404, "Not Found"))
    yield _scenario(
        "422, the comment is too long",
        "creating the comment",
        answer(422, "Validation Failed: body is too long (maximum is 65536 characters)"),
    )
    yield _scenario(
        "422, refused for another reason", "creating the comment", answer(422, "Validation Failed"), published="check"
    )


def _concurrent() -> Iterator[Scenario]:
    for where in ("finding the comment", "creating the comment"):
        yield Scenario("another run publishes at the same moment, just before", where, _race(ROUTES[where]), runs=2)
    yield Scenario("two comments of ours from an older race", "everywhere", _duplicate)
    yield Scenario("a newer push arrives before the comment", "everywhere", _push, published="check")


def _pictures() -> Iterator[Scenario]:
    for where in GIT:
        yield _picture("502 four times", where, *[answer(502)] * 4)
        yield _picture("409 once", where, answer(409, "Git Repository is busy"))
        yield _picture("connection reset after the request was done", where, reset(written=True))
        yield _picture("409 without end", where, *[answer(409, "Git Repository is empty.")] * 9, published=WITHOUT)
        yield _picture("422", where, answer(422, "Validation Failed"), published=WITHOUT)
        yield _picture("502 without end", where, *[answer(502)] * 99, published=WITHOUT)
    yield Scenario(
        "403, no right to write contents",
        "uploading a picture",
        _permit({"checks": "write", "pull-requests": "write"}),
        published=WITHOUT,
        pictures=True,
    )


def _picture(fault: str, where: str, *faults: Fault, published: str = WITH) -> Scenario:
    return Scenario(fault, where, lambda fake: fake.fail(GIT[where], *faults), published=published, pictures=True)


def _renamed() -> Iterator[Scenario]:
    yield Scenario("301 and 307, the repository was renamed", "everywhere", _rename, pictures=True, published=WITH)


def _files() -> Iterator[Scenario]:
    for name in ("GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY", "GITHUB_STATE"):
        yield Scenario("the runner's file cannot be written", name, lambda _: None, unwritable=name)


def _rename(fake: FakeGitHub) -> None:
    fake.is_renamed = True


def _expire(requests: int) -> Callable[[FakeGitHub], Any]:
    return lambda fake: fake.tokens.update({TOKEN: Token(expires_after=requests)})


def _permit(permissions: dict[str, str]) -> Callable[[FakeGitHub], Any]:
    return lambda fake: fake.tokens.update({TOKEN: Token(permissions=permissions)})


def _lock(fake: FakeGitHub) -> None:
    fake.pull_requests[7].locked = True


def _duplicate(fake: FakeGitHub) -> None:
    body = "<!-- metricgate:default -->\nolder"
    fake.pull_requests[7].comments += [Comment(number, BOT, body) for number in (2, 3)]


def _push(fake: FakeGitHub) -> None:
    def push() -> None:
        fake.pull_requests[7].head_sha = "d" * 40

    fake.call_before(ROUTES["asking for the head"], push)


def _race(pattern: str) -> Callable[[FakeGitHub], Any]:
    return lambda fake: fake.call_before(pattern, lambda: _publish_elsewhere(fake))


def _publish_elsewhere(fake: FakeGitHub) -> None:
    with tempfile.TemporaryDirectory() as folder:
        Job(fake, Path(folder)).publish(make_report(), inputs={"check": "none"})
