"""Measure a report at scale: the data and the pictures of its charts, and every text view of the largest one.

python scripts/bench_report.py --rows 10000000
"""

import argparse
import resource
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import numpy as np

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from metricgate.models.samples import Sample, SamplePair  # noqa: E402
from metricgate.report.figures import draw_chart  # noqa: E402
from metricgate.report.figures.task_charts import build_charts  # noqa: E402
from metricgate.report.formats.check_run import render_check  # noqa: E402
from metricgate.report.formats.html import render_preview  # noqa: E402
from metricgate.report.formats.markdown import render_comment, render_summary  # noqa: E402
from metricgate.report.formats.report_json import read_report  # noqa: E402
from metricgate.report.formats.terminal import render_terminal  # noqa: E402
from metricgate.report.value import Report  # noqa: E402
from tests.report.reports import make_large_report, make_report  # noqa: E402

MIB = 1024
T = TypeVar("T")


def make_pair(task: str, rows: int) -> SamplePair:
    """Return two models on made-up rows of a binary, multiclass or regression task."""
    rng = np.random.default_rng(1)
    if task == "regression":
        label = rng.gamma(2, 100, rows)
        sides = [
            Sample(task="regression", rows=rows, label=label, prediction=label + rng.normal(0, 20, rows))
            for _ in range(2)
        ]
        return SamplePair(baseline=sides[0], candidate=sides[1])
    classes = 2 if task == "binary" else 20
    label = rng.integers(0, classes, rows)
    prediction = np.where(rng.random(rows) < 0.7, label, rng.integers(0, classes, rows))
    scores = rng.random(rows) * 0.6 + 0.4 * label if task == "binary" else None
    names = tuple(map(str, range(classes)))
    made = Sample(
        task="binary" if task == "binary" else "multiclass",
        rows=rows,
        label=label,
        prediction=prediction,
        scores=scores,
        classes=names,
    )
    return SamplePair(baseline=made, candidate=made)


def measure(what: str, work: Callable[[], T], describe: Callable[[T], str]) -> T:
    """Print how long ``work`` took and what it returned."""
    started = time.perf_counter()
    result = work()
    print(f"{what:<34} {time.perf_counter() - started:7.2f} s  {describe(result)}")
    return result


def measure_charts(rows: int) -> None:
    """Print the time and size of the charts of each task."""
    for task in ("binary", "multiclass", "regression"):
        pair = make_pair(task, rows)
        charts = measure(
            f"{task}: chart data",
            lambda pair=pair: build_charts(pair),
            lambda made: f"{sum(len(chart.model_dump_json()) for chart in made):,} bytes of JSON",
        )
        for chart in charts:
            measure(
                f"{task}: {chart.name}.png",
                lambda chart=chart: draw_chart(chart, "light"),
                lambda made: f"{len(made):,} bytes",
            )
    print(f"{'peak memory':<34} {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / MIB:7.0f} MiB")


def measure_views(name: str, report: Report) -> None:
    """Print the time and size of each view of one report."""
    print(f"\n{name}")
    text = measure("report.json", report.model_dump_json, count_bytes)
    measure("report.json read back", lambda: read_report(text), lambda _: "")
    measure("comment", lambda: render_comment(report), count_bytes)
    measure("check", lambda: render_check(report).summary, count_bytes)
    measure("job summary", lambda: render_summary(report), count_bytes)
    measure("report.html", lambda: render_preview(report), count_bytes)
    measure("terminal", lambda: render_terminal(report, color=True, width=100), count_bytes)


def count_bytes(text: str) -> str:
    return f"{len(text.encode()):,} bytes"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=10_000_000)
    options = parser.parse_args()
    print(f"{options.rows:,} test rows")
    measure_charts(options.rows)
    measure_views("a common report", make_report())
    measure_views("2,000 metrics, 500 slices, 200 parameters, 10,000 data files, long names", make_large_report())


if __name__ == "__main__":
    main()
