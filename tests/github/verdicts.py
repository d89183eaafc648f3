"""The fake GitHub's checks and statuses: 65,535 bytes in each text of a check, 140 characters in a status."""

from collections.abc import Mapping
from typing import Any

from tests.github.routing import Answer, Context, Refusal, answer_json, route
from tests.github.state import CheckRun, Status

MAX_CHECK_BYTES = 65_535


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
        output={
            "title": run.title,
            "summary": run.summary,
            "text": None,
            "annotations_count": len(run.annotations),
            "annotations_url": context.link(f"check-runs/{run.number}/annotations"),
        },
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
    latest = {run.name: run for run in runs}
    shown = runs if context.request.parameter("filter") == "all" else list(latest.values())
    return context.page([_show_check(context, run) for run in reversed(shown)], key="check_runs")


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
