"""One commit on a branch, made through the API and put there by one atomic ref update, or not at all.

GitHub signs commits of apps and of the job's token that name neither author nor committer. A branch is never reset and
then filled: that would close its pull request. `updateRefs` moves it only from where it was seen.
Source: docs.github.com, GraphQL `updateRefs`, `RefUpdate.beforeOid`.
"""

import base64
from collections.abc import Sequence
from dataclasses import dataclass

from metricgate.publish.github.client import GitHubClient, Json
from metricgate.publish.github.response import GitHubError, Trouble

NOWHERE = "0" * 40
ATTEMPTS = 3
_UPDATE = """mutation($input: UpdateRefsInput!) { updateRefs(input: $input) { clientMutationId } }"""


class BranchMovedError(Exception):
    """The branch does not point to where it was seen; ``head`` is where it points to now."""

    def __init__(self, head: str | None) -> None:
        super().__init__(head)
        self.head = head


@dataclass(frozen=True, kw_only=True)
class CommittedFile:
    """A file of a commit; ``path`` is relative to the repository, ``mode`` Git's."""

    path: str
    mode: str
    content: bytes


@dataclass(frozen=True)
class BranchCommits:
    """Writes commits to branches of one repository."""

    client: GitHubClient

    def read_head(self, branch: str) -> str | None:
        """Return the commit that a branch points to; None if there is no such branch."""
        try:
            found = self.client.get(self.client.path("git/ref/heads", branch))
        except GitHubError as error:
            if error.trouble is Trouble.MISSING:
                return None
            raise
        return str(found["object"]["sha"])

    def read_commit(self, sha: str) -> tuple[str, tuple[str, ...]]:
        """Return a commit's tree and its parents."""
        found = self.client.get(self.client.path("git/commits", sha))
        return str(found["tree"]["sha"]), tuple(str(parent["sha"]) for parent in found["parents"])

    def make_tree(self, files: Sequence[CommittedFile], parent: str) -> str:
        """Return the SHA of the tree of ``parent`` with other files."""
        base, _ = self.read_commit(parent)
        entries = [
            {"path": file.path, "mode": file.mode, "type": "blob", "sha": self._add("blobs", _encode(file.content))}
            for file in files
        ]
        return self._add("trees", {"base_tree": base, "tree": entries})

    def make_commit(self, tree: str, parent: str, message: str) -> str:
        """Return the SHA of a new commit, which no branch has yet."""
        return self._add("commits", {"message": message, "tree": tree, "parents": [parent]})

    def move(self, branch: str, *, before: str | None, after: str | None) -> None:
        """Move a branch from ``before`` to ``after``; None stands for a branch that does not exist.

        Raises
        ------
        BranchMovedError
            If it points elsewhere by now.
        GitHubError
            If GitHub refuses it, for example because the branch is protected.
        """
        repository = self.client.get(f"/repos/{self.client.repository}")["node_id"]
        change = {
            "name": f"refs/heads/{branch}",
            "beforeOid": before or NOWHERE,
            "afterOid": after or NOWHERE,
            "force": True,
        }
        request = {"input": {"repositoryId": repository, "refUpdates": [change]}}
        for attempt in range(ATTEMPTS):
            if self._try_move(request, branch, before=before, after=after, is_last=attempt + 1 == ATTEMPTS):
                return
            self.client.budget.wait(2.0**attempt, f"the branch {branch} could not be moved yet")

    def _try_move(self, request: Json, branch: str, *, before: str | None, after: str | None, is_last: bool) -> bool:
        try:
            self.client.query(_UPDATE, request)
        except GitHubError as error:
            # A stale `beforeOid` and a lost response look alike: only the branch itself tells.
            head = self.read_head(branch)
            if head == after:
                return True
            if head != before:
                raise BranchMovedError(head) from error
            if error.trouble is not Trouble.UNAVAILABLE or is_last:
                raise
            return False
        return True

    def _add(self, kind: str, body: Json) -> str:
        return str(self.client.create(self.client.path("git", kind), body, find=lambda: None)["sha"])


def _encode(content: bytes) -> Json:
    return {"content": base64.b64encode(content).decode(), "encoding": "base64"}
