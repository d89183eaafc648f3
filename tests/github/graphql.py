"""The GraphQL requests that MetricGate makes, as GitHub's schema describes it.

input UpdateRefsInput { clientMutationId: String, refUpdates: [RefUpdate!]!, repositoryId: ID! }
input RefUpdate { afterOid: GitObjectID!, beforeOid: GitObjectID, force: Boolean = false, name: GitRefname! }
"""

import re
from typing import Any

from tests.github.routing import GRAPHQL, Answer, Context, answer_json, route

NOWHERE = "0" * 40
NODE_ID = "R_kgDOfake"
_KEYS = {"afterOid", "beforeOid", "force", "name"}


def _fail(message: str, kind: str = "UNPROCESSABLE") -> Answer:
    return answer_json({"data": {"updateRefs": None}, "errors": [{"message": message, "type": kind}]})


def _check(context: Context, given: dict[str, Any]) -> list[dict[str, Any]]:
    updates: list[dict[str, Any]] = given["refUpdates"]
    violations = context.fake.violations
    if set(given) - {"repositoryId", "refUpdates", "clientMutationId"} or given["repositoryId"] != NODE_ID:
        violations.append(f"UpdateRefsInput: {sorted(given)}")
    for update in updates:
        shas = [update["afterOid"], update.get("beforeOid", NOWHERE)]
        if set(update) - _KEYS or not all(re.fullmatch("[0-9a-f]{40}", sha) for sha in shas):
            violations.append(f"RefUpdate: {update}")
        if not str(update["name"]).startswith("refs/"):
            violations.append(f"RefUpdate.name: {update['name']}")
    return updates


def _show_editor(context: Context, given: dict[str, Any]) -> Answer:
    """`Issue.editor: Actor` is who edited the body last; null where nobody did."""
    if f"{given['owner']}/{given['name']}" != context.fake.repository:
        context.fake.violations.append(f"another repository: {given}")
    editor = context.fake.issues[given["number"]].editor
    found = {"editor": {"login": editor} if editor else None}
    return answer_json({"data": {"repository": {"issue": found}}})


@route("POST", GRAPHQL)
def answer_graphql(context: Context) -> Answer:
    body, fake = context.request.json, context.fake
    if body["query"].startswith("query($owner: String!, $name: String!, $number: Int!)"):
        return _show_editor(context, body["variables"])
    if not re.match(r"mutation\(\$input: UpdateRefsInput!\) \{ updateRefs\(input: \$input\)", body["query"]):
        fake.violations.append(f"an unknown query: {body['query'][:80]}")
    updates = _check(context, body["variables"]["input"])
    if not context.token.may("contents", "write"):
        return _fail("Resource not accessible by integration", "FORBIDDEN")
    for update in updates:  # all or none
        name = update["name"]
        if name.removeprefix("refs/heads/") in fake.protected:
            return _fail("Protected branch update failed for this ref.")
        if "beforeOid" in update and fake.refs.get(name, NOWHERE) != update["beforeOid"]:
            return _fail("Something went wrong while executing your query.")
    for update in updates:
        if update["afterOid"] == NOWHERE:
            fake.refs.pop(update["name"], None)
        else:
            fake.refs[update["name"]] = update["afterOid"]
    return answer_json({"data": {"updateRefs": {"clientMutationId": None}}})
