"""Comments, pull requests and people, as the fake GitHub has them.

A comment holds 262,144 bytes of UTF-8 (measured by others; the error still speaks of 65,536 characters).
"""

from typing import Any

from tests.github.routing import Answer, Context, Refusal, answer_json, route, show_user
from tests.github.state import Comment, PullRequest

MAX_COMMENT_BYTES = 262_144


def _pull_request(context: Context) -> PullRequest:
    number = context.number("issue_number" if "issue_number" in context.parts else "pull_number")
    found = context.fake.pull_requests.get(number)
    if found is None:
        raise Refusal(404, "Not Found")
    return found


def _show_comment(context: Context, comment: Comment, pull_request: int) -> dict[str, Any]:
    return context.fake.contract.minimal(
        "issue-comment",
        id=comment.number,
        body=comment.body,
        user=show_user(context, comment.login),
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


def _show_pull_request(context: Context, one: PullRequest, schema: str) -> dict[str, Any]:
    shown = context.fake.contract.minimal(schema, number=one.number, state=one.state, body=one.body, locked=one.locked)
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
        fields = {"event": event.event, "created_at": event.at, "actor": show_user(context, event.login)}
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
