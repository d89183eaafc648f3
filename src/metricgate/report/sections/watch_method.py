"""How the watched features were measured, and what the words mean."""

from metricgate.report.escape import code_span, escape_sentence
from metricgate.report.number_format import format_level, plural
from metricgate.report.value import Report

WORDS = (
    "**Drifted**: a shift beyond what is allowed is shown. **Stable**: such a shift is ruled out. **Inconclusive**: the "
    "rows are too few for either. No p-value decides."
)
POINTS = (
    "Points of rows moved: for numbers the largest change of the share of rows below any value (Kolmogorov-Smirnov "
    "distance), for categories the largest change of the share of any set of them (total variation)."
)


def describe_watching(report: Report) -> list[str]:
    """Return the lines as Markdown."""
    sides = [
        f"{word}: {code_span(info.name)}, {plural(info.rows or 0, 'row')}"
        for word, info in (("Reference", report.baseline), ("Current", report.candidate))
        if info
    ]
    methods = sorted({escape_sentence(gate.method, 60) for gate in report.gates if gate.method})
    level = f"{format_level(report.confidence)} confidence ({'; '.join(methods)})" if methods else ""
    bounds = (
        f"The rows differ on both sides, so the intervals are unpaired, at {level}; a word is given by wider bounds "
        f"that hold for all {len(report.gates):,} effects at once. They assume rows that do not depend on each other."
    )
    return [*sides, WORDS, POINTS, *([bounds] if methods else [])]
