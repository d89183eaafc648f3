"""Write the README's picture, light and dark: the comment that a real run of the demo writes. Needs Chromium."""

import base64
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))

from metricgate.cli import commands  # noqa: E402
from metricgate.publish.files import read_pictures  # noqa: E402
from metricgate.report.formats.html import render_markdown  # noqa: E402
from metricgate.report.formats.markdown import render_summary  # noqa: E402
from metricgate.report.formats.report_json import read_report  # noqa: E402
from metricgate.report.view_context import ViewContext  # noqa: E402
from scripts.screenshots import SCHEMES, shrink  # noqa: E402
from tests.report.chromium import start_browser  # noqa: E402

FOLDER = ROOT / "docs/images"
WIDTH = 920  # CSS pixels, about a comment's on a desktop
HEIGHT = 940  # down to the folded sections


def draw_comment(folder: Path) -> str:
    """Return the comment of a report folder as a page that looks as GitHub shows it."""
    report = read_report((folder / "report.json").read_text(encoding="utf-8"))
    pictures = {name: (_inline(light), _inline(dark)) for name, (light, dark) in read_pictures(report, folder).items()}
    body = render_markdown(render_summary(report, ViewContext(pictures=pictures)))
    style = (ROOT / "scripts/comment.css").read_text(encoding="utf-8")
    return f'<!DOCTYPE html><meta charset="utf-8"><style>{style}</style><main class="markdown-body">{body}</main>'


def _inline(picture: bytes) -> str:
    return f"data:image/png;base64,{base64.b64encode(picture).decode()}"


def main() -> None:
    FOLDER.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder, start_browser() as browser:
        commands.main(["demo", f"{folder}/demo"], standalone_mode=False)
        page = Path(folder) / "comment.html"
        page.write_text(draw_comment(Path(folder) / "demo/churn/metricgate-report"), encoding="utf-8")
        for scheme in SCHEMES:
            browser.open(page.as_uri(), width=WIDTH, scheme=scheme, density=2.0)
            (FOLDER / f"comment-{scheme}.png").write_bytes(shrink(browser.screenshot(HEIGHT)))


if __name__ == "__main__":
    main()
