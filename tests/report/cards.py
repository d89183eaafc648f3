"""Messages as people see them: the card drawn by Microsoft's own library, in Chromium."""

import json
import re
import shutil
import subprocess
from html import escape
from pathlib import Path
from typing import Any, Literal

from tests.report.chromium import Browser

LIBRARY = "adaptivecards@3.0.6"
WIDTH = 620

# The colours of Teams: docs.microsoft.com, "Adaptive Cards: host config" of the two themes, as far as the card uses them.
_THEMES: dict[str, dict[str, str]] = {
    "light": {
        "page": "#f5f5f5",
        "card": "#ffffff",
        "text": "#242424",
        "subtle": "#616161",
        "attention": "#c4314b",
        "warning": "#835c00",
        "good": "#237b4b",
        "accent": "#6264a7",
    },
    "dark": {
        "page": "#1f1f1f",
        "card": "#292929",
        "text": "#ffffff",
        "subtle": "#adadad",
        "attention": "#f9526b",
        "warning": "#ffaa44",
        "good": "#92c353",
        "accent": "#a6a7dc",
    },
}

_PAGE = """<!doctype html><meta charset="utf-8"><style>
body {{ margin: 0; padding: 16px; background: {page}; font-family: "Segoe UI", "DejaVu Sans", sans-serif; }}
#card {{ background: {card}; border-radius: 4px; box-shadow: 0 1px 3px rgba(0,0,0,.3); }}
.ac-pushButton {{ background: transparent; color: {text}; border: 1px solid {subtle}; border-radius: 4px; padding: 6px 12px;
  font: inherit; font-size: 14px; }}
</style><div id="card"></div><script>{library}</script><script>
const config = new AdaptiveCards.HostConfig({config});
const card = new AdaptiveCards.AdaptiveCard();
card.hostConfig = config;
const context = new AdaptiveCards.SerializationContext(AdaptiveCards.Versions.v1_4);
card.parse({content}, context);
const validation = card.validateProperties();
window.problems = [
  ...Array.from({{length: context.eventCount}}, (_, i) => context.getEventAt(i).message),
  ...validation.validationEvents.map(one => one.message),
];
document.getElementById("card").appendChild(card.render());
</script>"""


def install_library(folder: Path) -> str | None:
    """Return the library's text, installed by npm below ``folder``; None where there is no npm."""
    npm = shutil.which("npm")
    if npm is None:
        return None
    command = [npm, "install", "--silent", "--no-audit", "--no-fund", "--prefix", str(folder), LIBRARY]
    subprocess.run(command, check=True, capture_output=True)
    return (folder / "node_modules/adaptivecards/dist/adaptivecards.min.js").read_text(encoding="utf-8")


def open_card(
    browser: Browser, library: str, card: dict[str, Any], folder: Path, theme: Literal["light", "dark"]
) -> list[str]:
    """Show the card; return what the library's parser and validator object to."""
    colours = _THEMES[theme]

    def shade(name: str) -> dict[str, str]:
        return {"default": colours[name], "subtle": colours["subtle"]}

    foreground = {name: shade(name) for name in ("attention", "warning", "good", "accent")} | {"default": shade("text")}
    config = {
        "fontFamily": "Segoe UI, DejaVu Sans, sans-serif",
        "supportsInteractivity": True,
        "containerStyles": {"default": {"backgroundColor": colours["card"], "foregroundColors": foreground}},
    }
    page = folder / f"card-{theme}.html"
    text = _PAGE.format(library=library, config=json.dumps(config), content=_as_script(card), **colours)
    page.write_text(text, encoding="utf-8")
    browser.open(page.as_uri(), width=WIDTH, scheme=theme, density=2)
    problems: list[str] = browser.evaluate("window.problems")
    return problems


def show_mentions(card: dict[str, Any]) -> dict[str, Any]:
    """Return the card with its mentions as Teams shows them; the library does not know them."""
    body = [
        {**part, "text": part["text"].replace("<at>", "").replace("</at>", "")} if part["type"] == "TextBlock" else part
        for part in card["body"]
    ]
    return {**card, "body": body}


def _as_script(value: object) -> str:
    return json.dumps(value).replace("</", "<\\/")


_SLACK = {
    "light": {"page": "#ffffff", "text": "#1d1c1d", "subtle": "#616061", "link": "#1264a3"},
    "dark": {"page": "#1a1d21", "text": "#d1d2d3", "subtle": "#ababad", "link": "#1d9bd1"},
}


def draw_slack(body: dict[str, Any], theme: Literal["light", "dark"]) -> str:
    """Return a page that shows the blocks about as Slack does, which has no renderer to install."""
    rows = []
    for block in body["blocks"]:
        if block["type"] == "context":
            parts = [_draw_element(element) for element in block["elements"]]
            rows.append(f'<p class="context">{" ".join(parts)}</p>')
        else:
            rows.append(f'<p class="{block["type"]}">{escape(block["text"]["text"])}</p>')
    return f"""<!doctype html><meta charset="utf-8"><style>
body {{ margin: 0; padding: 16px 20px; background: {_SLACK[theme]["page"]}; color: {_SLACK[theme]["text"]};
  font: 15px/1.46 Lato, "DejaVu Sans", sans-serif; }}
p {{ margin: 0 0 8px; white-space: pre-wrap; overflow-wrap: anywhere; }}
.header {{ font-size: 18px; font-weight: 700; }} .context {{ font-size: 12px; color: {_SLACK[theme]["subtle"]}; }}
a {{ color: {_SLACK[theme]["link"]}; text-decoration: none; }}
</style><p style="font-weight:700">MetricGate <span class="context">APP 9:41</span></p>{"".join(rows)}"""


def _draw_element(element: dict[str, Any]) -> str:
    if element["type"] == "plain_text":
        return escape(element["text"])
    linked = re.sub(r"<(https?://[^|>]+)\|([^>]+)>", r'<a href="\1">\2</a>', element["text"])
    return re.sub(r"<@\w+>", "<a>@ann</a>", linked)
