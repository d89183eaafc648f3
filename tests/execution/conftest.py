"""Fixtures of the execution's tests: produce a candidate, fetch a baseline."""

from collections.abc import Callable
from pathlib import Path

import pytest

from metricgate.context import RunContext
from metricgate.execution.baseline import fetch_baseline
from metricgate.execution.candidate import produce_candidate
from metricgate.models.snapshot import Snapshot
from metricgate.processes.progress import QuietProgress
from metricgate.revisions.baseline_revision import BaselineRevision
from metricgate.revisions.checkout import Checkout
from metricgate.settings.policy import PipelineSpec, Policy, PredictionsSpec
from tests.projects import TinyProject

POLICY = Policy(predictions=PredictionsSpec(path="eval/predictions.csv", label="label", score="score", id=("id",)))
Yield = Callable[..., Snapshot]


def make_context(root: Path, tmp_path: Path, **changes: object) -> RunContext:
    """Return the context of a run in the project at ``root``."""
    return RunContext(
        checkout=Checkout.open(root),
        progress=QuietProgress(),
        logs=tmp_path / "logs",
        scratch=tmp_path / "scratch",
        **changes,  # type: ignore[arg-type]
    )


def set_pipeline(policy: Policy, pipeline: PipelineSpec | None) -> Policy:
    return policy if pipeline is None else policy.model_copy(update={"pipeline": pipeline})


@pytest.fixture
def produce(tmp_path: Path) -> Yield:
    """Return a function that produces the candidate in a project's checkout."""

    def produce_in(
        project: TinyProject,
        policy: Policy = POLICY,
        *,
        folder: str = ".",
        pipeline: PipelineSpec | None = None,
        **changes: object,
    ) -> Snapshot:
        context = make_context(project.root / folder, tmp_path, **changes)
        return produce_candidate(context, set_pipeline(policy, pipeline))

    return produce_in


@pytest.fixture
def baseline_of(tmp_path: Path) -> Yield:
    """Return a function that fetches the results of a revision of a project."""

    def fetch(
        project: TinyProject,
        name: str = "main",
        policy: Policy = POLICY,
        *,
        folder: str = ".",
        pipeline: PipelineSpec | None = None,
        **changes: object,
    ) -> Snapshot:
        revision = BaselineRevision(sha=project.sha(name), name=name, reason="because")
        context = make_context(project.root / folder, tmp_path, **changes)
        return fetch_baseline(context, revision, set_pipeline(policy, pipeline))

    return fetch


def values(snapshot: Snapshot) -> dict[str, float | None]:
    return {metric.name: metric.value for metric in snapshot.metrics}


def states(snapshot: Snapshot) -> dict[str, str]:
    return {stage.name: stage.state for stage in snapshot.stages}
