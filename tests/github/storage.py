"""Git objects, refs and artifacts, as the fake GitHub has them."""

import base64
import binascii
import hashlib
import json
from collections.abc import Mapping
from typing import Any

from tests.github.routing import Answer, Context, Refusal, answer_json, route


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
    store = context.fake.git
    sha = store.write_blob(data) if store else _keep_object(context, "blob", {"data": base64.b64encode(data).decode()})
    return answer_json({"sha": sha, "url": context.link(f"git/blobs/{sha}")}, 201)


@route("POST", "/git/trees", "contents", "write")
def create_tree(context: Context) -> Answer:
    entries, base = context.request.json["tree"], context.request.json.get("base_tree")
    for sha in [*(entry.get("sha") for entry in entries), *([base] if base else [])]:
        if not _has_object(context, sha):
            raise Refusal(422, f"GitRPC::BadObjectState: {sha}")
    if context.fake.git:
        sha = context.fake.git.write_tree(base, entries)
    else:
        before = context.fake.objects[base]["entries"] if base else {}
        assert isinstance(before, dict)
        sha = _keep_object(
            context, "tree", {"entries": {**before, **{entry["path"]: entry["sha"] for entry in entries}}}
        )
    return answer_json(
        context.fake.contract.minimal("git-tree", sha=sha, tree=[], url=context.link(f"git/trees/{sha}")), 201
    )


def _has_object(context: Context, sha: str) -> bool:
    return context.fake.git.has(sha) if context.fake.git else sha in context.fake.objects


@route("POST", "/git/commits", "contents", "write")
def create_commit(context: Context) -> Answer:
    body = context.request.json
    if not _has_object(context, body["tree"]):
        raise Refusal(422, "Tree SHA does not exist")
    if context.fake.git:
        sha = context.fake.git.write_commit(body["tree"], body.get("parents", []), body["message"])
    else:
        sha = _keep_object(context, "commit", dict(body))
    return answer_json(context.fake.contract.minimal("git-commit", sha=sha, message=body["message"]), 201)


@route("GET", "/git/commits/{commit_sha}", "contents")
def get_commit(context: Context) -> Answer:
    sha = context.parts["commit_sha"]
    if not _has_object(context, sha):
        raise Refusal(404, "Not Found")
    if context.fake.git:
        tree, parents = context.fake.git.read_commit(sha)
    else:
        found = context.fake.objects[sha]
        tree, parents = str(found["tree"]), list(found.get("parents", []))  # type: ignore[call-overload]
    shown = context.fake.contract.minimal("git-commit", sha=sha)
    shown["tree"] = {"sha": tree, "url": context.link(f"git/trees/{tree}")}
    shown["parents"] = [
        {"sha": one, "url": context.link(f"git/commits/{one}"), "html_url": context.link(f"commit/{one}")}
        for one in parents
    ]
    return answer_json(shown)


def _show_ref(context: Context, ref: str) -> dict[str, Any]:
    sha = context.fake.refs[ref]
    target = {"type": "commit", "sha": sha, "url": context.link(f"git/commits/{sha}")}
    return context.fake.contract.minimal("git-ref", ref=ref, object=target, url=context.link(f"git/{ref}"))


@route("POST", "/git/refs", "contents", "write")
def create_ref(context: Context) -> Answer:
    ref, sha = context.request.json["ref"], context.request.json["sha"]
    if not ref.startswith("refs/") or ref.count("/") < 2:
        raise Refusal(422, f"Reference name {ref!r} is not valid")
    if not _has_object(context, sha):
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


@route("GET", "/contents/{path}", "contents")
def get_file(context: Context) -> Answer:
    ref, path = context.request.parameter("ref"), context.parts["path"]
    text = context.fake.files.get((ref, path))
    if text is None:
        raise Refusal(404, "Not Found")
    content = base64.b64encode(text.encode()).decode()
    shown = context.fake.contract.minimal(
        "content-file", type="file", encoding="base64", path=path, name=path, size=len(text.encode()), content=content
    )
    return answer_json(shown)


@route("GET", "/commits", "contents")
def list_commits(context: Context) -> Answer:
    """With a path, the last commit of that file; without, the history up to a commit."""
    path, sha = context.request.parameter("path"), context.request.parameter("sha")
    date = context.fake.commit_dates.get(path, "2026-01-01T00:00:00Z")
    history = context.fake.history[context.fake.history.index(sha) :] if sha in context.fake.history else [sha]
    commits = ([sha] if path in context.fake.commit_dates else []) if path else history
    shown = []
    for one in commits:
        commit = context.fake.contract.minimal("commit", sha=one, author={}, committer={})
        commit["commit"]["committer"] = {"name": "ann", "email": "ann@example.org", "date": date}
        shown.append(commit)
    return context.page(shown)
