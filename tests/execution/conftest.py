"""Fixtures of the workspace's tests: produce a candidate, fetch a baseline."""

from collections.abc import Callable
from pathlib import Path

import pytest

from metricgate.execution.baseline import fetch_baseline
from metricgate.execution.candidate import ProduceOptions, produce_candidate
from metricgate.models.snapshot import Snapshot
from metricgate.processes.progress import QuietProgress
from metricgate.revisions.baseline_revision import BaselineRevision
from metricgate.revisions.checkout import Checkout
from metricgate.settings.policy import Policy, PredictionsSpec
from tests.projects import TinyProject

POLICY = Policy(predictions=PredictionsSpec(path="eval/predictions.csv", label="label", score="score", id=("id",)))
Yield = Callable[..., Snapshot]


@pytest.fixture
def produce(tmp_path: Path) -> Yield:
    """Return a function that produces the candidate in a project's checkout."""

    def produce_in(project: TinyProject, policy: Policy = POLICY, *, folder: str = ".", **changes: object) -> Snapshot:
        options = ProduceOptions(scratch=tmp_path / "scratch", **changes)  # type: ignore[arg-type]
        checkout = Checkout.open(project.root / folder)
        return produce_candidate(checkout, policy, options, progress=QuietProgress(), logs=tmp_path / "logs")

    return produce_in


@pytest.fixture
def baseline_of(tmp_path: Path) -> Yield:
    """Return a function that fetches the results of a revision of a project."""

    def fetch(
        project: TinyProject, name: str = "main", policy: Policy = POLICY, *, folder: str = ".", **changes: object
    ) -> Snapshot:
        options = ProduceOptions(scratch=tmp_path / "scratch", **changes)  # type: ignore[arg-type]
        revision = BaselineRevision(sha=project.sha(name), name=name, reason="because")
        checkout = Checkout.open(project.root / folder)
        return fetch_baseline(checkout, revision, policy, options, progress=QuietProgress(), logs=tmp_path / "logs")

    return fetch


def values(snapshot: Snapshot) -> dict[str, float | None]:
    return {metric.name: metric.value for metric in snapshot.metrics}


def states(snapshot: Snapshot) -> dict[str, str]:
    return {stage.name: stage.state for stage in snapshot.stages}
