"""Prints what the calibration suite measured as the Markdown tables of docs/statistics.md."""

import json
from collections import defaultdict
from collections.abc import Iterable
from typing import Any

PROPERTY = "calibration"
OTHER_TABLES = "calibration-line"


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Print the tables once all workers have reported."""
    reports = [report for kind in ("passed", "failed") for report in terminalreporter.getreports(kind)]
    properties = [item for report in reports if report.when == "call" for item in report.user_properties]
    rows = [row for name, text in properties if name == PROPERTY for row in json.loads(str(text))]
    lines = sorted(str(text) for name, text in properties if name == OTHER_TABLES)
    if rows:
        terminalreporter.write_line("")
        for line in format_coverage(rows):
            terminalreporter.write_line(line)
    for line in lines:
        terminalreporter.write_line(line)


def format_coverage(rows: Iterable[dict[str, Any]]) -> list[str]:
    """Lay out coverage by family of settings and metric: the range over settings for each number of rows."""
    families: dict[str, dict[str, list[dict[str, Any]]]] = defaultdict(lambda: defaultdict(list))
    for row in rows:
        families[_name_family(row["setting"])][row["metric"]].append(row)
    lines: list[str] = []
    for family in sorted(families):
        lines += [
            "",
            f"**{family}**",
            "",
            "| Metric | 95 % interval covers, by rows | wrongly passed, at most | wrongly failed, at most | judged |",
            "|---|---|--:|--:|--:|",
        ]
        lines += [_format_metric(metric, families[family][metric]) for metric in sorted(families[family])]
    return lines


def _name_family(setting: str) -> str:
    return setting.rsplit(", ", 1)[0] if setting.endswith(("equal", "unequal")) else setting


def _format_metric(metric: str, rows: list[dict[str, Any]]) -> str:
    judged = [row for row in rows if row["judged"] >= 0.05]
    least = min(row["judged"] for row in rows)
    if not judged:
        return f"| {metric} | never judged: skipped or inconclusive | | | {least:.0%} |"
    cells = []
    for size in sorted({row["rows"] for row in judged}):
        covered = [row["covered"] for row in judged if row["rows"] == size]
        low, high = f"{min(covered):.1%}", f"{max(covered):.1%}"
        cells.append(f"{size:,}: {low if low == high else f'{low} to {high}'}")
    passed, failed = (max(row[key] for row in judged) for key in ("passed_wrongly", "failed_wrongly"))
    return f"| {metric} | {'; '.join(cells)} | {passed:.1%} | {failed:.1%} | {least:.0%} |"
