"""Comments, pull requests and people, as the fake GitHub has them.

A comment holds 262,144 bytes of UTF-8 (measured by others; the error still speaks of 65,536 characters).
"""

from typing import Any

from tests.github.graphql import NODE_ID
from tests.github.routing import Answer, Context, Refusal, answer_json, route, show_user
from tests.github.state import BOT, Comment, Issue, LabelEvent, PullRequest

MAX_BODY = 65_536
MAX_COMMENT_BYTES = 262_144


def _pull_request(context: Context) -> PullRequest:
    number = context.number("issue_number" if "issue_number" in context.parts else "pull_number")
    found = context.fake.pull_requests.get(number)
    if found is None:
        raise Refusal(404, "Not Found")
    return found


def _thread(context: Context, level: str = "read") -> PullRequest | Issue:
    """Return the pull request or the issue of this number; to write, each needs its own permission."""
    issue = context.fake.issues.get(context.number("issue_number"))
    _require(context, issue, level)
    return issue or _pull_request(context)


def _require(context: Context, issue: Issue | None, level: str) -> None:
    if level == "write" and not context.token.may("issues" if issue else "pull-requests", level):
        raise Refusal(403, "Resource not accessible by integration")


def _show_comment(context: Context, comment: Comment, thread: PullRequest | Issue) -> dict[str, Any]:
    kind = "issues" if isinstance(thread, Issue) else "pull"
    return context.fake.contract.minimal(
        "issue-comment",
        id=comment.number,
        body=comment.body,
        user=show_user(context, comment.login),
        created_at=comment.at,
        html_url=f"https://github.example/{context.fake.repository}/{kind}/{thread.number}#issuecomment-{comment.number}",
        url=context.link(f"issues/comments/{comment.number}"),
        issue_url=context.link(f"issues/{thread.number}"),
    )


def _accept_body(body: str) -> str:
    if len(body.encode()) > MAX_COMMENT_BYTES:
        raise Refusal(422, "Validation Failed: body is too long (maximum is 65536 characters)")
    if not body.strip():
        raise Refusal(422, "Validation Failed: body can't be blank")
    return body


@route("GET", "/issues/{issue_number}/comments")
def list_comments(context: Context) -> Answer:
    thread = _thread(context)
    return context.page([_show_comment(context, one, thread) for one in thread.comments])


@route("POST", "/issues/{issue_number}/comments")
def create_comment(context: Context) -> Answer:
    thread = _thread(context, "write")
    if thread.locked:
        raise Refusal(403, "Unable to create comment because issue is locked.")
    comment = Comment(context.fake.next_number(), context.token.login, _accept_body(context.request.json["body"]))
    thread.comments.append(comment)
    return answer_json(_show_comment(context, comment, thread), 201)


def _comment(context: Context, level: str = "read") -> tuple[PullRequest | Issue, Comment]:
    threads: list[PullRequest | Issue] = [*context.fake.pull_requests.values(), *context.fake.issues.values()]
    for thread in threads:
        for comment in thread.comments:
            if comment.number == context.number("comment_id"):
                _require(context, thread if isinstance(thread, Issue) else None, level)
                return thread, comment
    raise Refusal(404, "Not Found")


@route("GET", "/issues/comments/{comment_id}")
def get_comment(context: Context) -> Answer:
    thread, comment = _comment(context)
    return answer_json(_show_comment(context, comment, thread))


@route("PATCH", "/issues/comments/{comment_id}")
def edit_comment(context: Context) -> Answer:
    thread, comment = _comment(context, "write")
    comment.body = _accept_body(context.request.json["body"])
    comment.edits += 1
    return answer_json(_show_comment(context, comment, thread))


@route("DELETE", "/issues/comments/{comment_id}")
def delete_comment(context: Context) -> Answer:
    thread, comment = _comment(context, "write")
    thread.comments.remove(comment)
    return Answer(204, b"")


def _show_pull_request(context: Context, one: PullRequest, schema: str) -> dict[str, Any]:
    _follow_branch(context, one)
    shown = context.fake.contract.minimal(schema, number=one.number, state=one.state, body=one.body, locked=one.locked)
    shown["title"] = one.title
    shown["html_url"] = f"https://github.example/{context.fake.repository}/pull/{one.number}"
    shown["merged_at"] = one.merged_at
    shown["labels"] = [context.fake.contract.minimal("label", name=name, description="") for name in one.labels]
    for side, sha, ref, repository in (
        ("head", one.head_sha, one.head_ref, one.head_repository),
        ("base", one.base_sha, one.base_ref, context.fake.repository),
    ):
        owner = repository.split("/")[0]
        shown[side] |= {"sha": sha, "ref": ref, "label": f"{owner}:{ref}", "user": show_user(context, owner)}
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
    for one in context.fake.pull_requests.values():
        _follow_branch(context, one)
    chosen = [
        one
        for one in context.fake.pull_requests.values()
        if state in ("all", one.state) and (not head or head == f"{one.head_repository.split('/')[0]}:{one.head_ref}")
    ]
    if context.request.parameter("direction") == "desc":
        chosen.reverse()
    return context.page([_show_pull_request(context, one, "pull-request-simple") for one in chosen])


def _follow_branch(context: Context, one: PullRequest) -> None:
    """An open pull request's head is its branch's; without the branch GitHub closes it."""
    ref = f"refs/heads/{one.head_ref}"
    if one.state != "open" or not one.follows_branch:
        return
    if ref in context.fake.refs:
        one.head_sha = context.fake.refs[ref]
    else:
        one.state = "closed"


@route("POST", "/pulls", "pull-requests", "write")
def create_pull_request(context: Context) -> Answer:
    body, fake = context.request.json, context.fake
    if context.token.login == BOT and not fake.may_create_pulls:
        raise Refusal(403, "GitHub Actions is not permitted to create or approve pull requests.")
    ref = f"refs/heads/{body['head']}"
    if ref not in fake.refs:
        raise Refusal(422, "Validation Failed: head is invalid")
    if any(one.state == "open" and one.head_ref == body["head"] for one in fake.pull_requests.values()):
        raise Refusal(422, f"Validation Failed: A pull request already exists for acme:{body['head']}.")
    if len(body.get("body", "")) > MAX_BODY:
        raise Refusal(422, "Validation Failed: body is too long (maximum is 65536 characters)")
    one = fake.open_pull_request(fake.next_number(), fake.refs[ref], head_ref=body["head"], base_ref=body["base"])
    one.title, one.body, one.login, one.follows_branch = body["title"], body.get("body", ""), context.token.login, True
    return answer_json(_show_pull_request(context, one, "pull-request"), 201)


@route("PATCH", "/pulls/{pull_number}", "pull-requests", "write")
def edit_pull_request(context: Context) -> Answer:
    one, body = _pull_request(context), context.request.json
    if len(body.get("body", "")) > MAX_BODY:
        raise Refusal(422, "Validation Failed: body is too long (maximum is 65536 characters)")
    one.title, one.body = body.get("title", one.title), body.get("body", one.body)
    one.state = body.get("state", one.state)
    one.edits += 1
    return answer_json(_show_pull_request(context, one, "pull-request"))


@route("POST", "/issues/{issue_number}/labels")
def add_labels(context: Context) -> Answer:
    thread = _thread(context, "write")
    assert isinstance(thread, PullRequest)
    for label in context.request.json["labels"]:
        if label not in thread.labels:
            thread.label_events.append(LabelEvent("labeled", label, context.token.login, "2026-01-01T00:00:00Z"))
    return answer_json([context.fake.contract.minimal("label", name=name) for name in thread.labels])


@route("DELETE", "/issues/{issue_number}/labels/{name}")
def remove_label(context: Context) -> Answer:
    thread = _thread(context, "write")
    assert isinstance(thread, PullRequest)
    if context.parts["name"] not in thread.labels:
        raise Refusal(404, "Label does not exist")
    thread.label_events.append(
        LabelEvent("unlabeled", context.parts["name"], context.token.login, "2026-01-01T00:00:00Z")
    )
    return answer_json([context.fake.contract.minimal("label", name=name) for name in thread.labels])


@route("GET", "/issues/{issue_number}/timeline")
def list_timeline(context: Context) -> Answer:
    shown = []
    for event in _pull_request(context).label_events:
        schema = "labeled-issue-event" if event.event == "labeled" else "unlabeled-issue-event"
        fields = {"event": event.event, "created_at": event.at, "actor": show_user(context, event.login)}
        label = {"name": event.label, "color": "ededed"}
        shown.append(context.fake.contract.minimal(schema, label=label, **fields))
    return context.page(shown)


@route("GET", "")
def get_repository(context: Context) -> Answer:
    fake = context.fake
    return answer_json(
        fake.contract.minimal("full-repository", full_name=fake.repository, node_id=NODE_ID, default_branch="main")
    )


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
