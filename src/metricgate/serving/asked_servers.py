"""Asks one or two model servers for the judged rows, batch by batch, and measures how long each request takes."""

import ipaddress
import json
import math
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from metricgate.errors import WorkspaceError
from metricgate.services.http_client import HttpClient
from metricgate.services.service_error import ServiceError, ServiceTrouble
from metricgate.serving.judged_rows import JudgedRows
from metricgate.serving.protocols import AnswerError, Protocol, choose_protocol, read_answer
from metricgate.serving.skew import pick_answers
from metricgate.settings.serving import ServingSpec

REQUESTS = 200  # enough for the interval of a 95th percentile, which needs 59
WAIT_S = 60.0  # for a server that was just started
WARM_UP = 3  # requests that are not measured: the first ones load and compile
MAX_IN_A_ROW = 5  # failures after which a server is given up
MAX_ANSWER_BYTES = 32 << 20
_PAUSE_S = 0.5
_NOT_UP = frozenset({ServiceTrouble.UNREACHABLE, ServiceTrouble.RATE_LIMITED})


@dataclass
class ServerLog:
    """What one server answered. ``answers`` has a mapping of columns to values for each row, None where it has none."""

    answers: list[Mapping[str, Any] | None]
    seconds: list[float] = field(default_factory=list)
    requests: int = 0
    failed: int = 0
    in_a_row: int = 0
    problem: str = ""

    @property
    def is_given_up(self) -> bool:
        return self.in_a_row >= MAX_IN_A_ROW


@dataclass(frozen=True)
class _Server:
    name: str
    url: str
    spec: ServingSpec
    protocol: Protocol
    client: HttpClient
    log: ServerLog

    def encode(self, judged: JudgedRows, start: int, count: int) -> bytes:
        body = self.protocol.encode(judged.features, judged.rows[start : start + count])
        return json.dumps(body, allow_nan=False).encode()

    def wait(self, body: bytes) -> None:
        """Send a request until the server takes it; raises WorkspaceError after a minute without a connection."""
        ends = time.monotonic() + WAIT_S
        while True:
            try:
                self._send(body)
            except ServiceError as error:
                if error.trouble not in _NOT_UP:
                    return  # it is there: what is wrong with its answers is counted
                if time.monotonic() >= ends:
                    raise WorkspaceError(
                        f"{self.name} at {show_address(self.url)} does not answer. {error.what}",
                        expected="a server that is up when MetricGate runs.",
                        fix="start it in a step or under `services:` of the job, and wait for it there.",
                        topic="the-model-server-does-not-answer",
                    ) from error
                time.sleep(_PAUSE_S)
            else:
                return

    def ask(self, judged: JudgedRows, start: int, count: int, body: bytes) -> None:
        """Ask for the rows from ``start`` on, and note answers and time."""
        log = self.log
        log.requests += 1
        began = time.perf_counter()
        try:
            answer = self._send(body)
            took = time.perf_counter() - began
            entries = read_answer(self.protocol, answer, count)
            columns = tuple(judged.answers)
            picked = [pick_answers(entry, columns, self.spec.field) for entry in entries]
        except (ServiceError, AnswerError) as error:
            log.failed += 1
            log.in_a_row += 1
            said = error.what if isinstance(error, ServiceError) else f"{self.name} {error}."
            log.problem = log.problem or said
            return
        log.in_a_row = 0
        log.seconds.append(took)
        log.answers[start : start + count] = picked

    def _send(self, body: bytes) -> bytes:
        headers = {"Content-Type": "application/json", "Accept": "application/json"}
        answer = self.client.send("POST", self.url, body, headers)
        if not answer.is_whole:
            raise ServiceError(
                self.name, f"answered with more than {MAX_ANSWER_BYTES:,} bytes", trouble=ServiceTrouble.BROKEN
            )
        return answer.body


def ask_servers(
    spec: ServingSpec, judged: JudgedRows, *, tell: Callable[[str], None], limit_s: float | None = None
) -> tuple[ServerLog, ServerLog | None]:
    """Return what the candidate's server answered, and the baseline's, if the policy names one.

    Both are asked for the same rows in turn, so that whatever else the machine does slows both. Nothing secret is sent,
    no redirect is followed, and no proxy is used.

    Raises
    ------
    WorkspaceError
        If a server does not take a connection, or all of it takes longer than ``limit_s``.
    """
    servers = [_open("The model server", spec.url, spec, judged)]
    if spec.baseline_url is not None:
        servers.append(_open("The baseline's model server", spec.baseline_url, spec, judged))
    size = spec.batch or max(1, math.ceil(len(judged.rows) / REQUESTS))
    for server in servers:
        body = server.encode(judged, 0, size)
        for _ in range(WARM_UP):
            server.wait(body)
    tell(f"asking for {len(judged.rows):,} rows, {size:,} at a time")
    ends = math.inf if limit_s is None else time.monotonic() + limit_s
    for number, start in enumerate(range(0, len(judged.rows), size)):
        count = min(size, len(judged.rows) - start)
        for server in servers if number % 2 == 0 else reversed(servers):
            if not server.log.is_given_up:
                server.ask(judged, start, count, server.encode(judged, start, count))
        if time.monotonic() > ends:
            raise WorkspaceError(
                f"Asking the model server took longer than {limit_s:g} s.",
                expected="all judged rows within the time limit.",
                fix="raise `batch` below `serving:`, or `timeout-minutes`.",
                topic="the-model-server-does-not-answer",
            )
    return servers[0].log, servers[1].log if len(servers) > 1 else None


def _open(name: str, url: str, spec: ServingSpec, judged: JudgedRows) -> _Server:
    client = HttpClient(
        service=name, within_s=spec.timeout, max_answer_bytes=MAX_ANSWER_BYTES, attempts=1, uses_proxy=False
    )
    log = ServerLog(answers=[None] * len(judged.rows))
    return _Server(name, url, spec, choose_protocol(spec.protocol, url), client, log)


def show_address(url: str) -> str:
    """Return an address without its query, which may hold what others should not read."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}{parts.path}"


def refuse_address(urls: Sequence[str], *, is_own: bool) -> str:
    """Return why an address must not be asked; empty where it may be.

    A cloud's own addresses hand out credentials. A change that brings the first policy (``is_own``) may name services
    of its own job, and nothing else.
    """
    for url in urls:
        host = urlsplit(url).hostname or ""
        try:
            address = ipaddress.ip_address(host)
        except ValueError:
            if is_own and host != "localhost" and "." in host:
                return f"{host} is not a service of this job, and this change names it itself"
            continue
        if address.is_link_local or address.is_multicast or address.is_unspecified:
            return f"{host} is an address of the machine's own network, not of a server"
        if is_own and not address.is_loopback:
            return f"{host} is not a service of this job, and this change names it itself"
    return ""
