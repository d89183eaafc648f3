"""Write docs/screenshots: the page of every kind of report on a phone and a desktop, light and dark. Needs Chromium."""

import io
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import numpy as np
from PIL import Image

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))

from metricgate.models.samples import Sample, SamplePair  # noqa: E402
from metricgate.report.figures import draw_chart  # noqa: E402
from metricgate.report.figures.forest import build_forest  # noqa: E402
from metricgate.report.figures.task_charts import build_charts  # noqa: E402
from metricgate.report.formats.html import render_preview  # noqa: E402
from metricgate.report.value import Report  # noqa: E402
from tests.report import reports  # noqa: E402
from tests.report.chromium import Browser, start_browser  # noqa: E402

FOLDER = ROOT / "docs" / "screenshots"
WINDOWS = {"phone": (420, 1.5), "desktop": (1280, 1.0)}
SCHEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")
HEIGHT = 1300  # CSS pixels; only folded sections lie further down
COLOURS = 256


def make_cases() -> Iterator[tuple[str, Report]]:
    """Yield the reports by file name."""
    yield "no-change", reports.make_unchanged_report()
    yield "passed", with_charts(reports.make_passed_report(), noise=1.3)
    yield "failed", with_charts(reports.make_report(metrics=reports.make_slice_metrics(), hints=()), noise=1.8)
    yield "inconclusive", with_charts(reports.make_doubtful_report(), noise=1.4)
    yield "error", reports.make_error_report()
    yield "would-block", reports.make_report(enforced=False, exit_code=0, hints=())
    yield "skipped", reports.make_skipped_report()
    yield "metrics-only", reports.make_numbers_report()
    yield "2000-metrics", reports.make_many_metrics_report()


def with_charts(report: Report, *, noise: float) -> Report:
    """Return the report with the charts of a made-up test set, drawn with a fixed seed."""
    rng = np.random.default_rng(20)
    label = (rng.random(1409) < 374 / 1409).astype(np.int64)

    def score(spread: float) -> Sample:
        scores = 1 / (1 + np.exp(-(2.4 * label - 1.8 + rng.normal(0, spread, label.size))))
        prediction = (scores >= 0.5).astype(np.int64)
        return Sample(
            task="binary", rows=label.size, label=label, prediction=prediction, scores=scores, classes=("No", "Yes")
        )

    forest = build_forest(report.gates)
    charts = build_charts(SamplePair(baseline=score(1.2), candidate=score(noise)))
    return report.model_copy(update={"charts": (*((forest,) if forest else ()), *charts)})


def write_case(browser: Browser, name: str, report: Report, page: Path) -> None:
    """Write the four screenshots of one report."""
    pictures = {chart.name: (draw_chart(chart, "light"), draw_chart(chart, "dark")) for chart in report.charts}
    page.write_text(render_preview(report, pictures), encoding="utf-8")
    for window, (width, density) in WINDOWS.items():
        for scheme in SCHEMES:
            browser.open(page.as_uri(), width=width, scheme=scheme, density=density)
            path = FOLDER / f"{name}-{window}-{scheme}.png"
            path.write_bytes(shrink(browser.screenshot(HEIGHT)))
            print(f"{path.relative_to(ROOT)}: {path.stat().st_size:,} bytes")


def shrink(picture: bytes) -> bytes:
    """Return the picture with a palette; screenshots have few colours."""
    buffer = io.BytesIO()
    image = Image.open(io.BytesIO(picture)).convert("RGB")
    image.quantize(COLOURS, kmeans=3, dither=Image.Dither.NONE).save(buffer, "PNG", optimize=True)
    return buffer.getvalue()


def main() -> None:
    FOLDER.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder, start_browser() as browser:
        for name, report in make_cases():
            write_case(browser, name, report, Path(folder) / "report.html")


if __name__ == "__main__":
    main()
