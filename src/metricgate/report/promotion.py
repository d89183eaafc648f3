"""Whether a passed gate makes a model the champion: only if it says something about the champion there is.

On the default branch a run compares with the commit before. After a loss, the next run that changes nothing passes, and
would promote the loss. So each version remembers what was lost since the champion of its time.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from metricgate.models.outcome import Verdict
from metricgate.report.regained import Levels, collect_lost_levels, describe_unregained, dump_levels, load_levels
from metricgate.report.value import Report

SINCE_TAG, LOST_TAG = "metricgate.since", "metricgate.lost"
MAX_MEMORY = 5000
_NOTHING = {SINCE_TAG: "unknown"}


@dataclass(frozen=True, kw_only=True)
class Standing:
    """A registered version: its number, its model and commit, and what it remembers."""

    version: str
    commit: str
    digest: str
    tags: Mapping[str, str]


@dataclass(frozen=True, kw_only=True)
class Promotion:
    """Whether the champion moves; if a passed gate does not move it, ``why_not`` says so. ``tags``: what is remembered."""

    moves: bool = False
    why_not: str = ""
    tags: Mapping[str, str]


def decide_promotion(
    report: Report, *, baseline_digest: str, champion: Standing | None, previous: Standing | None
) -> Promotion:
    """Return what a verdict on the default branch means for the champion.

    ``previous`` is the version of the baseline that the run compared with, if that was registered.
    """
    levels = _find_levels(report, baseline_digest, champion, previous)
    passed = report.verdict is Verdict.PASSED
    if champion is None:
        return Promotion(moves=passed, tags=_NOTHING)
    if levels is None:
        return Promotion(why_not=_explain_gap(report, champion) if passed else "", tags=_NOTHING)
    if not passed:
        levels = collect_lost_levels(report, levels, undecided=True)
    unregained = describe_unregained(report, levels)
    if passed and not unregained:
        return Promotion(moves=True, tags=_NOTHING)
    why_not = (
        f"The champion stays version {champion.version}: the gate passed, but only against what had lost before "
        f"({'; '.join(unregained)})."
    )
    memory = dump_levels(levels)
    if len(memory) > MAX_MEMORY:
        return Promotion(why_not=why_not if passed else "", tags=_NOTHING)
    return Promotion(why_not=why_not if passed else "", tags={SINCE_TAG: champion.version, LOST_TAG: memory})


def _find_levels(
    report: Report, baseline_digest: str, champion: Standing | None, previous: Standing | None
) -> Levels | None:
    """Return what the baseline had lost since the champion; None if no run says so."""
    if champion is None:
        return {}
    commit = (report.baseline.revision if report.baseline else None) or ""
    if commit and commit == champion.commit:
        return {}
    if baseline_digest and baseline_digest == champion.digest:
        return {}
    if previous is not None and previous.tags.get(SINCE_TAG) == champion.version:
        return load_levels(previous.tags.get(LOST_TAG, ""))
    return None


def _explain_gap(report: Report, champion: Standing) -> str:
    compared = (report.baseline.revision if report.baseline else None) or "nothing"
    return (
        f"The champion stays version {champion.version}: the gate passed against {compared[:9]}, and no run says how "
        f"that compares with the champion ({champion.commit[:9] or 'without a commit'}). Run the gate on the default "
        "branch with the input `baseline: mlflow:MODEL@champion`."
    )
