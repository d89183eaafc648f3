"""A retrained model on a branch of this clone, without GitHub."""

from dataclasses import replace

from metricgate.retraining.memory_ref import MemoryRef
from metricgate.retraining.proposal import make_commit, move_branch
from metricgate.retraining.story import RetrainOutcome


def put_branch(outcome: RetrainOutcome, id_: str) -> str:
    """Write the branch for a proposal that waits, and return what a person does with it; empty where there is none.

    Raises
    ------
    ConfigurationError
        If the branch is checked out, or has a commit that MetricGate did not write.
    """
    remembered, checkout, branch = outcome.remembered, outcome.checkout, outcome.spec.branch
    proposal = remembered.proposal
    if proposal is None:
        return ""
    commit = make_commit(checkout, proposal, proposal.base)
    ref = MemoryRef(checkout=checkout, id=id_, is_shared=False)
    # Known before it is there: a process that is killed in between leaves a branch that is still its own.
    remembered = ref.write(replace(remembered, memory=remembered.memory.add_head(commit)))
    move_branch(checkout, branch, commit, remembered.memory.heads)
    ref.write(replace(remembered, proposal=None, report=None))
    return (
        f"The branch {branch} has the retrained model in one commit ({commit[:9]}). Offer it: `dvc push`, then "
        f"`git push origin {branch}`."
    )
