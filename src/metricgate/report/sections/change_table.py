"""What changed between the revisions: parameters, source files, data, packages, stages."""

from metricgate.models.result import Change
from metricgate.models.snapshot import Stage
from metricgate.report.document import DocumentPart, draw_table, fold
from metricgate.report.escape import code_span, escape_sentence
from metricgate.report.number_format import NONE, format_seconds, plural
from metricgate.report.value import Report

RANK = 4
NOUNS = {
    "parameter": "parameter",
    "source": "source file",
    "data": "data file",
    "package": "package",
    "file": "other file",
}
KINDS = tuple(NOUNS)
STATES = {
    "ran": "ran",
    "cached": "reused",
    "restored": "restored",
    "unchanged": "unchanged",
    "committed": "as committed, not reproduced",
}
MAX_STAGES = 20
MAX_NAMES = 3


def change_section(report: Report) -> DocumentPart:
    """Return the folded table of changes, parameters and sources first, and what happened to each stage."""
    ordered = sorted(report.changes, key=lambda change: KINDS.index(change.kind))
    summary = f"What changed: {summarise_changes(ordered)}"
    stages = _describe_stages(report.candidate_stages)

    def draw(count: int) -> str:
        if not count or not (ordered or stages):
            return ""
        rows = [_draw_change(change) for change in ordered[:count]]
        table = draw_table(("", "Name", "Baseline", "Candidate"), rows, "llll") if rows else ""
        return fold(summary, table, stages)

    return DocumentPart(name="changes", rank=RANK, size=max(1, len(ordered)), draw=draw)


def summarise_changes(changes: list[Change]) -> str:
    """Return how many of each kind: ``2 parameters, 1 source file``."""
    counts = [(NOUNS[kind], sum(change.kind == kind for change in changes)) for kind in KINDS]
    return ", ".join(plural(count, noun) for noun, count in counts if count) or "nothing the pipeline depends on"


def name_changes(report: Report) -> str:
    """Return a line of Markdown with the first names of each kind that the pipeline depends on; empty without any."""
    parts = []
    for kind in ("source", "data", "parameter", "file"):
        names = [change.name for change in report.changes if change.kind == kind]
        if names:
            parts.append(f"{plural(len(names), NOUNS[kind])} ({_list_first(names)})")
    feeding = [change.name for change in report.changes if change.kind == "source" and change.details]
    note = f". Feeds the rows that are judged: {_list_first(feeding)}" if feeding else ""
    return f"Changed: {', '.join(parts)}{note}" if parts else ""


def _list_first(names: list[str]) -> str:
    more = ", …" if len(names) > MAX_NAMES else ""
    return f"{', '.join(map(code_span, names[:MAX_NAMES]))}{more}"


def _draw_change(change: Change) -> tuple[str, ...]:
    details = f"<br>{escape_sentence(change.details, 120)}" if change.details else ""
    return (
        NOUNS[change.kind],
        f"{code_span(change.name)}{details}",
        _draw_value(change.before),
        _draw_value(change.after),
    )


def _draw_value(text: str | None) -> str:
    return NONE if text is None else code_span(text)


def _describe_stages(stages: tuple[Stage, ...]) -> str:
    if not stages or all(stage.state in {"unchanged", "unknown"} for stage in stages):
        return ""
    shown = ", ".join(_describe_stage(stage) for stage in stages[:MAX_STAGES])
    more = f", and {plural(len(stages) - MAX_STAGES, 'more stage')}" if len(stages) > MAX_STAGES else ""
    return f"Stages: {shown}{more}."


def _describe_stage(stage: Stage) -> str:
    took = f" in {format_seconds(stage.seconds)}" if stage.seconds and stage.state == "ran" else ""
    return f"{code_span(stage.name)} {STATES.get(stage.state, '')}{took}".rstrip()
