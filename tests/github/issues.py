"""The fake GitHub's issues: 256 characters in a title, 65,536 in a body, labels that an issue may be found by."""

from typing import Any

from tests.github.routing import Answer, Context, Refusal, answer_json, route, show_user
from tests.github.state import Issue

MAX_TITLE = 256
MAX_BODY = 65_536


def _accept(body: dict[str, Any]) -> dict[str, Any]:
    if len(str(body.get("title", ""))) > MAX_TITLE:
        raise Refusal(422, f"Validation Failed: title is too long (maximum is {MAX_TITLE} characters)")
    if len(str(body.get("body", ""))) > MAX_BODY:
        raise Refusal(422, f"Validation Failed: body is too long (maximum is {MAX_BODY} characters)")
    return body


def _show_issue(context: Context, issue: Issue) -> dict[str, Any]:
    return context.fake.contract.minimal(
        "issue",
        number=issue.number,
        title=issue.title,
        body=issue.body,
        state=issue.state,
        state_reason=issue.reason,
        locked=issue.locked,
        labels=list(issue.labels),
        user=show_user(context, issue.login),
        html_url=f"https://github.example/{context.fake.repository}/issues/{issue.number}",
        url=context.link(f"issues/{issue.number}"),
    )


@route("GET", "/issues", "issues")
def list_issues(context: Context) -> Answer:
    state, labels = context.request.parameter("state", "open"), context.request.parameter("labels")
    chosen = [
        issue
        for issue in sorted(context.fake.issues.values(), key=lambda issue: -issue.number)
        if state in ("all", issue.state) and (not labels or set(labels.split(",")) <= set(issue.labels))
    ]
    return context.page([_show_issue(context, issue) for issue in chosen])


@route("POST", "/issues", "issues", "write")
def create_issue(context: Context) -> Answer:
    body = _accept(context.request.json)
    issue = Issue(
        context.fake.next_number(), body["title"], body.get("body", ""), context.token.login, body.get("labels", [])
    )
    context.fake.issues[issue.number] = issue
    return answer_json(_show_issue(context, issue), 201)


@route("PATCH", "/issues/{issue_number}", "issues", "write")
def edit_issue(context: Context) -> Answer:
    issue = context.fake.issues.get(context.number("issue_number"))
    if issue is None:
        raise Refusal(404, "Not Found")
    body = _accept(context.request.json)
    issue.title, issue.body = body.get("title", issue.title), body.get("body", issue.body)
    issue.state, issue.reason = body.get("state", issue.state), body.get("state_reason", issue.reason)
    issue.edits += 1
    issue.editor = context.token.login
    return answer_json(_show_issue(context, issue))
