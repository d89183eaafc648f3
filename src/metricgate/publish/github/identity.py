"""Whose report it is: the pull request that a finished run belongs to, from GitHub's API and never from an artifact."""

from metricgate.errors import PublishError
from metricgate.publish.github.client import GitHubClient, Json
from metricgate.trigger.triggers import PullRequest, WorkflowRun


def find_pull_request(client: GitHubClient, run: WorkflowRun) -> PullRequest:
    """Yield the one open pull request whose head repository, branch and commit are the run's.

    The run's own list of pull requests is empty for forks, and so is the one of its commit; a number in an artifact
    could be any.

    Raises
    ------
    PublishError
        If there is none (it was closed, or pushed to again), or several.
    """
    owner = run.head_repository.split("/")[0]
    found = [
        item
        for item in client.get_all(client.path("pulls"), state="open", head=f"{owner}:{run.head_branch}")
        if _is_of(item, run)
    ]
    if len(found) != 1:
        raise PublishError(
            f"{len(found) or 'No'} open pull requests have the head {run.head_repository}:{run.head_branch} "
            f"at {run.head_sha[:12]}.",
            expected="exactly one open pull request with the head of the run that was judged.",
            fix="Nothing, if it was closed or pushed to again: the run of its newest push publishes.",
        )
    return _read(found[0], run)


def _is_of(item: Json, run: WorkflowRun) -> bool:
    head = item["head"]
    repository = (head.get("repo") or {}).get("full_name", "")
    same_repository = str(repository).lower() == run.head_repository.lower()
    return head["sha"] == run.head_sha and head["ref"] == run.head_branch and same_repository


def _read(item: Json, run: WorkflowRun) -> PullRequest:
    return PullRequest(
        number=int(item["number"]),
        head_sha=run.head_sha,
        head_ref=run.head_branch,
        head_repository=run.head_repository,
        base_sha=str(item["base"]["sha"]),
        base_ref=str(item["base"]["ref"]),
        draft=bool(item.get("draft")),
        body=str(item.get("body") or ""),
        labels=tuple(str(label["name"]) for label in item.get("labels", ())),
        head_seen_at=run.created_at,
    )
