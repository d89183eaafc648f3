"""Draw docs/images/message-*.png: the messages of docs/notifications.md, light and dark.

python scripts/message_pictures.py

Needs npm, Chromium and a font with emoji. Microsoft's own library draws the card. Slack has no such library: its picture shows the
same blocks about as Slack does.
"""

import json
import sys
import tempfile
from pathlib import Path
from typing import Literal

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from metricgate.models.result import Slice  # noqa: E402
from metricgate.report.formats.message import Message, MessagePlace, write_message  # noqa: E402
from metricgate.report.formats.slack import render_slack  # noqa: E402
from metricgate.report.formats.teams import render_card  # noqa: E402
from scripts.screenshots import shrink  # noqa: E402
from tests.report.cards import WIDTH, draw_slack, install_library, open_card, show_mentions  # noqa: E402
from tests.report.chromium import start_browser  # noqa: E402
from tests.report.reports import make_gate, make_report  # noqa: E402

IMAGES = ROOT / "docs/images"
THEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")


def make_message(owner: str) -> Message:
    slice_gate = make_gate(metric="f1", bound=0.05, slice=Slice(column="contract", value="One year"))
    place = MessagePlace(
        repository="acme/churn",
        subject="main",
        url="https://github.com/acme/churn/actions/runs/42",
        link_text="Open the run",
    )
    gate = slice_gate.model_copy(update={"difference": -0.083, "low": -0.112, "high": -0.054})
    return write_message(make_report(gates=(make_gate(), gate)), "failed", place, [owner])


def main() -> None:
    with tempfile.TemporaryDirectory() as name, start_browser() as browser:
        folder = Path(name)
        library = install_library(folder)
        if library is None:
            raise SystemExit("message_pictures: npm is not installed")
        card = show_mentions(render_card(make_message("ann@acme.example")))
        for theme in THEMES:
            problems = open_card(browser, library, card, folder, theme)
            if problems:
                raise SystemExit(f"message_pictures: the library objects: {problems}")
            (IMAGES / f"message-teams-{theme}.png").write_bytes(shrink(browser.screenshot(600)))
            page = folder / f"slack-{theme}.html"
            page.write_text(draw_slack(json.loads(render_slack(make_message("U024BE7LH"))), theme), encoding="utf-8")
            browser.open(page.as_uri(), width=WIDTH, scheme=theme, density=2)
            (IMAGES / f"message-slack-{theme}.png").write_bytes(shrink(browser.screenshot(600)))


if __name__ == "__main__":
    main()
