"""Which revision is the baseline, and why that one."""

from collections.abc import Callable
from dataclasses import dataclass

from metricgate.errors import WorkspaceError
from metricgate.revisions.ancestry import fetch_commit, find_merge_base
from metricgate.revisions.checkout import Checkout
from metricgate.trigger.triggers import Trigger, TriggerKind

FindRevision = Callable[[Checkout], str | None]


@dataclass(frozen=True, kw_only=True)
class BaselineRevision:
    """The commit to compare against. ``name`` is what people call it, ``reason`` why it was chosen."""

    sha: str
    name: str
    reason: str


def resolve_baseline(
    checkout: Checkout,
    trigger: Trigger,
    *,
    requested: str | None = None,
    anchor: bool = False,
    find_last_stored: FindRevision = lambda _: None,
) -> BaselineRevision | None:
    """Return the revision that the candidate is compared with, after fetching the history that is missing.

    ``find_last_stored`` returns the revision whose results were stored last: scheduled runs are compared with it.

    Returns
    -------
    BaselineRevision; None where nothing precedes the candidate (the first commit of the default branch).

    Raises
    ------
    WorkspaceError
        If the revision is known but can neither be found nor fetched.
    """
    if requested:
        return _resolve_requested(checkout, requested, "the policy's anchor" if anchor else "requested by name")
    match trigger.kind:
        case TriggerKind.PULL_REQUEST:
            return _resolve_pull_request(checkout, trigger)
        case TriggerKind.MERGE_GROUP:
            return _resolve_merge_group(checkout, trigger)
        case TriggerKind.PUSH:
            return _resolve_push(checkout, trigger)
        case _:
            return _resolve_branch(checkout, trigger, find_last_stored)


def _resolve_requested(checkout: Checkout, requested: str, reason: str) -> BaselineRevision:
    sha = checkout.find_commit(requested) or checkout.find_commit(f"refs/remotes/origin/{requested}")
    sha = sha or fetch_commit(checkout, requested)
    if sha is None:
        raise WorkspaceError(
            f"The baseline revision {requested!r} is neither in this clone nor on origin.",
            expected="a commit, branch or tag of this repository.",
            fix="correct the name, or push the revision.",
            topic="the-revision-cannot-be-fetched",
        )
    return BaselineRevision(sha=sha, name=requested, reason=reason)


def _resolve_pull_request(checkout: Checkout, trigger: Trigger) -> BaselineRevision:
    request = trigger.pull_request
    if request is None:
        raise WorkspaceError(
            "The event does not name a pull request.",
            expected="the event file of a pull_request event.",
            fix="run the action on pull_request, or pass the revision with `baseline`.",
            topic="the-event-names-no-revision",
        )
    parents = checkout.parents(checkout.head_sha)
    # A branch that merged main into itself has two parents as well; only GitHub's own merge commit is GITHUB_SHA
    # under refs/pull/N/merge.
    is_merge = checkout.head_sha == trigger.sha and trigger.ref == f"refs/pull/{request.number}/merge"
    if is_merge and len(parents) == 2:
        sha = _require(checkout, parents[0], request.base_ref)
        return BaselineRevision(
            sha=sha, name=request.base_ref, reason="the base branch as GitHub merged this pull request into it"
        )
    tip = fetch_commit(checkout, f"refs/heads/{request.base_ref}") or _require(
        checkout, request.base_sha, request.base_ref
    )
    return _merge_base(checkout, tip, request.base_ref)


def _resolve_merge_group(checkout: Checkout, trigger: Trigger) -> BaselineRevision:
    if trigger.merge_group_base is None:
        raise WorkspaceError(
            "The event does not name the base of the merge group.",
            expected="merge_group.base_sha in the event file.",
            fix="run the action on merge_group, or pass the revision with `baseline`.",
            topic="the-event-names-no-revision",
        )
    sha = _require(checkout, trigger.merge_group_base, "the base of the merge group")
    return BaselineRevision(
        sha=sha, name=trigger.default_branch or "base", reason="the commit that the merge queue builds this group on"
    )


def _resolve_push(checkout: Checkout, trigger: Trigger) -> BaselineRevision | None:
    branch = trigger.ref.removeprefix("refs/heads/")
    if trigger.before is not None:
        sha = fetch_commit(checkout, trigger.before)
        if sha is not None:
            return BaselineRevision(sha=sha, name=branch, reason=f"{branch} as it was before this push")
        return _first_parent(
            checkout, f"{trigger.before[:9]}, where {branch} was before this push, is gone; its parent"
        )
    return _first_parent(checkout, f"{branch} is new; its parent")


def _resolve_branch(checkout: Checkout, trigger: Trigger, find_last_stored: FindRevision) -> BaselineRevision | None:
    branch = trigger.default_branch or checkout.default_branch()
    tip = None if branch is None else _find_branch(checkout, branch)
    if tip is None or branch is None:
        raise WorkspaceError(
            "MetricGate cannot determine the default branch.",
            expected="a branch named main or master, or a remote named origin that has a default branch.",
            fix=_name_fetch(checkout),
            topic="the-default-branch-is-not-known",
        )
    base = find_merge_base(checkout, tip)
    if base != checkout.head_sha:
        return _merge_base(checkout, tip, branch)
    if trigger.kind in (TriggerKind.SCHEDULE, TriggerKind.MANUAL):
        last = find_last_stored(checkout)
        sha = None if last is None or last == checkout.head_sha else fetch_commit(checkout, last)
        if sha is not None:
            return BaselineRevision(sha=sha, name=branch, reason=f"the last run on {branch} whose results were stored")
    if checkout.is_dirty():
        return BaselineRevision(sha=base, name=branch, reason="the last commit; the candidate is the uncommitted work")
    return _first_parent(checkout, f"HEAD is on {branch} already; its parent")


def _name_fetch(checkout: Checkout) -> str:
    """Return what to do where no default branch is known: most often it was only not fetched."""
    by_hand = "pass the revision: `metricgate run --baseline REVISION`."
    if "origin" not in checkout.git("remote").split():
        return by_hand
    return f"run `git fetch origin && git remote set-head origin --auto`; or {by_hand}"


def _find_branch(checkout: Checkout, branch: str) -> str | None:
    names = (branch,) if branch.startswith("origin/") else (f"refs/remotes/origin/{branch}", f"refs/heads/{branch}")
    return next((sha for sha in map(checkout.find_commit, names) if sha), None) or fetch_commit(
        checkout, f"refs/heads/{branch.removeprefix('origin/')}"
    )


def _merge_base(checkout: Checkout, tip: str, branch: str) -> BaselineRevision:
    sha = find_merge_base(checkout, tip)
    if sha is None:
        raise WorkspaceError(
            f"HEAD and {branch} have no commit in common.",
            expected="a branch that started from the base branch.",
            fix="check out with `fetch-depth: 0`, or pass the revision with `baseline`.",
            topic="no-commit-in-common",
        )
    return BaselineRevision(sha=sha, name=branch, reason=f"where this branch left {branch}")


def _first_parent(checkout: Checkout, reason: str) -> BaselineRevision | None:
    parents = checkout.parents(checkout.head_sha)
    if not parents:
        return None
    return BaselineRevision(sha=_require(checkout, parents[0], "HEAD^"), name="HEAD^", reason=reason)


def _require(checkout: Checkout, sha: str, name: str) -> str:
    found = fetch_commit(checkout, sha)
    if found is None:
        raise WorkspaceError(
            f"The baseline commit {sha[:9]} ({name}) is not in this clone and could not be fetched.",
            expected="a remote named origin that has it, and credentials to read it.",
            fix="check out with `fetch-depth: 0`, or keep the credentials of actions/checkout.",
            topic="the-revision-cannot-be-fetched",
        )
    return found
