"""A served fake GitHub, and clients that never really wait."""

from collections.abc import Callable, Iterator

import pytest

from metricgate.publish.github.client import GitHubClient
from metricgate.publish.github.retry_budget import RetryBudget
from tests.github.fake import REPOSITORY, TOKEN, FakeGitHub

NOW = 1_790_000_000.0


class SteppedClock:
    """Time that passes only by sleeping; ``sleeps`` is what was waited, in seconds."""

    def __init__(self) -> None:
        self.time = NOW
        self.sleeps: list[float] = []

    def now(self) -> float:
        return self.time

    def sleep(self, seconds: float) -> None:
        self.time += seconds
        self.sleeps.append(seconds)


MakeClient = Callable[..., tuple[GitHubClient, SteppedClock]]


@pytest.fixture
def fake_github() -> Iterator[FakeGitHub]:
    with FakeGitHub().serve() as fake:
        yield fake


@pytest.fixture
def make_client(fake_github: FakeGitHub) -> MakeClient:
    def make(*, token: str = TOKEN, total_s: float = 120, timeout_s: float = 5) -> tuple[GitHubClient, SteppedClock]:
        clock = SteppedClock()
        budget = RetryBudget(total_s=total_s, sleep=clock.sleep, now=clock.now)
        client = GitHubClient(
            token=token, api_url=fake_github.url, repository=REPOSITORY, budget=budget, timeout_s=timeout_s
        )
        return client, clock

    return make
