"""The files of the pipeline's own DVC plots: tables as rows of named values, pictures shrunk to fit report.json."""

import base64
import binascii
import csv
import io
import json
import math
import struct
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

MAX_DATA_BYTES = 50_000_000
SEPARATORS = {".csv": ",", ".tsv": "\t"}
PICTURE_WIDTH_PX = 464  # half a chart at twice the density
MAX_PIXELS = 20_000_000  # a small file can hold a huge picture
MAX_PICTURE_BYTES = 20_000_000
_SIGNATURE = b"\x89PNG\r\n\x1a\n"


Rows = Sequence[Mapping[Any, Any]]


class PlotError(Exception):
    """A plot cannot be drawn; the message is the reason, as it follows "is not drawn: "."""


def read_rows(path: Path, name: str) -> Rows:
    """Return the rows of one plot file; ``name`` is its path in the repository, whose suffix says how to read it.

    Raises
    ------
    PlotError
        If the file is too large, is not a table, or is of another kind.
    """
    try:
        if path.stat().st_size > MAX_DATA_BYTES:
            raise PlotError(f"it is larger than {MAX_DATA_BYTES:,} bytes")
        return _parse(path.read_text(encoding="utf-8-sig"), Path(name).suffix.lower())
    except (OSError, ValueError, RecursionError, csv.Error) as error:
        raise PlotError(f"it cannot be read ({type(error).__name__}: {str(error)[:200]})") from error


def _parse(text: str, suffix: str) -> Rows:
    if suffix in SEPARATORS:
        return list(csv.DictReader(text.splitlines(), delimiter=SEPARATORS[suffix]))
    if suffix == ".json":
        return _find_rows(json.loads(text))  # Infinity, as DVCLive writes it, is read
    if suffix in {".yaml", ".yml"}:
        from ruamel.yaml import YAML  # noqa: PLC0415  # only a plot in YAML needs it
        from ruamel.yaml.error import YAMLError  # noqa: PLC0415

        try:
            return _find_rows(YAML(typ="safe", pure=True).load(text))
        except YAMLError as error:
            raise PlotError("it is not YAML") from error
    raise PlotError(f"it is a {suffix or 'nameless'} file, not CSV, TSV, JSON or YAML")


def _find_rows(value: Any) -> Rows:
    """Return the first list of mappings in ``value``, as DVC does."""
    waiting = [value]
    while waiting:
        part = waiting.pop(0)
        if isinstance(part, list) and part and all(isinstance(row, Mapping) for row in part):
            return part
        if isinstance(part, Mapping):
            waiting += part.values()
    raise PlotError("it has no list of rows")


Pixels = NDArray[np.float32]


def shrink_picture(path: Path) -> str:
    """Return a PNG file as base64 of a smaller one, each pixel the mean of those it replaces.

    Raises
    ------
    PlotError
        If the file is not a PNG, is broken or is larger than 20 million pixels.
    """
    from matplotlib.image import imsave  # noqa: PLC0415  # 0.5 s that only a picture should cost

    if path.stat().st_size > MAX_PICTURE_BYTES:
        raise PlotError(f"it is larger than {MAX_PICTURE_BYTES:,} bytes")
    pixels = decode_picture(path.read_bytes())
    step = max(1, math.ceil(pixels.shape[1] / PICTURE_WIDTH_PX))
    rows, columns = (max(1, size // step) for size in pixels.shape[:2])
    cut = pixels[: rows * step, : columns * step]
    blocks = cut.reshape(rows, cut.shape[0] // rows, columns, cut.shape[1] // columns, -1)
    buffer = io.BytesIO()
    imsave(buffer, np.ascontiguousarray(blocks.mean(axis=(1, 3))), format="png", metadata={"Software": "MetricGate"})
    return base64.b64encode(buffer.getvalue()).decode()


def decode_picture(picture: bytes) -> Pixels:
    """Return a PNG as rows of red, green, blue and opacity between 0 and 1."""
    from matplotlib.image import imread  # noqa: PLC0415

    if not picture.startswith(_SIGNATURE) or len(picture) < 24:
        raise PlotError("it is not a PNG")
    width, height = struct.unpack(">II", picture[16:24])
    if width * height > MAX_PIXELS:
        raise PlotError(f"it has more than {MAX_PIXELS:,} pixels")
    try:
        pixels = np.asarray(imread(io.BytesIO(picture), format="png"), dtype=np.float32)
    except (OSError, SyntaxError, ValueError) as error:  # Pillow calls a broken file a SyntaxError
        raise PlotError("it is a broken PNG") from error
    return _add_channels(pixels)


def _add_channels(pixels: Pixels) -> Pixels:
    """Return grey pictures, and those without opacity, with all four channels."""
    deep = pixels if pixels.ndim == 3 else np.repeat(pixels[:, :, None], 3, axis=2)
    return deep if deep.shape[2] == 4 else np.concatenate([deep[:, :, :3], np.ones_like(deep[:, :, :1])], axis=2)


def decode_text(text: str) -> Pixels:
    """Return the pixels of a picture that report.json holds."""
    try:
        return decode_picture(base64.b64decode(text, validate=True))
    except binascii.Error as error:
        raise PlotError("it is not base64") from error
