"""What the fake GitHub does for each request: permissions, limits and pages, then the state.

Limits that GitHub's description lacks: a comment holds 262,144 bytes of UTF-8 (measured by others; the error still
speaks of 65,536 characters), a check's summary 65,535 bytes, a request 50 annotations, a status 140 characters.
"""

import base64
import binascii
import hashlib
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, quote, unquote, urlencode

from tests.github.contract import Reply
from tests.github.state import CheckRun, Comment, PullRequest, Status, Token

if TYPE_CHECKING:
    from tests.github.fake import FakeGitHub

MAX_COMMENT_BYTES = 262_144
MAX_CHECK_BYTES = 65_535


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


ROUTES: list[Route] = []
_REPO = "/repos/{owner}/{repo}"


def route(method: str, template: str, permission: str = "", level: str = "read") -> Callable[[Handler], Handler]:
    def register(handler: Handler) -> Handler:
        ROUTES.append(Route(method, template if template == "/user" else _REPO + template, permission, level, handler))
        return handler

    return register


def answer_json(value: Any, status: int = 200, headers: dict[str, str] | None = None) -> Answer:
    return Answer(status, json.dumps(value).encode(), headers or {})


def dispatch(fake: "FakeGitHub", request: Request) -> Answer:
    """Answer one request, and note what violates GitHub's description on either side."""
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
        problem = fake.contract.check_request(request.method, path, request.query, request.body)
        if problem:
            fake.violations.append(f"{request.method} {request.path}: {problem}")
            raise Refusal(422, problem[:300])  # noqa: TRY301  # the same answer as for every refusal
        assert token is not None
        answer = chosen.handler(Context(fake, request, token, parts))
    except Refusal as refusal:
        return _refuse(refusal)
    if request.method != "GET":
        fake.writes.append(f"{request.method} {request.path}")
    if answer.body or answer.status != 204:
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


def _refuse(refusal: Refusal) -> Answer:
    body = {
        "message": refusal.message,
        "documentation_url": "https://docs.github.com/rest",
        "status": str(refusal.status),
    }
    return answer_json(body, refusal.status)


def _user(context: Context, login: str) -> dict[str, Any]:
    kind = "Bot" if login.endswith("[bot]") else "User"
    return context.fake.contract.minimal("simple-user", login=login, type=kind)


def _pull_request(context: Context) -> PullRequest:
    number = context.number("issue_number" if "issue_number" in context.parts else "pull_number")
    found = context.fake.pull_requests.get(number)
    if found is None:
        raise Refusal(404, "Not Found")
    return found


# Comments


def _show_comment(context: Context, comment: Comment, pull_request: int) -> dict[str, Any]:
    return context.fake.contract.minimal(
        "issue-comment",
        id=comment.number,
        body=comment.body,
        user=_user(context, comment.login),
        html_url=f"https://github.example/{context.fake.repository}/pull/{pull_request}#issuecomment-{comment.number}",
        url=context.link(f"issues/comments/{comment.number}"),
        issue_url=context.link(f"issues/{pull_request}"),
    )


def _accept_body(body: str) -> str:
    if len(body.encode()) > MAX_COMMENT_BYTES:
        raise Refusal(422, "Validation Failed: body is too long (maximum is 65536 characters)")
    if not body.strip():
        raise Refusal(422, "Validation Failed: body can't be blank")
    return body


@route("GET", "/issues/{issue_number}/comments")
def list_comments(context: Context) -> Answer:
    pull_request = _pull_request(context)
    return context.page([_show_comment(context, one, pull_request.number) for one in pull_request.comments])


@route("POST", "/issues/{issue_number}/comments", "pull-requests", "write")
def create_comment(context: Context) -> Answer:
    pull_request = _pull_request(context)
    if pull_request.locked:
        raise Refusal(403, "Unable to create comment because issue is locked.")
    comment = Comment(context.fake.next_number(), context.token.login, _accept_body(context.request.json["body"]))
    pull_request.comments.append(comment)
    return answer_json(_show_comment(context, comment, pull_request.number), 201)


def _comment(context: Context) -> tuple[PullRequest, Comment]:
    for pull_request in context.fake.pull_requests.values():
        for comment in pull_request.comments:
            if comment.number == context.number("comment_id"):
                return pull_request, comment
    raise Refusal(404, "Not Found")


@route("GET", "/issues/comments/{comment_id}")
def get_comment(context: Context) -> Answer:
    pull_request, comment = _comment(context)
    return answer_json(_show_comment(context, comment, pull_request.number))


@route("PATCH", "/issues/comments/{comment_id}", "pull-requests", "write")
def edit_comment(context: Context) -> Answer:
    pull_request, comment = _comment(context)
    comment.body = _accept_body(context.request.json["body"])
    comment.edits += 1
    return answer_json(_show_comment(context, comment, pull_request.number))


@route("DELETE", "/issues/comments/{comment_id}", "pull-requests", "write")
def delete_comment(context: Context) -> Answer:
    pull_request, comment = _comment(context)
    pull_request.comments.remove(comment)
    return Answer(204, b"")


# Pull requests, people


def _show_pull_request(context: Context, one: PullRequest, schema: str) -> dict[str, Any]:
    shown = context.fake.contract.minimal(schema, number=one.number, state=one.state, body=one.body, locked=one.locked)
    shown["labels"] = [context.fake.contract.minimal("label", name=name, description="") for name in one.labels]
    for side, sha, ref, repository in (
        ("head", one.head_sha, one.head_ref, one.head_repository),
        ("base", one.base_sha, one.base_ref, context.fake.repository),
    ):
        owner = repository.split("/")[0]
        shown[side] |= {"sha": sha, "ref": ref, "label": f"{owner}:{ref}", "user": _user(context, owner)}
        shown[side]["repo"] = context.fake.contract.minimal(
            "repository", full_name=repository, name=repository.split("/")[1]
        )
    return shown


@route("GET", "/pulls/{pull_number}")
def get_pull_request(context: Context) -> Answer:
    return answer_json(_show_pull_request(context, _pull_request(context), "pull-request"))


@route("GET", "/pulls")
def list_pull_requests(context: Context) -> Answer:
    state, head = context.request.parameter("state", "open"), context.request.parameter("head")
    chosen = [
        one
        for one in context.fake.pull_requests.values()
        if state in ("all", one.state) and (not head or head == f"{one.head_repository.split('/')[0]}:{one.head_ref}")
    ]
    return context.page([_show_pull_request(context, one, "pull-request-simple") for one in chosen])


@route("GET", "/issues/{issue_number}/timeline")
def list_timeline(context: Context) -> Answer:
    shown = []
    for event in _pull_request(context).label_events:
        schema = "labeled-issue-event" if event.event == "labeled" else "unlabeled-issue-event"
        fields = {"event": event.event, "created_at": event.at, "actor": _user(context, event.login)}
        label = {"name": event.label, "color": "ededed"}
        shown.append(context.fake.contract.minimal(schema, label=label, **fields))
    return context.page(shown)


@route("GET", "/user")
def get_user(context: Context) -> Answer:
    if context.token.is_bot:
        raise Refusal(403, "Resource not accessible by integration")
    shown = context.fake.contract.minimal(
        "public-user", login=context.token.login, type="User", user_view_type="public"
    )
    return answer_json(shown)


@route("GET", "/collaborators/{username}/permission")
def get_permission(context: Context) -> Answer:
    granted = context.fake.collaborators.get(context.parts["username"])
    if granted is None:
        raise Refusal(404, f"{context.parts['username']} is not a user")
    return answer_json(
        context.fake.contract.minimal("repository-collaborator-permission", permission=granted, role_name=granted)
    )


# Checks and statuses


def _show_check(context: Context, run: CheckRun) -> dict[str, Any]:
    return context.fake.contract.minimal(
        "check-run",
        id=run.number,
        name=run.name,
        head_sha=run.head_sha,
        status=run.status,
        conclusion=run.conclusion,
        external_id=run.external_id,
        details_url=run.details_url,
        html_url=f"https://github.example/{context.fake.repository}/runs/{run.number}",
        url=context.link(f"check-runs/{run.number}"),
    )


def _change_check(run: CheckRun, body: Mapping[str, Any]) -> None:
    output = body.get("output", {})
    for name in ("title", "summary", "text"):
        if len(str(output.get(name, "")).encode()) > MAX_CHECK_BYTES:
            raise Refusal(422, f"Invalid request. {name} exceeds a maximum bytesize of {MAX_CHECK_BYTES}")
    for key in ("status", "conclusion", "external_id", "details_url"):
        setattr(run, key, body.get(key, getattr(run, key)))
    run.title, run.summary = output.get("title", run.title), output.get("summary", run.summary)
    run.annotations = [*run.annotations, *output.get("annotations", [])]
    if run.conclusion:
        run.status = "completed"


@route("POST", "/check-runs", "checks", "write")
def create_check(context: Context) -> Answer:
    if not context.token.is_bot:
        raise Refusal(403, "You must authenticate via a GitHub App.")
    body = context.request.json
    run = CheckRun(context.fake.next_number(), body["name"], body["head_sha"])
    _change_check(run, body)
    context.fake.check_runs.append(run)
    return answer_json(_show_check(context, run), 201)


def _check(context: Context) -> CheckRun:
    for run in context.fake.check_runs:
        if run.number == context.number("check_run_id"):
            return run
    raise Refusal(404, "Not Found")


@route("GET", "/check-runs/{check_run_id}", "checks")
def get_check(context: Context) -> Answer:
    return answer_json(_show_check(context, _check(context)))


@route("PATCH", "/check-runs/{check_run_id}", "checks", "write")
def edit_check(context: Context) -> Answer:
    run = _check(context)
    _change_check(run, context.request.json)
    return answer_json(_show_check(context, run))


@route("GET", "/commits/{ref}/check-runs", "checks")
def list_checks(context: Context) -> Answer:
    name = context.request.parameter("check_name")
    runs = [run for run in context.fake.checks(context.parts["ref"]) if not name or run.name == name]
    return context.page([_show_check(context, run) for run in reversed(runs)], key="check_runs")


def _show_status(context: Context, status: Status) -> dict[str, Any]:
    shown = context.fake.contract.minimal("status", **vars(status))
    shown["id"] = shown.pop("number")
    return shown


@route("POST", "/statuses/{sha}", "statuses", "write")
def create_status(context: Context) -> Answer:
    body = context.request.json
    if len(body.get("description") or "") > 140:
        raise Refusal(422, "Validation Failed: description is too long (maximum is 140 characters)")
    status = Status(
        context.fake.next_number(),
        body["state"],
        body.get("context", "default"),
        body.get("description") or "",
        body.get("target_url"),
    )
    context.fake.statuses_by_sha.setdefault(context.parts["sha"], []).insert(0, status)
    return answer_json(_show_status(context, status), 201)


@route("GET", "/commits/{ref}/statuses", "statuses")
def list_statuses(context: Context) -> Answer:
    return context.page([_show_status(context, status) for status in context.fake.statuses(context.parts["ref"])])


# Git objects and refs


def _keep_object(context: Context, kind: str, content: Mapping[str, object]) -> str:
    data = json.dumps([kind, content], sort_keys=True)
    sha = hashlib.sha1(data.encode(), usedforsecurity=False).hexdigest()
    context.fake.objects[sha] = {"kind": kind, **content}
    return sha


@route("POST", "/git/blobs", "contents", "write")
def create_blob(context: Context) -> Answer:
    body = context.request.json
    try:
        data = base64.b64decode(body["content"], validate=True)
    except binascii.Error:
        raise Refusal(422, "content is not valid Base64") from None
    sha = _keep_object(context, "blob", {"data": base64.b64encode(data).decode()})
    return answer_json({"sha": sha, "url": context.link(f"git/blobs/{sha}")}, 201)


@route("POST", "/git/trees", "contents", "write")
def create_tree(context: Context) -> Answer:
    entries = context.request.json["tree"]
    for entry in entries:
        if entry.get("sha") not in context.fake.objects:
            raise Refusal(422, f"GitRPC::BadObjectState: {entry.get('sha')}")
    sha = _keep_object(context, "tree", {"entries": {entry["path"]: entry["sha"] for entry in entries}})
    return answer_json(
        context.fake.contract.minimal("git-tree", sha=sha, tree=[], url=context.link(f"git/trees/{sha}")), 201
    )


@route("POST", "/git/commits", "contents", "write")
def create_commit(context: Context) -> Answer:
    body = context.request.json
    if body["tree"] not in context.fake.objects:
        raise Refusal(422, "Tree SHA does not exist")
    sha = _keep_object(context, "commit", dict(body))
    return answer_json(context.fake.contract.minimal("git-commit", sha=sha, message=body["message"]), 201)


def _show_ref(context: Context, ref: str) -> dict[str, Any]:
    sha = context.fake.refs[ref]
    target = {"type": "commit", "sha": sha, "url": context.link(f"git/commits/{sha}")}
    return context.fake.contract.minimal("git-ref", ref=ref, object=target, url=context.link(f"git/{ref}"))


@route("POST", "/git/refs", "contents", "write")
def create_ref(context: Context) -> Answer:
    ref, sha = context.request.json["ref"], context.request.json["sha"]
    if not ref.startswith("refs/") or ref.count("/") < 2:
        raise Refusal(422, f"Reference name {ref!r} is not valid")
    if sha not in context.fake.objects:
        raise Refusal(422, "Object does not exist")
    if ref in context.fake.refs:
        raise Refusal(422, "Reference already exists")
    context.fake.refs[ref] = sha
    return answer_json(_show_ref(context, ref), 201)


@route("GET", "/git/matching-refs/{ref}")
def list_refs(context: Context) -> Answer:
    start = "refs/" + context.parts["ref"]
    return answer_json([_show_ref(context, ref) for ref in sorted(context.fake.refs) if ref.startswith(start)])


@route("GET", "/git/ref/{ref}")
def get_ref(context: Context) -> Answer:
    ref = "refs/" + context.parts["ref"]
    if ref not in context.fake.refs:
        raise Refusal(404, "Not Found")
    return answer_json(_show_ref(context, ref))


@route("PATCH", "/git/refs/{ref}", "contents", "write")
def update_ref(context: Context) -> Answer:
    ref = "refs/" + context.parts["ref"]
    if ref not in context.fake.refs:
        raise Refusal(422, "Reference does not exist")
    context.fake.refs[ref] = context.request.json["sha"]
    return answer_json(_show_ref(context, ref))


@route("DELETE", "/git/refs/{ref}", "contents", "write")
def delete_ref(context: Context) -> Answer:
    if context.fake.refs.pop("refs/" + context.parts["ref"], None) is None:
        raise Refusal(422, "Reference does not exist")
    return Answer(204, b"")


# Artifacts


@route("GET", "/actions/runs/{run_id}/artifacts", "actions")
def list_artifacts(context: Context) -> Answer:
    name = context.request.parameter("name")
    chosen = [
        one
        for one in context.fake.artifacts
        if one.run_id == context.number("run_id") and (not name or one.name == name)
    ]
    shown = [
        context.fake.contract.minimal(
            "artifact",
            id=one.number,
            name=one.name,
            expired=one.expired,
            size_in_bytes=len(one.data) if one.size is None else one.size,
        )
        for one in chosen
    ]
    return context.page(shown, key="artifacts")


@route("GET", "/actions/artifacts/{artifact_id}/{archive_format}", "actions")
def download_artifact(context: Context) -> Answer:
    found = [one for one in context.fake.artifacts if one.number == context.number("artifact_id")]
    if not found:
        raise Refusal(404, "Not Found")
    if found[0].expired:
        raise Refusal(410, "Artifact has expired")
    return Answer(302, b"", {"Location": f"{context.request.origin}/_blob/{found[0].number}"})


def _download(fake: "FakeGitHub", request: Request) -> Answer:
    # The storage behind the redirect is another host in reality, which must not be shown the token.
    if request.token:
        fake.violations.append("the token was sent to the artifact storage")
    number = int(request.path.rsplit("/", 1)[1])
    artifact = next(one for one in fake.artifacts if one.number == number)
    return Answer(200, artifact.data, {"Content-Type": "application/zip"})
