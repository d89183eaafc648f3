"""The pipeline's own pictures, made small enough for report.json."""

import base64
import binascii
import io
import math
import struct
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from metricgate.report.figures.plot_file import PlotError

WIDTH_PX = 464  # half a chart at twice the density
MOST_PIXELS = 20_000_000  # a small file can hold a picture of any size
MOST_BYTES = 20_000_000
_SIGNATURE = b"\x89PNG\r\n\x1a\n"

Pixels = NDArray[np.float32]


def shrink_picture(path: Path) -> str:
    """Return a PNG file as base64 of a smaller one, each pixel the mean of those that it stands for.

    Raises
    ------
    PlotError
        If the file is no PNG, is broken or is larger than 20 million pixels.
    """
    from matplotlib.image import imsave  # noqa: PLC0415  # 0.5 s that only a picture should cost

    if path.stat().st_size > MOST_BYTES:
        raise PlotError(f"it is longer than {MOST_BYTES:,} bytes")
    pixels = decode_picture(path.read_bytes())
    step = max(1, math.ceil(pixels.shape[1] / WIDTH_PX))
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
        raise PlotError("it is no PNG")
    width, height = struct.unpack(">II", picture[16:24])
    if width * height > MOST_PIXELS:
        raise PlotError(f"it has more than {MOST_PIXELS:,} pixels")
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
