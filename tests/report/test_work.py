"""The line at the end of a run: what was trained, and what was spared."""

import pytest

from metricgate.comparison.work import sum_reused, sum_tokens, sum_trained
from metricgate.models.snapshot import FileMetric, RevisionInfo, Snapshot, Source, Stage, StageState
from metricgate.report.sections.context_line import describe_cost, describe_timing
from metricgate.report.value import Cost, Timing


def make_snapshot(source: Source, **stages: tuple[StageState, float | None]) -> Snapshot:
    listed = tuple(Stage(name=name, state=state, seconds=seconds) for name, (state, seconds) in stages.items())
    return Snapshot(info=RevisionInfo(name="x", source=source), stages=listed)


HALF_RUN = make_snapshot(Source.WORKSPACE, prepare=("unchanged", None), train=("ran", 41.0), report=("cached", 0.2))


def test_the_baselines_kept_results_and_stages_of_the_same_name_are_reused() -> None:
    stored = make_snapshot(
        Source.STORED, prepare=("unchanged", 60.0), train=("unchanged", 600.0), report=("unchanged", 3)
    )

    assert sum_trained([HALF_RUN, stored]) == 41.0
    assert sum_reused(HALF_RUN, [stored]) == 60.0 + 3.0 + (60.0 + 600.0 + 3.0)


def test_a_baseline_that_was_reproduced_is_trained_and_its_unchanged_stages_have_no_duration() -> None:
    reproduced = make_snapshot(Source.REPRODUCED, prepare=("ran", 7.0), train=("ran", 30.0), report=("restored", 0.1))

    assert sum_trained([HALF_RUN, reproduced]) == 78.0
    assert sum_reused(HALF_RUN, [reproduced]) == 7.0


def test_results_whose_durations_nobody_kept_count_as_nothing() -> None:
    recorded = make_snapshot(Source.GIT, prepare=("unchanged", None), train=("unchanged", None))

    assert sum_reused(HALF_RUN, [recorded]) == 0.0
    assert sum_reused(HALF_RUN, []) == 0.0


def test_a_candidate_from_an_earlier_run_is_reused_with_what_it_took_then() -> None:
    earlier = make_snapshot(Source.EARLIER, train=("unchanged", 100.0))
    stored = make_snapshot(Source.STORED, train=("unchanged", 90.0))

    assert sum_reused(earlier, [stored]) == 190.0


@pytest.mark.parametrize(
    ("trained", "reused", "expected"),
    [
        (41.0, 720.0, "trained 41 s, reused 12 min 00 s"),
        (0.0, 720.0, "trained nothing, reused 12 min 00 s"),
        (0.2, 0.0, "trained under 1 s"),
        (0.0, 0.0, "trained nothing"),
    ],
)
def test_the_last_line_says_both(trained: float, reused: float, expected: str) -> None:
    assert describe_timing(Timing(total=1.0, trained=trained, reused=reused)) == expected


def test_tokens_are_those_that_pipelines_of_this_run_counted() -> None:
    metrics = (
        FileMetric(file="m.json", key="judge.total_tokens", value=1_200_000.0),
        FileMetric(file="m.json", key="tokens", value=None, problem="it is text"),
        FileMetric(file="m.json", key="tokens_per_row", value=7.0),
    )
    ran = Snapshot(info=HALF_RUN.info, stages=HALF_RUN.stages, metrics=metrics)
    kept = Snapshot(info=RevisionInfo(name="x", source=Source.GIT), metrics=metrics)

    assert sum_tokens([ran, kept]) == 1_200_000
    assert sum_tokens([kept]) is None


@pytest.mark.parametrize(
    ("cost", "expected"),
    [
        (Cost(cpu_seconds=185.0), "3 min 05 s of CPU time, nothing pulled"),
        (Cost(cpu_seconds=2.0, pulled_bytes=1_204_000_000), "2 s of CPU time, 1,204.0 MB pulled"),
        (Cost(cpu_seconds=2.0, pulled_bytes=4200, tokens=1), "2 s of CPU time, 4.2 kB pulled, 1 token"),
    ],
)
def test_the_cost_is_said_in_units_that_people_pay_for(cost: Cost, expected: str) -> None:
    assert describe_cost(cost) == expected
