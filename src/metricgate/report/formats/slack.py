"""A message as Slack's Block Kit, with text from the repository only in `plain_text`, where no markup lives.

Source: docs.slack.dev, "Blocks": 150 characters in a header, 3,000 in a section; below 13,200 in the whole message.
"""

import json
from typing import Any

from metricgate.report.escape import shorten
from metricgate.report.formats.message import Message

MAX_HEADER = 150
MAX_SECTION = 1500
MAX_PLACE = 300


def render_slack(message: Message) -> bytes:
    """Return the body for an incoming webhook: at most three blocks."""
    gates = shorten("\n".join(f"• {line}" for line in message.gates), MAX_SECTION)
    blocks = [
        {"type": "header", "text": _plain(shorten(message.headline, MAX_HEADER))},
        *([{"type": "section", "text": _plain(gates)}] if gates else []),
        {"type": "context", "elements": [_plain(shorten(message.place, MAX_PLACE)), *_draw_link(message)]},
    ]
    # What notifications show: the only text that Slack reads as markup, so it holds trusted words alone.
    body = {"text": _escape(message.summary), "blocks": blocks, "unfurl_links": False, "unfurl_media": False}
    return json.dumps(body, ensure_ascii=False).encode()


def _plain(text: str) -> dict[str, Any]:
    return {"type": "plain_text", "text": text, "emoji": False}


def _draw_link(message: Message) -> list[dict[str, Any]]:
    owners = [f"<!subteam^{name}>" if name.startswith("S") else f"<@{name}>" for name in message.mention]
    link = [f"<{_escape_address(message.url)}|{_escape(message.link_text)}>"] if message.url else []
    text = " ".join([*link, *owners])
    return [{"type": "mrkdwn", "text": text, "verbatim": True}] if text else []


def _escape(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _escape_address(address: str) -> str:
    return _escape(address).replace("|", "%7C")
