"""Releases, as the fake GitHub has them: whoever may write sees drafts too."""

from typing import Any

from tests.github.routing import Answer, Context, Refusal, answer_json, route


def _show(context: Context, release: dict[str, object]) -> dict[str, Any]:
    page = f"https://github.example/{context.fake.repository}/releases/tag/{release['tag_name']}"
    return context.fake.contract.minimal("release", **release, html_url=page)


@route("GET", "/releases", "contents")
def list_releases(context: Context) -> Answer:
    sees_drafts = context.token.may("contents", "write")
    shown = [release for release in reversed(context.fake.releases) if sees_drafts or not release["draft"]]
    return context.page([_show(context, release) for release in shown])


@route("POST", "/releases", "contents", "write")
def create_release(context: Context) -> Answer:
    body = context.request.json
    tag = body["tag_name"]
    if not body.get("draft") and any(one["tag_name"] == tag for one in context.fake.releases):
        raise Refusal(422, "Validation Failed: tag_name already_exists")
    release = {
        "id": context.fake.next_number(),
        "tag_name": tag,
        "name": body.get("name", tag),
        "body": body.get("body", ""),
        "draft": body.get("draft", False),
        "prerelease": body.get("prerelease", False),
    }
    context.fake.releases.append(release)
    return answer_json(_show(context, release), 201)
