"""`metricgate report`: any view of a report.json, byte for byte as the run wrote it."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from collections.abc import Callable

    from metricgate.report.value import Report

VIEWS = ("comment", "summary", "html", "terminal", "check", "status", "json")


@click.command(name="report")
@click.argument("report_json", type=click.Path(path_type=Path))
@click.option("--view", type=click.Choice(VIEWS), default="comment", show_default=True, help="Which view to render.")
def command(*, report_json: Path, view: str) -> int:
    """Render a view of REPORT_JSON to standard output. The exit code is 0, whatever the verdict."""
    from metricgate.report.formats.report_json import read_report  # noqa: PLC0415  `--help` stays quick
    from metricgate.settings.selection import read_text_file  # noqa: PLC0415

    report = read_report(read_text_file(report_json, what="report"))
    click.echo(_render(report, view, report_json.parent), nl=False)
    return 0


def _render(report: "Report", view: str, folder: Path) -> str:
    from metricgate.publish.files import read_pictures  # noqa: PLC0415
    from metricgate.report.formats import check_run, html, markdown, terminal  # noqa: PLC0415

    check = check_run.render_check(report)
    views: dict[str, Callable[[], str]] = {
        "comment": lambda: markdown.render_comment(report),
        "summary": lambda: markdown.render_summary(report),
        "html": lambda: html.render_preview(report, read_pictures(report, folder)),
        "terminal": lambda: terminal.render_terminal(report, color=False, width=100) + "\n",
        "check": lambda: f"{check.title}\n\n{check.summary}\n",
        "status": lambda: markdown.render_status(report) + "\n",
        "json": lambda: report.model_dump_json(indent=2) + "\n",
    }
    return views[view]()
