"""Counts and lists of names for sentences."""

from collections.abc import Sequence


def list_names(names: Sequence[str], limit: int = 30) -> str:
    """Return names separated by commas; beyond ``limit`` they are only counted."""
    shown = ", ".join(names[:limit])
    return f"{shown} and {len(names) - limit} more" if len(names) > limit else shown


def count_things(count: int, noun: str) -> str:
    """Return ``1 value`` or ``2,000 values``."""
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"


def count_rows(count: int, verb: str = "") -> str:
    """Return ``1 row`` or ``2,000 rows``; the verb, if given, in the third person (is, has, repeats), agrees with it."""
    plural = {"is": "are", "has": "have"}.get(verb) or verb.removesuffix("s")
    return f"{count_things(count, 'row')} {verb if count == 1 else plural}".rstrip()
