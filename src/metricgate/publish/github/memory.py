"""Earlier runs of a pull request, remembered in a hidden line of our own comment."""

import base64
import binascii
import re
from collections.abc import Sequence

from pydantic import TypeAdapter, ValidationError

from metricgate.report.view_context import PastRun

MAX_RUNS = 10
MAX_HEADLINE = 100
MAX_BODY = 65_400  # GitHub documents 65,536 characters for a comment

_LINE = re.compile(r"^<!-- metricgate-runs ([A-Za-z0-9+/=]{1,20000}) -->$", re.MULTILINE)
_RUNS = TypeAdapter(tuple[PastRun, ...])


def read_memory(body: str) -> tuple[PastRun, ...]:
    """Yield the runs a comment remembers, oldest first; none where people or other versions changed the line."""
    found = _LINE.search(body)
    if not found:
        return ()
    try:
        return _RUNS.validate_json(base64.b64decode(found[1], validate=True))[-MAX_RUNS:]
    except (binascii.Error, ValidationError):
        return ()


def add_memory(body: str, runs: Sequence[PastRun]) -> str:
    """Yield the body with the runs remembered below its marker, as far as the comment has room for them.

    They are encoded, so that no text of theirs can end the hidden line.
    """
    kept = [run.model_copy(update={"headline": run.headline[:MAX_HEADLINE]}) for run in runs[-MAX_RUNS:]]
    line = f"<!-- metricgate-runs {base64.b64encode(_RUNS.dump_json(tuple(kept))).decode()} -->"
    if len(body) + len(line) + 1 > MAX_BODY:
        return body
    marker, _, rest = body.partition("\n")
    return f"{marker}\n{line}\n{rest}"
