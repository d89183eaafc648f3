"""The story of an offer: one pull request for a retrained model, never over somebody's work, nothing lost or twice.

What is written next is remembered before it is written, so that a run that is killed anywhere is continued by the next.
"""

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Literal

from metricgate.publish.github.branch_commits import BranchCommits, BranchMovedError, CommittedFile
from metricgate.publish.github.client import GitHubClient
from metricgate.publish.github.response import GitHubError, Trouble
from metricgate.publish.github.retrain_pull_request import (
    TAKE_BACK,
    RetrainPullRequest,
    RetrainPullRequests,
    mark_body,
)
from metricgate.report.escape import code_span
from metricgate.report.value import Report
from metricgate.retraining.memory_ref import MemoryRef, Remembered
from metricgate.retraining.proposal import Proposal, fits
from metricgate.retraining.story import RetrainOutcome
from metricgate.revisions.ancestry import fetch_commit

Result = Literal["offered", "closed", "nothing", "edited", "moved", "another_run", "declined", "not_allowed"]
RenderBody = Callable[[Report], str]
_GONE = frozenset({"not_due", "no_news"})
WHERE_ALLOWED = (
    "GitHub Actions may not create pull requests here. Allow it under Settings → Actions → General → Workflow "
    "permissions → “Allow GitHub Actions to create and approve pull requests” (in an organisation, there first), or give "
    "the step the token of a GitHub App."
)


@dataclass(frozen=True, kw_only=True)
class Offer:
    """What became of an offer.

    ``head`` is the commit that checks belong to, empty where there is none. ``problem`` says what a person has to do;
    the verdict stands.
    """

    result: Result
    remembered: Remembered
    pull_request: RetrainPullRequest | None = None
    head: str = ""
    problem: str = ""


@dataclass(frozen=True, kw_only=True)
class Offering:
    """Offers what a run trained, or what an earlier run could not offer any more."""

    client: GitHubClient
    outcome: RetrainOutcome
    id: str
    base: str  # the branch that is asked to take it
    render: RenderBody

    def settle(self) -> Offer:
        """Bring branch and pull request up to date with what is remembered.

        Raises
        ------
        GitHubError
            If GitHub refuses something that this run needs. MemoryConflictError: another run is at work.
        """
        requests = self._requests.list_all()
        current = next((one for one in requests if one.is_open), None)
        proposal, remembered = self.outcome.remembered.proposal, self.outcome.remembered
        if self.outcome.plan.obstacle in _GONE and not self._was_asked_for(current):
            return self._withdraw(current)
        if proposal is None or remembered.report is None:
            return Offer(result="nothing", remembered=remembered, pull_request=current)
        if self._was_declined(requests, proposal):
            return Offer(result="declined", remembered=remembered)
        try:
            return self._offer(requests, current, proposal, remembered.report)
        except BranchMovedError as error:
            return self._explain_moved(error.head)

    @property
    def _branch(self) -> str:
        return self.outcome.spec.name_branch(self.id)

    @property
    def _requests(self) -> RetrainPullRequests:
        return RetrainPullRequests(self.client, self._branch)

    @property
    def _commits(self) -> BranchCommits:
        return BranchCommits(self.client)

    @property
    def _ref(self) -> MemoryRef:
        return MemoryRef(checkout=self.outcome.checkout, id=self.id, is_shared=True)

    def _was_asked_for(self, current: RetrainPullRequest | None) -> bool:
        """Return whether a person asked for the training that is offered: it does not have to be due."""
        training = self.outcome.remembered.memory.find(current.key) if current else None
        return training is not None and "forced" in training.reasons

    def _was_declined(self, requests: Sequence[RetrainPullRequest], proposal: Proposal) -> bool:
        """Return whether a person closed or merged the pull request with this very model."""
        training = self.outcome.remembered.memory.find(proposal.key)
        if training is not None and training.end == "not_due":
            return False
        own = training.number if training else None
        done = (one for one in requests if not one.is_open and (one.key == proposal.key or one.number == own))
        return any(done) and not any(one.is_open for one in requests)

    def _offer(
        self,
        requests: Sequence[RetrainPullRequest],
        current: RetrainPullRequest | None,
        proposal: Proposal,
        report: Report,
    ) -> Offer:
        remembered, checkout = self.outcome.remembered, self.outcome.checkout
        seen = self._commits.read_head(self._branch)
        taken_back = current is not None and self._requests.is_given_back(current)
        if seen and not taken_back and not self._is_own(seen, requests):
            return self._leave_alone(current, seen)
        main = self._commits.read_head(self.base)
        if main is None or fetch_commit(checkout, main) is None or not fits(checkout, proposal, main):
            return self._wait_for_main(main, current)
        head, remembered = self._commit(proposal, main, seen, remembered)
        if head != seen:
            self._commits.move(self._branch, before=seen, after=head)
        body = f"{mark_body(self.id, proposal.key, head)}\n{self.render(report)}"
        try:
            request = self._put(current, proposal, body)
        except GitHubError as error:
            if "not permitted to create" not in error.what and not error.is_forbidden:
                raise
            return self._explain_permission(error, head, remembered)
        if taken_back and current is not None:
            self._requests.remove_label(current, TAKE_BACK)
        training = remembered.memory.find(proposal.key)
        if training is not None and training.number != request.number:
            memory = remembered.memory.add(training.model_copy(update={"number": request.number}))
            remembered = self._ref.write(replace(remembered, memory=memory))
        return Offer(result="offered", remembered=remembered, pull_request=request, head=head)

    def _is_own(self, head: str, requests: Sequence[RetrainPullRequest]) -> bool:
        """Return whether a head is one that MetricGate wrote, or was merged and so is kept in the base branch."""
        return head in self.outcome.remembered.memory.heads or any(
            one.is_merged and one.head == head for one in requests
        )

    def _commit(
        self, proposal: Proposal, parent: str, seen: str | None, remembered: Remembered
    ) -> tuple[str, Remembered]:
        """Return the commit with the proposal's files on ``parent``: the branch's own if it is the same one."""
        checkout = self.outcome.checkout
        files = [
            CommittedFile(path=file.path, mode=file.mode, content=checkout.read_blob(file.blob))
            for file in proposal.files
        ]
        tree = self._commits.make_tree(files, parent)
        if seen and seen in remembered.memory.heads and self._commits.read_commit(seen) == (tree, (parent,)):
            return seen, remembered
        head = self._commits.make_commit(tree, parent, proposal.message)
        return head, self._ref.write(replace(remembered, memory=remembered.memory.add_head(head)))

    def _put(self, current: RetrainPullRequest | None, proposal: Proposal, body: str) -> RetrainPullRequest:
        """Return the pull request with this body: the open one, or a new one."""
        labels = self.outcome.spec.labels
        if current is None:
            request = self._requests.create(title=proposal.title, body=body, base=self.base)
        else:
            request = current
            if current.key:  # else a person opened it, and the words are theirs
                self._requests.update(current, title=proposal.title, body=body)
                if current.key != proposal.key:
                    text = "A model that was trained on newer inputs replaces the one that was offered here before."
                    self._requests.comment_once(current, text, about=f"replaced-{proposal.key}")
        try:
            self._requests.add_labels(request, labels)
        except GitHubError as error:
            if not error.is_forbidden:
                raise
        return request

    def _withdraw(self, current: RetrainPullRequest | None) -> Offer:
        """Close the own pull request, since the model is no longer due."""
        remembered = self.outcome.remembered
        if current is None or not current.key:
            return Offer(result="nothing", remembered=remembered, pull_request=current)
        if self._commits.read_head(self._branch) not in remembered.memory.heads:
            return self._leave_alone(current, current.head)
        training = remembered.memory.find(current.key)
        if training is not None:  # else a later run would take it for declined by a person
            memory = remembered.memory.add(training.model_copy(update={"end": "not_due"}))
            remembered = self._ref.write(replace(remembered, memory=memory))
        why = f"No longer due, so this is closed: {code_span(self.outcome.plan.why_not)}"
        self._requests.close(current, why)
        with suppress(BranchMovedError):  # somebody works on it: it stays
            self._commits.move(self._branch, before=current.head, after=None)
        return Offer(result="closed", remembered=remembered, pull_request=current)

    def _leave_alone(self, current: RetrainPullRequest | None, head: str) -> Offer:
        """Comment, once, that the branch now belongs to somebody else, and how to give it back."""
        problem = (
            f"The branch {self._branch} has the commit {head[:9]}, which MetricGate did not write, so it is left alone. "
            f"To give it back, and lose that commit, set the label “{TAKE_BACK}” on its pull request, or delete the branch."
        )
        if current is not None:
            text = (
                f"{code_span(self._branch)} has a commit that MetricGate did not write ({head[:9]}). It is yours from "
                f"now on: MetricGate does not touch it any more. To give it back, and lose that commit, set the label "
                f"`{TAKE_BACK}`."
            )
            self._requests.comment_once(current, text, about=f"edited-{head}")
        return Offer(result="edited", remembered=self.outcome.remembered, pull_request=current, problem=problem)

    def _wait_for_main(self, main: str | None, current: RetrainPullRequest | None) -> Offer:
        problem = (
            f"{self.base} moved to {(main or 'nothing')[:9]} and changed what this model follows from: the next run "
            "trains on that."
        )
        return Offer(result="moved", remembered=self.outcome.remembered, pull_request=current, problem=problem)

    def _explain_moved(self, head: str | None) -> Offer:
        fresh = self._ref.read()
        if head in fresh.memory.heads:
            return Offer(result="another_run", remembered=fresh)
        problem = f"Somebody moved the branch {self._branch} to {(head or 'nothing')[:9]} while it was written: it is left alone."
        return Offer(result="edited", remembered=fresh, problem=problem)

    def _explain_permission(self, error: GitHubError, head: str, remembered: Remembered) -> Offer:
        allowed = "not permitted to create" in error.what or error.trouble is Trouble.FORBIDDEN
        problem = (
            f"The branch {self._branch} has the retrained model, and its pull request could not be opened. "
            f"{WHERE_ALLOWED if allowed else error.fix}"
        )
        return Offer(result="not_allowed", remembered=remembered, head=head, problem=problem)
