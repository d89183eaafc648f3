"""Fixtures of the tests of kept results."""

from functools import partial
from pathlib import Path

from metricgate.execution.environment import fingerprint_environment
from metricgate.execution.work_tree import WorkTree
from metricgate.models.snapshot import Snapshot
from metricgate.results.git_refs import StoredResultRefs
from metricgate.revisions.checkout import Checkout
from metricgate.settings.policy import Policy
from tests.execution.conftest import POLICY, baseline_of, make_context, produce
from tests.projects import TinyProject

__all__ = ["baseline_of", "produce"]


def open_tree(project: TinyProject, tmp_path: Path) -> WorkTree:
    context = make_context(project.root, tmp_path)
    return WorkTree(context=context, directory=project.root, files=tmp_path / "files", name="baseline")


def open_refs(checkout: Checkout, folder: Path = Path("/nowhere")) -> StoredResultRefs:
    """Return the results stored in Git, without a DVC remote."""
    return StoredResultRefs(checkout=checkout, folder=folder, bring=lambda _: {})


def store(project: TinyProject, snapshot: Snapshot, policy: Policy = POLICY) -> str:
    """Store a snapshot as a run on the default branch does."""
    checkout = Checkout.open(project.root)
    environment = fingerprint_environment(policy.pipeline, partial(checkout.read_text, checkout.head_sha))
    return open_refs(checkout).keep(snapshot, environment, policy)
