"""Text of ours and names of theirs, as YAML."""

import json
import re
from collections.abc import Sequence

_PLAIN = re.compile(r"[A-Za-z][\w./-]*(:[\w./-]+)*", re.ASCII)
_YAML_WORDS = {"yes", "no", "true", "false", "null", "on", "off", "y", "n"}


def list_names(names: Sequence[str]) -> str:
    """Return names as a YAML list on one line; nothing for none."""
    return f"[{', '.join(quote_text(name) for name in names)}]" if names else ""


def quote_text(text: str) -> str:
    """Return text as YAML: plain where that cannot be read as anything else, else as JSON, which YAML reads too."""
    return text if _PLAIN.fullmatch(text) and text.lower() not in _YAML_WORDS else json.dumps(text)
