"""Prints what the calibration suite measured as the Markdown tables of docs/statistics.md."""

import json
from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any

from tests.stats.calibration.coverage import MIN_JUDGED

TABLES = ("coverage", "hard", "families", "drift", "resampled", "clusters", "looks", "seeds")
COVERAGE, HARD, FAMILIES, DRIFT, RESAMPLED, CLUSTERS, LOOKS, SEEDS = (f"calibration-{table}" for table in TABLES)


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Print the tables once all workers have reported."""
    reports = [report for kind in ("passed", "failed") for report in terminalreporter.getreports(kind)]
    properties = [item for report in reports if report.when == "call" for item in report.user_properties]
    for line in format_tables([(name, str(text)) for name, text in properties if name.startswith("calibration-")]):
        terminalreporter.write_line(line)


def format_tables(properties: Sequence[tuple[str, str]]) -> list[str]:
    """Lay out everything that was recorded, each record a list of rows as JSON."""
    rows: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for name, text in properties:
        rows[name] += json.loads(text)
    lines = format_coverage(rows[COVERAGE]) if rows[COVERAGE] else []
    lines += format_hard(rows[HARD]) if rows[HARD] else []
    lines += format_families(rows[FAMILIES]) if rows[FAMILIES] else []
    lines += format_drift(rows[DRIFT])
    lines += format_resampled(rows[RESAMPLED]) if rows[RESAMPLED] else []
    lines += format_clusters(rows[CLUSTERS]) if rows[CLUSTERS] else []
    lines += format_looks(rows[LOOKS]) if rows[LOOKS] else []
    return lines + (format_seeds(rows[SEEDS]) if rows[SEEDS] else [])


def format_drift(rows: Iterable[dict[str, Any]]) -> list[str]:
    """Lay out the tables of drift, whose rows bring their own heading."""
    tables: dict[tuple[str, ...], list[list[str]]] = defaultdict(list)
    for row in rows:
        tables[tuple(row["header"])].append(row["cells"])
    lines: list[str] = []
    for header, cells in tables.items():
        lines += ["", f"| {' | '.join(header)} |", f"|{'---|' * len(header)}"]
        lines += [f"| {' | '.join(row)} |" for row in cells]
    return lines


def format_coverage(rows: Iterable[dict[str, Any]]) -> list[str]:
    """Lay out coverage by kind of test set and metric: the range over settings for each number of rows."""
    kinds: dict[str, dict[str, list[dict[str, Any]]]] = defaultdict(lambda: defaultdict(list))
    for row in rows:
        kinds[row["kind"]][row["metric"]].append(row)
    lines: list[str] = []
    for kind in sorted(kinds):
        lines += [
            "",
            f"### {kind}",
            "",
            "| Metric | The 95 % interval covers | wrongly passed | wrongly failed | judged |",
        ]
        lines += ["|---|---|--:|--:|--:|"]
        lines += [_format_metric(metric, kinds[kind][metric]) for metric in sorted(kinds[kind])]
    return lines


def _format_metric(metric: str, rows: list[dict[str, Any]]) -> str:
    judged = [row for row in rows if row["judged"] >= MIN_JUDGED]
    least = min(row["judged"] for row in rows)
    if not judged:
        return f"| `{metric}` | hardly ever judged: skipped or undecided | | | {least:.0%} |"
    cells = []
    for size in sorted({row["rows"] for row in judged}):
        covered = [row["covered"] for row in judged if row["rows"] == size]
        low, high = f"{100 * min(covered):.1f}", f"{100 * max(covered):.1f} %"
        cells.append(f"n = {size:,}: {low} to {high}" if len(covered) > 1 else f"n = {size:,}: {high}")
    passed, failed = (max(row[key] for row in judged) for key in ("passed_wrongly", "failed_wrongly"))
    return f"| `{metric}` | {'; '.join(cells)} | {100 * passed:.1f} % | {100 * failed:.1f} % | {least:.0%} |"


def format_hard(rows: Iterable[dict[str, Any]]) -> list[str]:
    """Lay out the settings that break intervals: error rates of all test sets, and what harmless changes pay."""
    lines = ["", "### Few differing rows, few positives, heavy tails, groups", ""]
    lines += [
        "| Setting | Metric | wrongly passed | wrongly failed | judged | harmless changes that pass, without the rule |"
    ]
    lines += ["|---|---|--:|--:|--:|--:|"]
    for row in sorted(rows, key=lambda row: str(row["setting"])):
        wrong = " | ".join(f"{100 * row[key]:.1f} %" for key in ("passed", "failed"))
        harmless = f"{row['harmless']:.0%}, {row['harmless_without']:.0%}"
        lines.append(f"| {row['setting']} | `{row['metric']}` | {wrong} | {row['judged']:.0%} | {harmless} |")
    return lines


def format_families(rows: Iterable[dict[str, Any]]) -> list[str]:
    """Lay out how often a family of gates shows a loss where there is none; halves of a setting are put together."""
    settings: dict[tuple[str, int, float], list[dict[str, Any]]] = defaultdict(list)
    for row in rows:
        settings[row["family"], row["rows"], row["prevalence"]].append(row)
    lines = [
        "",
        "### A pull request that makes nothing worse",
        "",
        "| Family | rows | positive | gates judged | failed |",
    ]
    lines += ["|---|--:|--:|--:|--:|"]
    for (family, size, prevalence), parts in sorted(settings.items()):
        sets = sum(part["test_sets"] for part in parts)
        judged, failed = (sum(part[key] * part["test_sets"] for part in parts) / sets for key in ("judged", "failed"))
        lines.append(f"| {family} | {size:,} | {100 * prevalence:.1f} % | {judged:.0f} | {100 * failed:.1f} % |")
    return lines


def format_seeds(rows: Sequence[dict[str, Any]]) -> list[str]:
    """Lay out how often each policy blocks a pull request that only changes the seed."""
    policies = list(rows[0]["shares"])
    lines = ["", "### Only the seed changes", "", f"| Model | {' | '.join(policies)} |"]
    lines += [f"|---|{'--:|' * len(policies)}"]
    for row in sorted(rows, key=lambda row: str(row["model"])):
        cells = " | ".join(f"{100 * row['shares'][policy]:.1f} %" for policy in policies)
        lines.append(f"| {row['model']} | {cells} |")
    return lines


def format_resampled(rows: Iterable[dict[str, Any]]) -> list[str]:
    """Lay out how often either method misses, on the same test sets."""
    lines = ["", "### The percentile bootstrap of the joint table, and our interval, on the same test sets", ""]
    lines += ["| Setting | Metric | percentile: wrongly passed, wrongly failed | ours | width, ours to percentile |"]
    lines += ["|---|---|--:|--:|--:|"]
    for row in sorted(rows, key=lambda row: (row["setting"], row["rows"], row["metric"])):
        cells = [", ".join(f"{100 * share:.1f} %" for share in row[method]) for method in ("percentile", "ours")]
        setting = f"{row['setting']}, n = {row['rows']:,}"
        lines.append(f"| {setting} | `{row['metric']}` | {cells[0]} | {cells[1]} | {row['width']:.2f} |")
    return lines


def format_clusters(rows: Iterable[dict[str, Any]]) -> list[str]:
    """Lay out how often either method misses with few groups, on the same test sets."""
    lines = ["", "### Few groups: ours, and Bell & McCaffrey's, on the same test sets", ""]
    lines += ["| Setting | ours: above, below | judged | Bell & McCaffrey: above, below | width, ours to theirs |"]
    lines += ["|---|--:|--:|--:|--:|"]
    for row in sorted(rows, key=lambda row: str(row["setting"])):
        ours, theirs = (", ".join(f"{100 * share:.1f} %" for share in row[method]) for method in ("ours", "theirs"))
        lines.append(f"| {row['setting']} | {ours} | {row['judged']:.0%} | {theirs} | {row['width']:.2f} |")
    return lines


def format_looks(rows: Iterable[dict[str, Any]]) -> list[str]:
    """Lay out how often at least one of several attempts passes that all lose what is allowed."""
    lines = ["", "### Several attempts on one test set, each at the margin", ""]
    lines += ["| attempts | at least one passes | the report says: at most |", "|--:|--:|--:|"]
    return lines + [f"| {row['attempts']} | {row['passed']:.1%} | {row['shown']:.1%} |" for row in rows]
