"""Counts and lists as they stand in sentences."""

from collections.abc import Sequence


def list_names(names: Sequence[str], limit: int = 30) -> str:
    """Return names for a sentence, shortened where there are very many."""
    shown = ", ".join(names[:limit])
    return f"{shown} and {len(names) - limit} more" if len(names) > limit else shown


def count_rows(count: int, verb: str = "") -> str:
    """Return ``1 row`` or ``2,000 rows``, with the verb's form for it: is, has, or one that takes an s."""
    plural = count != 1
    rows = f"{count:,} row{'s' if plural else ''}"
    forms = {"is": "are", "has": "have"}
    return f"{rows} {(forms.get(verb) or verb.removesuffix('s')) if plural else verb}" if verb else rows
