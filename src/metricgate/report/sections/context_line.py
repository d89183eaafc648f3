"""The line under the headline: what was compared with what, on how many rows, at what cost."""

import re

from metricgate.models.snapshot import RevisionInfo
from metricgate.report.escape import code_span, escape_sentence
from metricgate.report.number_format import format_bytes, format_count, format_seconds, plural
from metricgate.report.sections.earlier_runs import count_attempts
from metricgate.report.value import Cost, Pairing, Report, Timing
from metricgate.report.view_context import ViewContext

COMMITTED = "as committed, not reproduced"
_SHA = re.compile(r"[0-9a-f]{40}([0-9a-f]{24})?")


def describe_context(report: Report, context: ViewContext) -> str:
    """Return one line of Markdown; empty where nothing is known."""
    return " · ".join(list_context(report, context))


def list_context(report: Report, context: ViewContext) -> list[str]:
    """Return the parts of the line, each Markdown."""
    attempts = count_attempts(report, context)
    parts = (
        describe_revisions(report, context),
        *map(describe_pairing, report.pairings[:3]),
        f"attempt {attempts} on this test set" if attempts > 1 else "",
        escape_sentence(describe_reuse(report)) or describe_stages(report),
        "" if report.enforced else "does not block: `enforce: false`",
    )
    return [part for part in parts if part]


def describe_revisions(report: Report, context: ViewContext) -> str:
    ends = (report.baseline, report.candidate)
    return " → ".join(link_revision(end, context) for end in ends if end)


def link_revision(info: RevisionInfo, context: ViewContext) -> str:
    """Return a revision's name and its short commit, linked where the context has an address for it."""
    commit = info.revision if info.revision and _SHA.fullmatch(info.revision) else None
    if commit is None:
        return code_span(info.name)
    short = f"`{commit[:7]}`"
    linked = f"[{short}]({context.repository_url}/commit/{commit})" if context.repository_url else short
    is_named_by_commit = len(info.name) >= len(commit[:7]) and commit.startswith(info.name)
    named = linked if is_named_by_commit else f"{code_span(info.name)} {linked}"
    return f"{named} with uncommitted changes" if info.dirty else named


def describe_pairing(pairing: Pairing) -> str:
    """Return the rows of one prediction set: ``1,409 test rows (374 positive), the same on both sides``."""
    name = f"{code_span(pairing.set)}: " if pairing.set else ""
    positives = f" ({format_count(pairing.positives)} positive)" if pairing.positives is not None else ""
    return f"{name}{count_test_rows(pairing)}{positives}, {_describe_sides(pairing)}"


def count_test_rows(pairing: Pairing) -> str:
    """Return how many rows are compared, in plain text: ``1,409 test rows``, or ``60 questions (180 and 300 answers)``."""
    if not pairing.format:
        return plural(pairing.rows, "test row")
    one, other = pairing.baseline_answers, pairing.candidate_answers
    if one == other == pairing.rows or one is None or other is None:
        return plural(pairing.rows, "question")
    answers = (
        f"{format_count(one)} answers each"
        if one == other
        else f"{format_count(one)} and {format_count(other)} answers"
    )
    return f"{plural(pairing.rows, 'question')} ({answers})"


def _describe_sides(pairing: Pairing) -> str:
    if pairing.rows == pairing.baseline_rows == pairing.candidate_rows and not pairing.test_set_changed:
        return "the same on both sides"
    if pairing.fresh:
        return f"{format_count(pairing.fresh)} of them fresh for both models"
    baseline, candidate = format_count(pairing.baseline_rows), format_count(pairing.candidate_rows)
    return f"common to both sides (baseline {baseline}, candidate {candidate})"


def describe_reuse(report: Report) -> str:
    """Return in plain text that the pipeline was not run again because an earlier run had the same inputs."""
    made = report.candidate.made if report.candidate else ""
    return f"not run again: same inputs as the run of {made}, whose results are used" if made else ""


def describe_timing(timing: Timing) -> str:
    """Return the run's last line in plain text: how long training took, and how much time reuse saved."""
    parts = [f"trained {format_seconds(timing.trained)}" if timing.trained else "trained nothing"]
    if timing.reused:
        parts.append(f"reused {format_seconds(timing.reused)}")
    return ", ".join(parts)


def describe_cost(cost: Cost) -> str:
    """Return in plain text what the run cost: ``3 min 05 s of CPU time, 120 MB pulled, 1,200,000 tokens``."""
    pulled = f"{format_bytes(cost.pulled_bytes)} pulled" if cost.pulled_bytes else "nothing pulled"
    tokens = [plural(cost.tokens, "token")] if cost.tokens is not None else []
    return ", ".join([f"{format_seconds(cost.cpu_seconds)} of CPU time", pulled, *tokens])


def describe_stages(report: Report) -> str:
    """Return what was trained and what was reused, and how long it took."""
    stages = report.candidate_stages
    seconds = sum(stage.seconds or 0.0 for stage in stages if stage.state == "ran")
    took = f" in {format_seconds(seconds)}" if seconds else ""
    ran = sum(stage.state == "ran" for stage in stages)
    reused = sum(stage.state in {"cached", "restored"} for stage in stages)
    parts = [f"ran {ran} of {plural(len(stages), 'stage')}{took}"] if ran else []
    if reused:
        parts.append(f"{reused} reused" if parts else f"{plural(reused, 'stage')} reused, none ran")
    if report.not_reproduced:
        parts.append(f"{_name_believed(report)} {COMMITTED}" if parts else COMMITTED)
    elif stages and not parts:
        parts.append("no stage ran" if _edits_pipeline(report) else "pipeline unchanged")
    return ", ".join(parts)


def _name_believed(report: Report) -> str:
    first, *others = report.not_reproduced
    return f"{code_span(first.what)}{f' and {len(others)} more' if others else ''}"


def _edits_pipeline(report: Report) -> bool:
    edited = {"pipeline_changed", "own_policy_changed", "evaluation_changed", "environment_changed", "settings_changed"}
    edited |= {"evaluation_parameters_changed", "hidden_code_changed"}
    return any(change.kind not in {"package", "file"} for change in report.changes) or any(
        warning.code in edited for warning in report.warnings
    )
