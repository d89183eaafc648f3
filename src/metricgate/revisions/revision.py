"""The commit that a candidate is compared with."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class BaselineRevision:
    """The commit to compare against. ``name`` is what people call it, ``reason`` one sentence."""

    sha: str
    name: str
    reason: str
