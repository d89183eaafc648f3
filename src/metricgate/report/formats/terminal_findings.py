"""The watched features as lines of a terminal."""

from metricgate.models.outcome import Outcome
from metricgate.report.escape import clean, plain_name
from metricgate.report.number_format import plural
from metricgate.report.value import Report
from metricgate.report.watch_words import WORDS, FeatureFinding, list_findings

MAX_LINES = 40
WIDTH = 12  # of the longest word


def draw_findings(report: Report) -> list[tuple[Outcome, str]]:
    """Return one line for each feature that is not stable, and one for all that are; each with its outcome."""
    findings = list_findings(report)
    telling = [one for one in findings if one.outcome not in (Outcome.PASSED, Outcome.SKIPPED)]
    size = max((len(plain_name(one.feature.name)) for one in telling[:MAX_LINES]), default=0)
    lines = [(one.outcome, _draw(one, size)) for one in telling[:MAX_LINES]]
    if len(telling) > MAX_LINES:
        lines.append((Outcome.SKIPPED, f"and {plural(len(telling) - MAX_LINES, 'more feature')} in the report"))
    if stable := sum(one.outcome is Outcome.PASSED for one in findings):
        lines.append((Outcome.PASSED, f"{WORDS[Outcome.PASSED]:<{WIDTH}}  {plural(stable, 'feature')}"))
    skipped = [one.feature for one in findings if not one.gates][:MAX_LINES]
    return [*lines, *((Outcome.SKIPPED, f"{plain_name(one.name)}: {clean('; '.join(one.notes))}") for one in skipped)]


def _draw(one: FeatureFinding, size: int) -> str:
    reason = clean(one.telling.reason) if one.telling else ""
    return f"{WORDS[one.outcome]:<{WIDTH}}  {plain_name(one.feature.name):<{size}}  {reason}"
