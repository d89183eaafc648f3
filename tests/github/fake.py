"""A stateful stand-in for GitHub's REST API on 127.0.0.1, which a test can ask what the pull request looks like now.

Every request and every response is checked against GitHub's description (contract.py); the limits, permissions and
pages that the description lacks are in routes.py. It answers a process as well as a thread: give it as GITHUB_API_URL.
"""

import contextlib
import json
import re
import socket
import ssl
import struct
import threading
import time
from collections.abc import Callable, Iterator, MutableMapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urlsplit

from tests.github.contract import load_contract
from tests.github.faults import Fault, FaultPlan
from tests.github.git_store import GitStore, RealRefs
from tests.github.routes import Answer, Request, dispatch
from tests.github.state import Artifact, CheckRun, Comment, Issue, PullRequest, Status, Token

TOKEN = "ghs_424242_" + "t0ken." * 8  # a token of the fake
REPOSITORY = "acme/churn"


class FakeGitHub:
    """One repository on one server."""

    def __init__(self, *, prefix: str = "") -> None:
        self.contract = load_contract()
        self.repository = REPOSITORY
        self.prefix = prefix
        self.tokens = {TOKEN: Token()}
        self.collaborators: dict[str, str] = {}  # login -> admin, write, read
        self.pull_requests: dict[int, PullRequest] = {}
        self.issues: dict[int, Issue] = {}
        self.files: dict[tuple[str, str], str] = {}  # (ref, path) -> text
        self.check_runs: list[CheckRun] = []
        self.statuses_by_sha: dict[str, list[Status]] = {}
        self.refs: MutableMapping[str, str] = {}
        self.git: GitStore | None = None  # a real repository in place of ``refs`` and ``objects``
        self.protected: set[str] = set()  # branches that nobody may move
        self.may_create_pulls = True  # the repository's setting for GitHub Actions
        self.objects: dict[str, dict[str, object]] = {}
        self.artifacts: list[Artifact] = []
        self.commit_dates: dict[str, str] = {}  # path -> when it was last changed
        self.history: list[str] = []  # of the default branch, the newest commit first
        self.releases: list[dict[str, object]] = []
        self.requests: list[str] = []  # "METHOD /path", the failed ones included
        self.writes: list[str] = []  # what was really done
        self.violations: list[str] = []
        self._plans: list[FaultPlan] = []
        self._actions: list[tuple[re.Pattern[str], Callable[[], object]]] = []
        self._last_number = 1000
        self.is_renamed = False
        self.stopped = threading.Event()  # ends answers that have no end
        self.lock = threading.RLock()

    def use_git(self, path: Path) -> GitStore:
        """Keep Git's objects and refs in a bare repository."""
        self.git = GitStore(path)
        self.refs = RealRefs(self.git)
        return self.git

    # What a test asks

    def pull_request(self, number: int) -> PullRequest:
        return self.pull_requests[number]

    def comments(self, number: int) -> list[Comment]:
        return self.pull_requests[number].comments

    def checks(self, sha: str) -> list[CheckRun]:
        return [run for run in self.check_runs if run.head_sha == sha]

    def statuses(self, sha: str) -> list[Status]:
        return self.statuses_by_sha.get(sha, [])

    # What a test arranges

    def merge(self, number: int) -> str:
        """Merge a pull request as a person does by the green button; return the commit."""
        request = self.pull_requests[number]
        assert self.git is not None
        merged = self.git.merge(request.base_ref, request.head_sha, f"Merge pull request #{number}")
        request.state, request.merged_at = "closed", "2026-11-26T00:00:00Z"
        return merged

    def open_pull_request(self, number: int, head_sha: str, **fields: str) -> PullRequest:
        self.pull_requests[number] = PullRequest(number, head_sha, **fields)  # type: ignore[arg-type]
        return self.pull_requests[number]

    def fail(self, pattern: str, *faults: Fault) -> FaultPlan:
        """Answer the next requests whose ``METHOD /path`` matches with these faults, one each."""
        plan = FaultPlan(re.compile(pattern), list(faults))
        self._plans.append(plan)
        return plan

    def call_before(self, pattern: str, action: Callable[[], object]) -> None:
        """Call the action once, just before the next request whose ``METHOD /path`` matches is answered."""
        self._actions.append((re.compile(pattern), action))

    def next_number(self) -> int:
        self._last_number += 1
        return self._last_number

    # What the server does

    def act_before(self, request: str) -> None:
        due = next((one for one in self._actions if one[0].search(request)), None)
        if due:
            self._actions.remove(due)
            due[1]()

    def take_fault(self, request: str) -> Fault | None:
        return next((fault for plan in self._plans if (fault := plan.take(request))), None)

    @property
    def url(self) -> str:
        return f"{self.origin}{self.prefix}"

    origin = ""

    @contextlib.contextmanager
    def serve(self, tls: ssl.SSLContext | None = None) -> Iterator["FakeGitHub"]:
        server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
        if tls:
            server.socket = tls.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
        server.daemon_threads = True
        server.fake = self  # type: ignore[attr-defined]
        self.origin = f"{'https' if tls else 'http'}://127.0.0.1:{server.server_address[1]}"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        thread.start()
        try:
            yield self
        finally:
            self.stopped.set()
            server.shutdown()
            server.server_close()
            thread.join()
        if self.violations:
            raise AssertionError("GitHub's API description was violated:\n" + "\n".join(self.violations))


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # else each answer waits 40 ms for an acknowledgement

    def handle_any(self) -> None:
        fake: FakeGitHub = self.server.fake  # type: ignore[attr-defined]
        request = self._read()
        line = f"{request.method} {request.path}"
        fake.act_before(line)
        with fake.lock:
            fake.requests.append(line)
            fault = fake.take_fault(line)
            answer = None if fault and not fault.written else dispatch(fake, request)
        if fault is None and answer is not None:
            self._send(answer.status, answer.body, answer.headers)
        elif fault is not None:
            self._suffer(fault, answer)

    do_GET = do_POST = do_PATCH = do_PUT = do_DELETE = handle_any  # noqa: N815  # http.server calls them

    def _read(self) -> Request:
        fake: FakeGitHub = self.server.fake  # type: ignore[attr-defined]
        parts = urlsplit(self.path)
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        scheme, _, token = self.headers.get("Authorization", "").partition(" ")
        return Request(
            method=self.command,
            path=parts.path.removeprefix(fake.prefix),
            query=parts.query,
            body=body,
            token=token if scheme.lower() in ("token", "bearer") else "",
            origin=fake.origin,
        )

    def _suffer(self, fault: Fault, answer: Answer | None) -> None:
        if fault.kind == "reset":
            # RST instead of FIN: what a proxy that dies looks like.
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.close_connection = True
            self.connection.close()
        elif fault.kind == "slow":
            time.sleep(fault.seconds)
            if answer is not None:
                with contextlib.suppress(OSError):
                    self._send(answer.status, answer.body, answer.headers)
        elif fault.kind == "drip":
            self._drip(fault.seconds)
        else:
            self._send(fault.status, fault.body, dict(fault.headers))

    def _drip(self, every_s: float) -> None:
        fake: FakeGitHub = self.server.fake  # type: ignore[attr-defined]
        self.close_connection = True
        with contextlib.suppress(OSError):
            for byte in b"HTTP/1.1 200 OK\r\nX-Slow: " + b"x" * 60_000:
                if fake.stopped.wait(every_s):
                    return
                self.wfile.write(bytes([byte]))

    def _send(self, status: int, body: bytes, headers: dict[str, str]) -> None:
        self.send_response(status)
        for key, value in {"Content-Type": "application/json; charset=utf-8", **headers}.items():
            self.send_header(key, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_arguments: object) -> None:
        """Stay silent: tests read ``requests``."""


def as_json(value: object) -> bytes:
    return json.dumps(value).encode()
