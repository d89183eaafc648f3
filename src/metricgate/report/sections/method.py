"""How this was measured, what it can catch, and how to repeat it."""

from metricgate.models.snapshot import RevisionInfo, Source
from metricgate.report.document import DocumentPart, fold
from metricgate.report.escape import code_block, code_span, escape_sentence
from metricgate.report.number_format import format_count, format_level, plural
from metricgate.report.sections.context_line import link_revision
from metricgate.report.sections.watch_method import describe_watching
from metricgate.report.value import Pairing, Report
from metricgate.report.view_context import ViewContext

RANK = 2
SOURCES = {
    Source.GIT: "results as committed in Git",
    Source.DVC_CACHE: "results from the DVC cache",
    Source.DVC_REMOTE: "results from the DVC remote",
    Source.STORED: "results stored by an earlier run on the default branch",
    Source.EARLIER: "results of an earlier run with the same inputs",
    Source.REPRODUCED: "its pipeline was run for this comparison",
    Source.WORKSPACE: "results as found in the checkout",
    Source.FILE: "a file",
    Source.MLFLOW: "predictions of an MLflow run",
}


def method_section(report: Report, context: ViewContext) -> DocumentPart:
    """Return the folded section; it is short, so it is shown whole or not at all."""
    lines = [f"- {line}" for line in describe_method(report, context)]
    local = f"The same comparison on your machine:\n\n{code_block(report.reproduce)}" if report.reproduce else ""
    summary = "How this was measured, what it can catch, and how to run it on your machine"
    drawn = fold(summary, "\n".join(lines), local) if lines or local else ""
    return DocumentPart(name="how this was measured", rank=RANK, draw=lambda count: drawn if count else "")


def describe_method(report: Report, context: ViewContext) -> list[str]:
    """Return the lines as Markdown."""
    if report.watch and report.watch.features:
        return describe_watching(report)
    ends = [
        f"{name}: {link_revision(info, context)}; {_describe_source(info)}"
        for name, info in (("Baseline", report.baseline), ("Candidate", report.candidate))
        if info
    ]
    rows = [_describe_pairing(pairing) for pairing in report.pairings]
    power = [escape_sentence(report.power[:1].upper() + report.power[1:])] if report.power else []
    return [*ends, *rows, *_describe_intervals(report), *power]


def _describe_source(info: RevisionInfo) -> str:
    made = (
        [f"produced {escape_sentence(info.made)}; delete `.metricgate/results` to run the pipeline again"]
        if info.made
        else []
    )
    parts = [SOURCES[info.source], *made, *(escape_sentence(text) for text in (info.reason, info.stale) if text)]
    return "; ".join(parts)


def _describe_pairing(pairing: Pairing) -> str:
    name = f"Rows of {code_span(pairing.set)}: " if pairing.set else "Rows: "
    how = "joined by id" if pairing.method == "id" else "joined by their order in the file; the labels agree"
    rows = f"{name}both models are judged on the same {plural(pairing.rows, 'row')} of {code_span(pairing.path)}, {how}"
    twice = f"; {format_count(pairing.duplicates)} of them are duplicates" if pairing.duplicates else ""
    notes = "".join(f" {escape_sentence(note, 400)}" for note in pairing.notes)
    return f"{rows}{twice}.{notes}"


def _describe_intervals(report: Report) -> list[str]:
    measured = [gate for gate in report.gates if gate.low is not None or gate.high is not None]
    if not measured:
        return []
    methods = "; ".join(sorted({escape_sentence(gate.method, 60) for gate in measured if gate.method}))
    level = (
        f"The intervals are paired, at {format_level(report.confidence)} confidence{f' ({methods})' if methods else ''}"
    )
    wide = any(gate.simultaneous_low is not None or gate.simultaneous_high is not None for gate in measured)
    joint = "; a gate fails only by a wider bound that holds for all gates at once" if wide else ""
    scope = "They apply to this trained model: training again with another seed can change the results by more."
    return [f"{level}{joint}. {scope}"]
