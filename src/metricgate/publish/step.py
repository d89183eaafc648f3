"""What the runner takes from a step: job summary, annotations, outputs and state."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from metricgate.errors import MetricgateError
from metricgate.models.outcome import Outcome, Verdict
from metricgate.publish.annotations import Annotation, render_annotations
from metricgate.publish.outputs import append_pairs
from metricgate.publish.summary import append_summary
from metricgate.report.escape import code_block, escape_sentence
from metricgate.report.headline import headline
from metricgate.report.value import Report

_LEVELS: Mapping[Verdict, Literal["error", "warning"]] = {
    Verdict.FAILED: "error",
    Verdict.ERROR: "error",
    Verdict.CANCELLED: "error",
    Verdict.INCONCLUSIVE: "warning",
}


@dataclass(frozen=True)
class Step:
    """One step of a job. ``emit`` writes a line to standard output; outside of GitHub there are no files to write."""

    environ: Mapping[str, str]
    emit: Callable[[str], None] = print

    def write_summary(self, markdown: str, notices: Sequence[str]) -> None:
        """Append to the job summary, and below it what could not be published; both are Markdown already."""
        file = self.environ.get("GITHUB_STEP_SUMMARY")
        if file:
            said = "".join(f"\n> [!NOTE]\n{_quote(notice)}\n" for notice in notices)
            append_summary(Path(file), markdown.rstrip("\n") + "\n" + said)

    def annotate(self, report: Report, title: str) -> None:
        """Say the verdict beside the run, unless it is good."""
        level = _LEVELS.get(report.verdict)
        if level is None or self.environ.get("GITHUB_ACTIONS") != "true":
            return
        text = headline(report)
        if report.failure:
            text = f"{text}\n{report.failure.what} Expected: {report.failure.expected} What to do: {report.failure.fix}"
        blocking = [gate for gate in report.gates if gate.outcome in (Outcome.FAILED, Outcome.ERROR)]
        annotations = [Annotation(level=level, title=title, message=text)]
        if len(blocking) > 1:  # a single one is the headline
            annotations += [Annotation(level="error", title=gate.rule, message=gate.reason) for gate in blocking]
        for line in render_annotations(annotations):
            self.emit(line)

    def write_outputs(self, report: Report, directory: Path, *, comment_url: str, check_url: str) -> None:
        """Write what later steps may use; the report folder relative to the repository, as the host has another path."""
        workspace = Path(self.environ.get("GITHUB_WORKSPACE", "."))
        folder = directory.relative_to(workspace) if directory.is_relative_to(workspace) else directory
        self._append(
            "GITHUB_OUTPUT",
            {
                "verdict": report.verdict.value,
                "report": folder.as_posix(),
                "comment-url": comment_url,
                "check-url": check_url,
                "baseline-sha": (report.baseline.revision or "") if report.baseline else "",
            },
        )

    def explain(self, error: MetricgateError) -> None:
        """Say why there is no report, in the log and in the summary; there is nothing else to look at."""
        if self.environ.get("GITHUB_ACTIONS") == "true":
            message = f"{error}\nMore: {error.help_url}"
            for line in render_annotations([Annotation(level="error", title="MetricGate", message=message)]):
                self.emit(line)
        parts = (
            f"## ❌ MetricGate could not start: {escape_sentence(error.title)}",
            escape_sentence(error.what),
            f"**Expected:** {escape_sentence(error.expected)}",
            f"**What to do:**\n\n{code_block(error.fix)}",
            f"[The longer answer]({error.help_url})",
        )
        self.write_summary("\n\n".join(parts), ())

    def keep(self, name: str, value: str) -> None:
        """Keep a value for this action's post step, which gets it as STATE_<name>."""
        self._append("GITHUB_STATE", {name: value})

    def _append(self, variable: str, pairs: Mapping[str, str]) -> None:
        file = self.environ.get(variable)
        if file:
            append_pairs(Path(file), pairs)


def _quote(text: str) -> str:
    return "\n".join(f"> {line}".rstrip() for line in text.splitlines())
