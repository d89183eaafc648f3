"""What a comparison of many rows costs, estimated before any of them is read."""

import os
from pathlib import Path

from metricgate.errors import PredictionsError
from metricgate.predictions.wording import count_things

MAX_ROWS = 50_000_000
# Measured by scripts/bench_predictions.py: two files of 10 million rows and five columns take 1.7 GiB and 34 s.
BYTES_PER_VALUE = 18
MICROSECONDS_PER_VALUE = 0.35
_SIDES = 2
_SHARE = 0.8  # of the machine's memory
_LIMITS = ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes")


def require_affordable(rows: int, columns: int, shown: str, *, memory: int | None = None) -> None:
    """Raise PredictionsError if a file has too many rows for this machine, or for any.

    ``memory`` is in bytes; None is this machine's, or its container's.
    """
    values = rows * columns * _SIDES
    needed, available = values * BYTES_PER_VALUE, (find_memory() if memory is None else memory) * _SHARE
    if rows <= MAX_ROWS and needed <= available:
        return
    minutes = max(1, round(values * MICROSECONDS_PER_VALUE / 60e6))
    limit = f"{MAX_ROWS:,} rows" if rows > MAX_ROWS else f"{available / 1e9:.1f} GB, which this machine can give"
    raise PredictionsError(
        f"{shown} has {rows:,} rows: to compare {count_things(columns, 'column')} of them takes about "
        f"{needed / 1e9:.1f} GB of memory and {count_things(minutes, 'minute')}, so it was not read.",
        expected=f"at most {limit}.",
        fix="let the stage write a sample of the test rows, the same ids at every revision"
        + ("." if rows > MAX_ROWS else ", or run on a machine with more memory."),
        topic="too-many-rows",
    )


def find_memory() -> int:
    """Return the bytes of memory of this machine, or of its container where that has less."""
    sizes = [os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")]
    for name in _LIMITS:
        file = Path(name)
        text = file.read_text(encoding="ascii").strip() if file.is_file() else ""
        sizes += [int(text)] if text.isdecimal() else []
    return min(size for size in sizes if size > 0)
