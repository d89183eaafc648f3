"""Write the README's picture, light and dark: the comment that a real run of the demo writes. Needs Chromium."""

import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))

from metricgate.cli import commands  # noqa: E402
from scripts.screenshots import SCHEMES, shrink  # noqa: E402
from tests.report.chromium import start_browser  # noqa: E402

FOLDER = ROOT / "docs/images"
WIDTH = 920  # CSS pixels, about a comment's on a desktop
HEIGHT = 880  # down to the folded sections


def main() -> None:
    FOLDER.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder, start_browser() as browser:
        commands.main(["demo", f"{folder}/demo"], standalone_mode=False)
        page = Path(folder) / "demo/churn/metricgate-report/report.html"
        for scheme in SCHEMES:
            browser.open(page.as_uri(), width=WIDTH, scheme=scheme, density=2.0)
            (FOLDER / f"comment-{scheme}.png").write_bytes(shrink(browser.screenshot(HEIGHT)))


if __name__ == "__main__":
    main()
