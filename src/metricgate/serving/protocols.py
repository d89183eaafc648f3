"""What is sent to a model server, and what its answer says of each row: three protocols, purely."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

Cell = bool | int | float | str | None
Rows = Sequence[Sequence[Cell]]


class AnswerError(ValueError):
    """Why an answer cannot be read: the end of a sentence that starts with the server."""


@dataclass(frozen=True)
class Protocol:
    """How rows become a request's body, and an answer's JSON one entry for each row."""

    encode: Callable[[Sequence[str], Rows], Any]
    decode: Callable[[Any, int], Sequence[Any]]


def choose_protocol(name: str, url: str) -> Protocol:
    """Return the protocol of a name; KServe's first version is known by its address."""
    if name == "kserve" and "/v1/" in urlsplit(url).path:
        return _KSERVE_V1
    return {"mlflow": _MLFLOW, "kserve": _KSERVE_V2, "json": _JSON}[name]


def read_answer(protocol: Protocol, body: bytes, rows: int) -> Sequence[Any]:
    """Return what an answer says of each of ``rows`` rows: a value, a list of values, or a mapping of names to values.

    Raises
    ------
    AnswerError
        If it is not JSON of this protocol, or not for this number of rows.
    """
    try:
        answer = json.loads(body)
    except (ValueError, RecursionError) as error:
        start = body[:60].decode("utf-8", errors="replace").strip()
        shown = " (a web page)" if start[:1] == "<" else ""
        raise AnswerError(f"did not answer with JSON{shown}") from error
    entries = protocol.decode(answer, rows)
    if len(entries) != rows:
        raise AnswerError(f"answered for {len(entries):,} rows where {rows:,} were sent")
    return entries


def _require_list(found: Any, where: str) -> Sequence[Any]:
    if not isinstance(found, list):
        raise AnswerError(f"answered without a list in {where}")
    return found


def _take(answer: Any, key: str) -> Any:
    if not isinstance(answer, dict) or key not in answer:
        raise AnswerError(f"answered without `{key}`")
    return answer[key]


def _encode_split(columns: Sequence[str], rows: Rows) -> Any:
    return {"dataframe_split": {"columns": list(columns), "data": [list(row) for row in rows]}}


def _decode_predictions(answer: Any, rows: int) -> Sequence[Any]:  # noqa: ARG001  one signature for all
    found = _take(answer, "predictions")
    if isinstance(found, dict):  # a mapping of columns to lists
        return _turn(found)
    return _require_list(found, "`predictions`")


def _turn(columns: Mapping[str, Any]) -> Sequence[Any]:
    """Return columns of values as one mapping for each row."""
    lists = {name: _require_list(values, f"`{name}`") for name, values in columns.items()}
    if not lists or len({len(values) for values in lists.values()}) != 1:
        raise AnswerError("answered with columns of different lengths")
    return [dict(zip(lists, values, strict=True)) for values in zip(*lists.values(), strict=True)]


def _encode_instances(columns: Sequence[str], rows: Rows) -> Any:  # noqa: ARG001
    return {"instances": [list(row) for row in rows]}


def _encode_objects(columns: Sequence[str], rows: Rows) -> Any:
    return [dict(zip(columns, row, strict=True)) for row in rows]


def _decode_objects(answer: Any, rows: int) -> Sequence[Any]:  # noqa: ARG001
    if isinstance(answer, list):
        return answer
    lists = [value for value in answer.values() if isinstance(value, list)] if isinstance(answer, dict) else []
    if len(lists) != 1:
        raise AnswerError("answered neither with a list, nor with an object that holds one")
    return lists[0]


def _encode_tensors(columns: Sequence[str], rows: Rows) -> Any:
    inputs = []
    for number, name in enumerate(columns):
        kind, data = _type_column([row[number] for row in rows])
        inputs.append({"name": name, "shape": [len(rows), 1], "datatype": kind, "data": data})
    return {"parameters": {"content_type": "pd"}, "inputs": inputs}


def _type_column(values: Sequence[Cell]) -> tuple[str, list[Any]]:
    kinds = {type(value) for value in values}
    if kinds == {bool}:
        return "BOOL", list(values)
    if kinds == {int}:
        return "INT64", list(values)
    if kinds <= {int, float}:
        return "FP64", [float(value) for value in values if isinstance(value, int | float)]
    return "BYTES", ["" if value is None else str(value) for value in values]


def _decode_tensors(answer: Any, rows: int) -> Sequence[Any]:
    outputs = _require_list(_take(answer, "outputs"), "`outputs`")
    named = {}
    for output in outputs:
        data = _require_list(_take(output, "data"), "`data`")
        if any(isinstance(value, list) for value in data):  # nested as its shape says, instead of flat
            named[str(output.get("name", ""))] = data
            continue
        width, rest = divmod(len(data), rows)
        if rest or not width:
            raise AnswerError(f"answered with {len(data):,} values for {rows:,} rows")
        entries = data if width == 1 else [data[start : start + width] for start in range(0, len(data), width)]
        named[str(output.get("name", ""))] = entries
    if not named:
        raise AnswerError("answered without an output")
    return next(iter(named.values())) if len(named) == 1 else _turn(named)


_MLFLOW = Protocol(_encode_split, _decode_predictions)
_KSERVE_V1 = Protocol(_encode_instances, _decode_predictions)
_KSERVE_V2 = Protocol(_encode_tensors, _decode_tensors)
_JSON = Protocol(_encode_objects, _decode_objects)
