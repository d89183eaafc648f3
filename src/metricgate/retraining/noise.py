"""The story of the noise floor: train the same recipe with other seeds, compare them all, keep how far they differ."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from itertools import permutations
from pathlib import Path

from metricgate.comparison.noise_floor import measure_floors
from metricgate.context import RunContext
from metricgate.errors import ConfigurationError, WorkspaceError
from metricgate.execution.candidate import produce_candidate
from metricgate.judging import Case, judge
from metricgate.models.noise import NoiseResult
from metricgate.models.outcome import Verdict
from metricgate.models.snapshot import Snapshot
from metricgate.processes.progress import Progress
from metricgate.report.value import Report
from metricgate.results.noise_ref import keep_noise
from metricgate.revisions.checkout import Checkout
from metricgate.revisions.git_command import Access
from metricgate.run import NO_TOKEN, make_scratch
from metricgate.settings.noise import NoiseSpec
from metricgate.settings.policy import FILE_NAME, Policy
from metricgate.settings.policy_file import read_policy
from metricgate.settings.selection import PolicyChoice


@dataclass(frozen=True, kw_only=True)
class NoiseRequest:
    """What a person or a workflow asks for; ``share``: keep the floor on origin, where every run finds it."""

    directory: Path
    output: Path
    access: Access = NO_TOKEN
    policy_name: str = FILE_NAME
    id: str = "default"
    runs: int | None = None
    timeout_s: float | None = None
    share: bool = False
    use_active: bool = False


@dataclass(frozen=True, kw_only=True)
class MeasuredNoise:
    """What was measured, and why it could not be shared, if so."""

    result: NoiseResult
    problem: str = ""


def measure_noise(request: NoiseRequest, progress: Progress) -> MeasuredNoise:
    """Run the committed pipeline with several seeds, and keep how far its metrics differ.

    Raises
    ------
    ConfigurationError
        If the policy does not name the seed. WorkspaceError: a run fails, or the seed changes nothing.
    """
    checkout = Checkout.open(request.directory, request.access)
    text = checkout.read_text(checkout.head_sha, request.policy_name) or ""
    policy = read_policy(text, origin=f"{request.policy_name} at {checkout.head_sha[:9]}")
    spec = _require_spec(policy, request.policy_name)
    runs = request.runs or spec.runs
    with make_scratch() as scratch:
        context = RunContext(
            checkout=checkout,
            progress=progress,
            logs=request.output / "logs",
            scratch=scratch,
            timeout_s=request.timeout_s,
            use_active=request.use_active,
        )
        snapshots = [_train(context, policy, spec, seed) for seed in range(1, runs + 1)]
        with progress.step("Compare every pair"):
            reports = _judge_pairs(snapshots, policy)
    own = [next(report for one, report in reports if one == seed).metrics for seed in range(runs)]
    floors = measure_floors(own)
    if not any(floor.sd for floor in floors):
        raise WorkspaceError(
            f"With {runs} values of {spec.seed}, every metric is the same.",
            expected="a parameter by which the training differs.",
            fix="let the training read the seed, or name the right one in `noise: {seed: …}`.",
            topic="seeds-make-no-difference",
        )
    result = NoiseResult(
        revision=checkout.head_sha,
        at=datetime.now(UTC).isoformat(timespec="minutes"),
        seed=spec.seed,
        runs=runs,
        pairs=len(reports),
        blocked=sum(report.verdict is Verdict.FAILED for _, report in reports),
        floors=floors,
    )
    return MeasuredNoise(result=result, problem=keep_noise(checkout, request.id, result, share=request.share))


def _require_spec(policy: Policy, name: str) -> NoiseSpec:
    if policy.noise is None:
        raise ConfigurationError(
            f"The committed {name} does not say which parameter is the seed.",
            expected="`noise: {seed: train.seed}`, committed.",
            fix="add it; docs/retraining.md says what it is for.",
            topic="the-seed-is-not-named",
        )
    return policy.noise


def _train(context: RunContext, policy: Policy, spec: NoiseSpec, seed: int) -> Snapshot:
    params = {**policy.pipeline.params, spec.seed: seed}
    other = policy.model_copy(update={"pipeline": policy.pipeline.model_copy(update={"params": params})})
    with context.progress.step(f"Seed {seed}"):
        # A folder for each: results of one seed must not lie where the next one's do.
        apart = replace(context, scratch=context.scratch / f"seed-{seed}")
        apart.scratch.mkdir()
        apart.scratch.chmod(0o711)
        return produce_candidate(apart, other)


def _judge_pairs(snapshots: Sequence[Snapshot], policy: Policy) -> list[tuple[int, Report]]:
    """Return the report of each ordered pair, with the number of its candidate."""
    choice = PolicyChoice(judging=policy, baseline=policy, candidate=policy, origin="the policy")
    return [
        (second, judge(Case(baseline=snapshots[first], candidate=snapshots[second], choice=choice)))
        for first, second in permutations(range(len(snapshots)), 2)
    ]


def describe_noise(result: NoiseResult) -> tuple[str, tuple[tuple[str, str, str], ...]]:
    """Return a sentence about a measurement, and rows of metric, standard deviation and floor."""
    share = 100 * result.blocked / result.pairs if result.pairs else 0
    told = (
        f"{result.runs} trainings of {result.revision[:9]} that differ in {result.seed} alone: "
        f"{result.blocked} of {result.pairs} pairs ({share:.0f} %) would have been blocked."
    )
    rows = tuple(
        (f"{one.set}: {one.metric}" if one.set else one.metric, f"{one.sd:.2g}", f"{one.floor:.2g}")
        for one in result.floors
    )
    return told, rows
