"""How the fake GitHub answers: who asks, whether they may, what the description says, one route, and pages."""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, quote, unquote, urlencode

from tests.github.contract import Reply
from tests.github.state import Token

if TYPE_CHECKING:
    from tests.github.fake import FakeGitHub


@dataclass(frozen=True)
class Request:
    method: str
    path: str
    query: str
    body: bytes
    token: str
    origin: str

    @property
    def json(self) -> dict[str, Any]:
        value = json.loads(self.body or b"{}")
        assert isinstance(value, dict)
        return value

    def parameter(self, name: str, default: str = "") -> str:
        return parse_qs(self.query).get(name, [default])[0]


@dataclass(frozen=True)
class Answer:
    status: int
    body: bytes
    headers: dict[str, str] = field(default_factory=dict)


class Refusal(Exception):  # noqa: N818  # an answer, not a fault of the fake
    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.message = message


@dataclass(frozen=True)
class Context:
    fake: "FakeGitHub"
    request: Request
    token: Token
    parts: Mapping[str, str]

    def number(self, name: str) -> int:
        return int(self.parts[name])

    def link(self, path: str) -> str:
        return f"{self.fake.url}/repos/{self.fake.repository}/{path}"

    def page(self, items: list[dict[str, Any]], key: str = "") -> Answer:
        size, page = int(self.request.parameter("per_page", "30")), int(self.request.parameter("page", "1"))
        shown = items[(page - 1) * size : page * size]
        headers = {}
        if page * size < len(items):
            query = {k: v[0] for k, v in parse_qs(self.request.query).items()} | {"page": str(page + 1)}
            following = f"{self.fake.url}{self.request.path}?{urlencode(query)}"
            headers["Link"] = f'<{following}>; rel="next", <{following}>; rel="last"'
        return answer_json({"total_count": len(items), key: shown} if key else shown, headers=headers)


Handler = Callable[[Context], Answer]


@dataclass(frozen=True)
class Route:
    method: str
    template: str
    permission: str
    level: str
    handler: Handler

    def match(self, method: str, path: str) -> dict[str, str] | None:
        if method != self.method:
            return None
        pattern = re.sub(r"\{(path|ref|basehead|branch)\}", r"(?P<\1>.+)", self.template)
        found = re.fullmatch(re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", pattern), path)
        return {key: unquote(value) for key, value in found.groupdict().items()} if found else None


REPOSITORY_ID = 8
ROUTES: list[Route] = []
GRAPHQL = "/graphql"  # not in the description of the REST API: graphql.py checks it
_REPO = "/repos/{owner}/{repo}"


def route(method: str, template: str, permission: str = "", level: str = "read") -> Callable[[Handler], Handler]:
    def register(handler: Handler) -> Handler:
        whole = template if template in ("/user", GRAPHQL) else _REPO + template
        ROUTES.append(Route(method, whole, permission, level, handler))
        return handler

    return register


def answer_json(value: Any, status: int = 200, headers: dict[str, str] | None = None) -> Answer:
    return Answer(status, json.dumps(value).encode(), headers or {})


def dispatch(fake: "FakeGitHub", request: Request) -> Answer:
    """Answer one request, and note what violates GitHub's description on either side."""
    old, new = f"/repos/{fake.repository}/", f"/repositories/{REPOSITORY_ID}/"
    if fake.is_renamed and request.path.startswith(old):
        return _redirect(fake, request, request.path.replace(old, new, 1))
    request = replace(request, path=request.path.replace(new, old, 1).removeprefix("/api" * bool(fake.prefix)))
    for candidate in ROUTES:
        parts = candidate.match(request.method, request.path)
        if parts is not None:
            return _answer(fake, request, candidate, parts)
    if request.path.startswith("/_blob/"):
        return _download(fake, request)
    return _refuse(Refusal(404, "Not Found"))


def _answer(fake: "FakeGitHub", request: Request, chosen: Route, parts: dict[str, str]) -> Answer:
    # Parts with slashes are encoded for the description, which knows a parameter only as one segment.
    path = chosen.template.format(**{key: quote(value, safe="") for key, value in parts.items()})
    token = fake.tokens.get(request.token)
    try:
        _admit(fake, token, parts, chosen)
        is_rest = chosen.template != GRAPHQL
        problem = is_rest and fake.contract.check_request(request.method, path, request.query, request.body)
        if problem:
            fake.violations.append(f"{request.method} {request.path}: {problem}")
            raise Refusal(422, problem[:300])  # noqa: TRY301  # the same answer as for every refusal
        assert token is not None
        answer = chosen.handler(Context(fake, request, token, parts))
    except Refusal as refusal:
        return _refuse(refusal)
    if request.method != "GET":
        fake.writes.append(f"{request.method} {request.path}")
    if is_rest and (answer.body or answer.status != 204):
        reply = Reply(answer.body, answer.status, {**answer.headers})
        problem = fake.contract.check_response(request.method, path, request.query, request.body, reply)
        if problem and answer.status != 302:
            fake.violations.append(f"{request.method} {request.path} -> {answer.status}: {problem}")
    return answer


def _admit(fake: "FakeGitHub", token: Token | None, parts: Mapping[str, str], chosen: Route) -> None:
    if token is None:
        raise Refusal(401, "Bad credentials")
    if token.expires_after is not None:
        if token.expires_after == 0:
            raise Refusal(401, "Bad credentials")
        token.expires_after -= 1
    if "owner" in parts and f"{parts['owner']}/{parts['repo']}" != fake.repository:
        raise Refusal(404, "Not Found")
    if chosen.permission and not token.may(chosen.permission, chosen.level):
        raise Refusal(403, "Resource not accessible by integration")


def _redirect(fake: "FakeGitHub", request: Request, path: str) -> Answer:
    # Source: docs.github.com, "Best practices for using the REST API": 301 for GET, 307 for what has a body.
    query = f"?{request.query}" if request.query else ""
    headers = {"Location": f"{fake.url}{path}{query}"}
    return answer_json({"message": "Moved Permanently"}, 301 if request.method == "GET" else 307, headers)


def _refuse(refusal: Refusal) -> Answer:
    body = {
        "message": refusal.message,
        "documentation_url": "https://docs.github.com/rest",
        "status": str(refusal.status),
    }
    return answer_json(body, refusal.status)


def show_user(context: Context, login: str) -> dict[str, Any]:
    kind = "Bot" if login.endswith("[bot]") else "User"
    return context.fake.contract.minimal("simple-user", login=login, type=kind)


def _download(fake: "FakeGitHub", request: Request) -> Answer:
    # The storage behind the redirect is another host in reality, which must not be shown the token.
    if request.token:
        fake.violations.append("the token was sent to the artifact storage")
    number = int(request.path.rsplit("/", 1)[1])
    artifact = next(one for one in fake.artifacts if one.number == number)
    return Answer(200, artifact.data, {"Content-Type": "application/zip"})
