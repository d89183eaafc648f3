"""Which revision is released: the one that runs where it matters, as the policy's `release` says."""

import re
from collections.abc import Callable
from fnmatch import fnmatchcase

from metricgate.errors import WorkspaceError
from metricgate.revisions.ancestry import fetch_commit
from metricgate.revisions.baseline_revision import BaselineRevision
from metricgate.revisions.checkout import Checkout
from metricgate.settings.policy import ReleaseSpec

TAGS, REGISTERED = "tag:", "mlflow:"
_SHA = re.compile("[0-9a-f]{7,64}")


def refuse_registered(name: str) -> str:
    """Refuse `mlflow:MODEL@ALIAS` where no registry was given."""
    raise WorkspaceError(
        f"The release {REGISTERED}{name} is in a model registry, and none was given.",
        expected="the address of an MLflow server.",
        fix="name a branch, a tag or a commit in `release: {revision: …}`.",
        topic="nothing-is-released",
    )


def resolve_release(
    checkout: Checkout,
    spec: ReleaseSpec | None,
    *,
    default_branch: str | None = None,
    find_registered: Callable[[str], str] = refuse_registered,
) -> BaselineRevision:
    """Return the released revision, after fetching it where it is not here.

    ``default_branch`` is its name by the event; without it, it is the one that the clone knows. ``find_registered``
    returns the Git revision of a registered model, named as `MODEL@ALIAS`.

    Raises
    ------
    WorkspaceError
        If it cannot be resolved: another revision is never taken for it.
    """
    if spec is None:
        return _resolve_default_branch(checkout, default_branch)
    named = spec.revision
    if named.startswith(TAGS):
        newest = _find_newest_tag(checkout, named.removeprefix(TAGS))
        return _resolve(checkout, f"refs/tags/{newest}", name=newest, reason=f"the newest tag that matches {named}")
    if named.startswith(REGISTERED):
        revision = find_registered(named.removeprefix(REGISTERED))
        return _resolve(checkout, revision, name=named, reason=f"the revision that is registered as {named}")
    return _resolve(checkout, named, name=named, reason="the policy's release")


def _resolve_default_branch(checkout: Checkout, given: str | None) -> BaselineRevision:
    branch = (given or checkout.default_branch() or "").removeprefix("origin/")
    if not branch:
        raise WorkspaceError(
            "MetricGate cannot determine which revision is released.",
            expected="a default branch, or `release: {revision: …}` in metricgate.yaml.",
            fix="add the key, or run `git fetch origin && git remote set-head origin --auto`.",
            topic="nothing-is-released",
        )
    return _resolve(checkout, branch, name=branch, reason="the default branch is what is released")


def _find_newest_tag(checkout: Checkout, pattern: str) -> str:
    found = next((tag for tag in checkout.list_tags() if fnmatchcase(tag, pattern)), None)
    if found is None:
        raise WorkspaceError(
            f"No tag matches {TAGS}{pattern}, so nothing is released.",
            expected="a tag on origin whose name matches the pattern in `release: {revision: …}`.",
            fix="push the tag, or correct the pattern.",
            topic="nothing-is-released",
        )
    return found


def _resolve(checkout: Checkout, revision: str, *, name: str, reason: str) -> BaselineRevision:
    """Return a revision as origin has it now: a branch or tag of this clone may be old."""
    sha = checkout.find_commit(revision) if _SHA.fullmatch(revision) else None
    if sha is None and not revision.startswith("refs/"):
        sha = fetch_commit(checkout, f"refs/heads/{revision}") or fetch_commit(checkout, f"refs/tags/{revision}")
    sha = sha or fetch_commit(checkout, revision) or checkout.find_commit(revision)
    if sha is None:
        raise WorkspaceError(
            f"The released revision {name!r} is neither in this clone nor on origin.",
            expected="a branch, tag or commit of this repository.",
            fix="correct `release: {revision: …}` in metricgate.yaml, or push the revision.",
            topic="the-revision-cannot-be-fetched",
        )
    return BaselineRevision(sha=sha, name=name, reason=reason)
