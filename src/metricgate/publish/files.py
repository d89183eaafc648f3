"""The report folder: report.md, report.html, report.json, metricgate.prom and the charts, light and dark."""

import logging
import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from metricgate.processes.safe_files import make_folder, replace_file
from metricgate.publish.trained_at import read_trained_at
from metricgate.report.figures import draw_chart
from metricgate.report.value import Report

log = logging.getLogger(__name__)

_UNSAFE = re.compile(r"[^A-Za-z0-9._-]")


@dataclass(frozen=True, kw_only=True)
class ReportFiles:
    """Where the views of a report were written; ``charts`` maps a chart's name to its light and its dark picture."""

    markdown: Path
    html: Path
    json: Path
    metrics: Path
    charts: Mapping[str, tuple[Path, Path]]


def write_report(
    report: Report,
    directory: Path,
    *,
    labels: Mapping[str, str] | None = None,
    now: Callable[[], float] = time.time,
) -> ReportFiles:
    """Write every view of ``report`` below ``directory``, which Git then ignores. A broken chart is left out.

    ``labels`` tell this run's metrics from those of other repositories and branches.
    """
    from metricgate.report.formats.exposition import Occurrence, render_exposition  # noqa: PLC0415
    from metricgate.report.formats.html import render_preview  # noqa: PLC0415  # markdown-it and nh3
    from metricgate.report.formats.markdown import render_summary  # noqa: PLC0415

    for folder in (directory, directory / "logs", directory / "charts"):
        make_folder(folder)
    # `git add --all` and DVC in a later step also skip the folder.
    ignored = directory / ".gitignore"
    if ignored.is_symlink() or not ignored.exists():  # never over a file that a person wrote
        _write(ignored, "*\n")
    charts = _draw_charts(report, directory)
    files = ReportFiles(
        markdown=directory / "report.md",
        html=directory / "report.html",
        json=directory / "report.json",
        metrics=directory / "metricgate.prom",
        charts=charts,
    )
    text = report.model_dump_json(indent=2) + "\n"
    _write(files.json, text)
    _write_proof(report, text, directory)
    _write(files.markdown, render_summary(report))
    ended_at = now()
    when = Occurrence(ended_at=ended_at, trained_at=read_trained_at(report, ended_at))
    _write(files.metrics, render_exposition(report, when, labels or {"setup": report.id}))
    _write(files.html, render_preview(report, read_pictures(report, directory)))
    return files


def _write_proof(report: Report, text: str, directory: Path) -> None:
    """Write the statement about this report; one of an earlier run must not be signed in its place."""
    from metricgate.report.formats.statement import PREDICATE, STATEMENT, render_proof  # noqa: PLC0415

    for name in (PREDICATE, STATEMENT):
        (directory / name).unlink(missing_ok=True)
    for name, content in render_proof(report, text.encode()).items():
        _write(directory / name, content)


def _write(path: Path, text: str) -> None:
    replace_file(path, text.encode())


def chart_files(report: Report, directory: Path) -> dict[str, tuple[Path, Path]]:
    """Return the paths of each chart's pictures in a report folder, light and dark."""
    # A name is never a path: a publishing job reads the report from an artifact.
    stems = {chart.name: _UNSAFE.sub("_", chart.name)[:80].lstrip(".") or "chart" for chart in report.charts}
    folder = directory / "charts"
    return {name: (folder / f"{stem}.png", folder / f"{stem}-dark.png") for name, stem in stems.items()}


def read_pictures(report: Report, directory: Path) -> dict[str, tuple[bytes, bytes]]:
    """Return the pictures in a report folder, light and dark; a chart without both is left out."""
    return {
        name: (light.read_bytes(), dark.read_bytes())
        for name, (light, dark) in chart_files(report, directory).items()
        if light.is_file() and dark.is_file()
    }


def _draw_charts(report: Report, directory: Path) -> dict[str, tuple[Path, Path]]:
    drawn = {}
    for chart in report.charts:
        files = chart_files(report, directory)[chart.name]
        try:
            light, dark = draw_chart(chart, "light"), draw_chart(chart, "dark")
        except Exception:  # whatever Matplotlib raises: a chart never costs the report
            log.warning("The chart %r could not be drawn and is left out.", chart.name, exc_info=True)
            continue
        for file, data in zip(files, (light, dark), strict=True):
            replace_file(file, data)
        drawn[chart.name] = files
    return drawn
