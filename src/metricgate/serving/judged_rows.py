"""The rows that a server is asked for: what the model reads of each, and what the judged model answered."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from metricgate.errors import PredictionsError
from metricgate.predictions import PredictionTable, open_table
from metricgate.serving.protocols import Cell
from metricgate.settings.policy import PredictionsSpec
from metricgate.settings.serving import ServingSpec

MAX_ROWS = 200_000


@dataclass(frozen=True, kw_only=True)
class JudgedRows:
    """Test rows in the order of the predictions.

    Attributes
    ----------
    names : of each row, for people: its id, or its number
    features, rows : the columns that are sent, and their values
    answers : by column, what the judged model answered
    """

    names: tuple[str, ...]
    features: tuple[str, ...]
    rows: Sequence[Sequence[Cell]]
    answers: Mapping[str, Sequence[Cell]]


def read_judged_rows(spec: ServingSpec, predictions: PredictionsSpec, file: Path, data: Path) -> JudgedRows:
    """Return the rows of the predictions ``file`` with their features, which are in ``data``.

    Rows are joined by the predictions' id, where the data has it, and otherwise by their order.

    Raises
    ------
    PredictionsError
        If they cannot be joined one to one, or a column is missing.
    """
    with open_table(file, predictions.path) as judged:
        _require_few(judged, predictions.path)
        answers = _read_answers(judged, spec, predictions)
        ids = [tuple(row) for row in _read_text(judged, predictions.id)]
    with open_table(data, spec.data) as table:
        _require_few(table, spec.data)
        features = spec.features or _choose_features(table, predictions)
        for name in features:
            table.require(name, "serving.features")
        rows: list[tuple[Cell, ...]] = list(zip(*(_read_typed(table, name) for name in features), strict=True))
        has_ids = bool(predictions.id) and all(name in table.types for name in predictions.id)
        keys = [tuple(row) for row in _read_text(table, predictions.id)] if has_ids else []
    count = len(next(iter(answers.values())))
    if has_ids:
        rows = _join(ids, keys, rows, spec.data)
    elif len(rows) != count:
        raise _refuse(
            f"{spec.data} has {len(rows):,} rows, and {predictions.path} has {count:,}.",
            "let the data have the predictions' id columns, or name the file that the predictions were made from.",
        )
    names = tuple(" ".join(map(str, key)) for key in ids) if predictions.id else tuple(map(str, range(1, count + 1)))
    return JudgedRows(names=names, features=tuple(features), rows=rows, answers=answers)


def _refuse(what: str, fix: str) -> PredictionsError:
    return PredictionsError(
        what, expected="one row of the data for each judged row.", fix=fix, topic="rows-that-the-server-is-asked-for"
    )


def _require_few(table: PredictionTable, path: str) -> None:
    ((count,),) = table.ask("SELECT count(*) FROM rows")
    if not 0 < count <= MAX_ROWS:
        raise _refuse(f"{path} has {count:,} rows; a server is asked for at most {MAX_ROWS:,}.", "name a smaller set.")


def _choose_features(table: PredictionTable, predictions: PredictionsSpec) -> tuple[str, ...]:
    answered = {predictions.prediction, predictions.score, *(predictions.scores or {}).values()}
    left_out = {*predictions.id, predictions.label, predictions.weight, *answered}
    return tuple(name for name in table.types if name not in left_out)


def _read_answers(table: PredictionTable, spec: ServingSpec, predictions: PredictionsSpec) -> dict[str, Sequence[Cell]]:
    has_scores = bool(predictions.score or predictions.scores)
    wants = spec.answer or ("score" if has_scores else "prediction")
    if wants == "score" and not has_scores:
        raise _refuse("The predictions have no scores to compare with.", "set `answer: prediction` below `serving:`.")
    if wants == "score":
        columns = [predictions.score] if predictions.score else list((predictions.scores or {}).values())
        return {name: _read_typed(table, name) for name in columns if name and _is_there(table, name)}
    if predictions.prediction is not None:
        return {predictions.prediction: _read_typed(table, predictions.prediction)}
    return {"prediction": _derive_predictions(table, predictions)}


def _is_there(table: PredictionTable, name: str) -> bool:
    table.require(name, "predictions")
    return True


def _derive_predictions(table: PredictionTable, predictions: PredictionsSpec) -> Sequence[Cell]:
    """Return the labels that the scores of two classes predict."""
    if predictions.score is None or predictions.label is None:
        raise _refuse("The predictions have no predicted labels.", "name their column: `predictions: {prediction: …}`.")
    labels = _read_typed(table, predictions.label)
    positive = predictions.positive if predictions.positive is not None else _find_positive(labels)
    others = sorted({str(label) for label in labels if not is_equal(label, positive)})
    if len(others) != 1:
        raise _refuse("The labels are not two.", "name the predicted labels: `predictions: {prediction: …}`.")
    scores = _read_typed(table, predictions.score)
    high = [isinstance(score, int | float) and score >= predictions.threshold for score in scores]
    return [positive if is_high else others[0] for is_high in high]


def _find_positive(labels: Sequence[Cell]) -> Cell:
    known = [label for label in labels if str(label).lower() in {"1", "true", "yes"}]
    if not known:
        raise _refuse("Which label is positive is not known.", "name it: `predictions: {positive: …}`.")
    return known[0]


def is_equal(one: Cell, other: Cell) -> bool:
    """Return whether two labels are the same however they are written: 1, 1.0, "1", true."""
    return spell(one) == spell(other)


def spell(value: Any) -> str:
    """Return a label as text in which equal ones are equal."""
    if isinstance(value, bool):
        return str(int(value))
    number = as_number(value)
    if number is not None:
        return f"{number:.17g}"
    return {"true": "1", "false": "0"}.get(str(value).lower(), str(value))


def as_number(value: Any) -> float | None:
    """Return a value as a number; None for what is none, and for what is not finite."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        number = float(value)
    except (ValueError, OverflowError):
        return None
    return number if math.isfinite(number) else None


def _join(ids: Sequence[Any], keys: Sequence[Any], rows: Sequence[Any], path: str) -> list[Any]:
    by_key = dict(zip(keys, rows, strict=True))
    if len(by_key) < len(keys):
        raise _refuse(f"{path} has rows with equal ids.", "name id columns that tell the rows apart.")
    missing = [key for key in ids if key not in by_key]
    if missing:
        raise _refuse(
            f"{path} lacks {len(missing):,} of {len(ids):,} judged rows, first {' '.join(map(str, missing[0]))}.",
            "name the file that the predictions were made from.",
        )
    return [by_key[key] for key in ids]


def _read_text(table: PredictionTable, columns: Sequence[str]) -> list[tuple[Any, ...]]:
    if not columns:
        return []
    for name in columns:
        table.require(name, "predictions.id")
    return table.ask(f"SELECT {', '.join(map(table.as_text, columns))} FROM rows")  # noqa: S608  names are quoted


def _read_typed(table: PredictionTable, column: str) -> Sequence[Cell]:
    """Return a column's values as JSON has them. A text column whose values are all numbers is one of numbers."""
    table.require(column, "serving")
    if table.types[column].endswith("[]") or table.types[column].startswith(("STRUCT", "MAP")):
        raise _refuse(f"{column} holds lists or objects.", "name the columns to send: `serving: {features: [...]}`.")
    name = table.as_text(column)
    values = [row[0] for row in table.ask(f"SELECT {name} FROM rows")]  # noqa: S608  a quoted name
    if table.types[column] == "BOOLEAN":
        return [None if value is None else value == "true" for value in values]
    if table.types[column] in {"DOUBLE", "FLOAT"}:
        return [as_number(value) for value in values]  # what is not finite is missing: JSON has no word for it
    known = [value for value in values if value is not None]
    if all(_is_whole(value) for value in known):
        return [None if value is None else int(value) for value in values]
    if all(as_number(value) is not None for value in known):
        return [None if value is None else float(value) for value in values]
    return values


def _is_whole(text: str) -> bool:
    """Return whether a text is a whole number, as pandas reads it: 007 is 7."""
    digits = text.removeprefix("-")
    return text.isascii() and digits.isdecimal() and len(digits) <= 18


def read_answers_by_id(
    spec: ServingSpec, predictions: PredictionsSpec, file: Path, judged: JudgedRows
) -> dict[str, list[Any]] | None:
    """Return another model's answers for the judged rows, by the judged columns; None where it lacks any."""
    with open_table(file, predictions.path) as table:
        _require_few(table, predictions.path)
        answers = _read_answers(table, spec, predictions)
        keys = [" ".join(map(str, row)) for row in _read_text(table, predictions.id)]
    place = {key: number for number, key in enumerate(keys)}
    if not set(judged.names) <= place.keys() or set(answers) != set(judged.answers):
        return None
    return {column: [values[place[name]] for name in judged.names] for column, values in answers.items()}
