"""What a training offers: the files of one commit, and that commit in this clone."""

from collections.abc import Sequence

from metricgate.errors import ConfigurationError
from metricgate.models.base import Value
from metricgate.models.retraining import Retraining
from metricgate.report.headline import headline
from metricgate.report.value import Report
from metricgate.retraining.work_tree import ChangedFile
from metricgate.revisions.checkout import Checkout

IDENTITY = ("-c", "user.name=MetricGate", "-c", "user.email=metricgate@users.noreply.github.com")


class Proposal(Value):
    """The files that a training changed since ``base``; the commit's message tells why.

    ``reads``: what the pipeline reads in the repository. While it does not change, the files fit another base too.
    """

    base: str
    key: str
    files: tuple[ChangedFile, ...]
    reads: tuple[str, ...] = ()
    title: str
    message: str


def propose(base: str, key: str, files: Sequence[ChangedFile], report: Report, reads: Sequence[str] = ()) -> Proposal:
    """Return what a judged training offers."""
    plan = report.retraining or Retraining()
    title = "Retrain the model"
    why = "\n".join(f"- {reason.text}" for reason in plan.reasons)
    message = f"{title}\n\n{why}\n\n{headline(report)}\n"
    return Proposal(base=base, key=key, files=tuple(files), reads=tuple(reads), title=title, message=message)


def fits(checkout: Checkout, proposal: Proposal, other: str) -> bool:
    """Return whether the proposal's files may stand on another commit: nothing that they follow from changed there."""
    if other == proposal.base:
        return True
    paths = [*proposal.reads, *(file.path for file in proposal.files)]
    listed = [f":(top,literal){path}" if path != "." else ":/" for path in paths]
    return checkout.git("diff", "--name-only", proposal.base, other, "--", *listed) == ""


def make_commit(checkout: Checkout, proposal: Proposal, parent: str) -> str:
    """Write the commit of the proposal's files on top of ``parent``, and return its SHA; no branch is changed."""
    tree = checkout.change_tree(f"{parent}^{{tree}}", {file.path: (file.mode, file.blob) for file in proposal.files})
    return checkout.git(*IDENTITY, "commit-tree", tree, "-p", parent, "-m", proposal.message)


def move_branch(checkout: Checkout, branch: str, commit: str, known: Sequence[str]) -> None:
    """Move the local branch to ``commit``, unless it points to a commit other than the ``known`` ones.

    Raises
    ------
    ConfigurationError
        If the branch is checked out, or somebody else's.
    """
    ref = f"refs/heads/{branch}"
    before = checkout.find_commit(ref)
    if checkout.branch() == branch:
        raise ConfigurationError(
            f"The branch {branch} is checked out here.",
            expected="another branch: this one is written by MetricGate.",
            fix="run `git switch main`, and again.",
            topic="the-branch-is-not-free",
        )
    if before is not None and before not in known:
        raise ConfigurationError(
            f"The branch {branch} has the commit {before[:9]}, which MetricGate did not write.",
            expected="a branch that only MetricGate writes to.",
            fix=f"rename it (`git branch -m {branch} NAME`), or name another one in `retrain: {{branch: …}}`.",
            topic="the-branch-is-not-free",
        )
    checkout.git("update-ref", ref, commit, before or "0" * 40)
