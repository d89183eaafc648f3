"""Run a year of retraining in front of the fake GitHub, and draw it for docs/retraining.md: minutes.

python scripts/retraining_year.py [FOLDER]     FOLDER: where the project and the runs stay, to look at them
"""

import io
import os
import sys
import tempfile
import time
from contextlib import redirect_stdout
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from matplotlib.figure import Figure  # noqa: E402

from metricgate.report.figures.theme import THEMES, Theme, ThemeName  # noqa: E402
from tests.github.fake import FakeGitHub  # noqa: E402
from tests.projects import stages_find_python  # noqa: E402
from tests.retraining.job import RetrainJobs  # noqa: E402
from tests.retraining.projects import create_project  # noqa: E402
from tests.retraining.soak import DECAY, SHIFT, Month, Soak, run_year  # noqa: E402

IMAGES = ROOT / "docs/images"


def run(folder: Path) -> Soak:
    os.environ |= {"DVC_NO_ANALYTICS": "1", "GIT_CONFIG_GLOBAL": os.devnull}
    # What a workflow's log would show goes nowhere.
    with stages_find_python(), FakeGitHub().serve() as fake, redirect_stdout(io.StringIO()):
        project = create_project(folder / "project")
        return run_year(RetrainJobs.build(project, fake, folder / "runs"), say=tell)


def tell(month: Month) -> None:
    print(
        f"month {month.number:2}: accuracy {month.accuracy:.3f}, {'due' if month.is_due else 'quiet':5}, "
        f"{month.trainings} trainings so far{', offered and merged' if month.offered else ''}; {month.dashboard}",
        file=sys.stderr,
    )


def draw(year: Soak, name: ThemeName) -> None:
    theme = THEMES[name]
    figure = Figure(figsize=(7.6, 3.4), dpi=160, facecolor=theme.background, layout="constrained")
    axes = figure.add_subplot(facecolor=theme.background)
    numbers = [month.number for month in year.months]
    accuracy = [month.accuracy for month in year.months]
    axes.plot(numbers, accuracy, color=theme.candidate, marker="o", markersize=4, linewidth=1.6)
    mark_events(axes, year, theme)
    for start, text in ((SHIFT, "the world shifts"), (DECAY, "labels decay")):
        axes.axvline(start - 0.5, color=theme.grid, linewidth=1)
        axes.text(start - 0.4, 0.99, text, color=theme.muted, fontsize=8, va="top")
    axes.set(ylim=(0.45, 1.0), xlim=(1.5, 12.5), xticks=numbers, xlabel="month")
    axes.set_title(
        "Accuracy of the released model on each month's customers", color=theme.text, fontsize=10, loc="left"
    )
    axes.tick_params(colors=theme.muted, labelsize=8)
    axes.xaxis.label.set_color(theme.muted)
    for side, spine in axes.spines.items():
        spine.set_visible(side in ("left", "bottom"))
        spine.set_color(theme.grid)
    figure.savefig(IMAGES / f"retraining-year-{name}.png", facecolor=theme.background)


def mark_events(axes: "object", year: Soak, theme: Theme) -> None:
    trained = 0
    for month in year.months:
        is_new, trained = month.trainings > trained, month.trainings
        if month.offered:
            text, colour = "retrained,\nmerged", theme.passed
        elif is_new:
            text, colour = "no help", theme.failed
        elif month.is_due:
            text, colour = "pause", theme.muted
        else:
            continue
        axes.annotate(  # type: ignore[attr-defined]
            text,
            (month.number, month.accuracy),
            xytext=(-4 if is_new and not month.offered else 0, -12),
            textcoords="offset points",
            ha="center",
            va="top",
            fontsize=8,
            color=colour,
        )


def main() -> None:
    started = time.monotonic()
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(scratch)
        year = run(folder)
        (folder / "pull-request.md").write_text(year.body, encoding="utf-8")
    for name in THEMES:
        draw(year, name)
    print(f"{year.pull_requests} pull request; {time.monotonic() - started:.0f} s")


if __name__ == "__main__":
    main()
