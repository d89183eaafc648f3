"""Label values as text that is the same in CSV, Parquet and JSON, and the choice of the positive label."""

import re
from collections.abc import Collection, Sequence

from metricgate.errors import PredictionsError
from metricgate.predictions.wording import list_names

DEFAULT_POSITIVES = {"1": ("0", "-1"), "True": ("False",), "Yes": ("No",), "yes": ("no",)}
_NEGATIVES = {negative: positive for positive, negatives in DEFAULT_POSITIVES.items() for negative in negatives}
_BOOLEANS = {"True": "1", "False": "0"}


def canonical_text(value: object) -> str:
    """Return the same text for a value in every format: 1, 1.0 and "1" agree, as do True and "true"."""
    text = str(value).strip()
    if re.fullmatch(r"-?\d+\.0*", text):
        text = text.partition(".")[0]
    if text == "-0":
        return "0"
    return text.capitalize() if text.lower() in {"true", "false"} else text


def sort_labels(values: Collection[str]) -> tuple[str, ...]:
    """Return labels in numeric order, or in alphabetical order if any of them is not a number."""
    try:
        return tuple(sorted(values, key=float))
    except ValueError:
        return tuple(sorted(values))


def spell_booleans_as_numbers(values: Sequence[str], other: Collection[str]) -> tuple[str, ...]:
    """Return True and False as 1 and 0 if the other column spells them that way."""
    if set(values) <= _BOOLEANS.keys() and other and set(other) <= set(_BOOLEANS.values()):
        return tuple(_BOOLEANS[value] for value in values)
    return tuple(values)


def same_label(one: str, other: str) -> bool:
    """Return whether two labels mean the same: True is 1, False is 0."""
    return _BOOLEANS.get(one, one) == _BOOLEANS.get(other, other)


def choose_positive(values: Collection[str], asked: str | None, *, path: str, column: str) -> tuple[str, str]:
    """Return (negative, positive) of a binary column; the negative is "" if no row has it.

    Without ``asked``, the positive label is 1 (next to 0 or -1), True, Yes or yes. Any other must be asked for.

    Raises
    ------
    PredictionsError
        If the column has more than two values, or the positive label is not among them or not known.
    """
    shown = list_names(sort_labels(values))
    if len(values) > 2:
        raise PredictionsError(
            f"{path}: column '{column}' has {len(values)} values ({shown}).",
            expected="two values, because `score:`, `positive:` or `task: binary` makes the task binary.",
            fix="for more classes, use `scores: {CLASS: COLUMN}`, or `prediction:` with `task: multiclass`.",
            topic="the-positive-label",
        )
    positive = _find_asked(values, asked) if asked is not None else _find_default(values)
    if positive is None:
        raise PredictionsError(
            f"{path}: column '{column}' has the values {shown}"
            + (
                f", and none of them is the positive label '{asked}'."
                if asked
                else ", and neither is known as positive."
            ),
            expected="a positive label, which a high score stands for (known: 1, True, Yes, yes).",
            fix="set `positive:` to one of the values above.",
            topic="the-positive-label",
        )
    negative = next((value for value in values if value != positive), "")
    return negative, positive


def _find_asked(values: Collection[str], asked: str) -> str | None:
    found = next((value for value in values if same_label(value, asked)), None)
    return asked if found is None and len(values) < 2 else found


def _find_default(values: Collection[str]) -> str | None:
    if len(values) == 1:
        (only,) = values
        return only if only in DEFAULT_POSITIVES else _NEGATIVES.get(only)
    return next((p for p, negatives in DEFAULT_POSITIVES.items() if p in values and set(negatives) & set(values)), None)
