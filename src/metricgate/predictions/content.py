"""An order of rows that their own content decides, for files whose rows have no id to sort by.

Sums of floats depend on their order in the last digit, and where there are very many rows, correlations are estimated
from an even share of them. So that a file's order decides nothing at all, rows without ids are sorted by a hash of what
they hold. Rows that hold the same are interchangeable.
"""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from metricgate.models.samples import Categorical, IntArray, Sample, SamplePair

_MULTIPLIER = np.uint64(0x9E3779B97F4A7C15)  # 2^64 / golden ratio: Knuth, The Art of Computer Programming 3, 6.4
_HALF = np.uint64(32)


def order_by_content(pair: SamplePair, slices: Mapping[str, Categorical]) -> IntArray:
    """Return the rows in the order of a hash of both models' values, label, weight, group and slices."""
    key = np.zeros(pair.rows, dtype=np.uint64)
    for values in _list_columns(pair, slices):
        # Numbers by their bits; adding 0.0 makes one zero of both.
        bits = (values + 0.0).view(np.uint64) if values.dtype == np.float64 else values.astype(np.int64).view(np.uint64)
        key ^= bits
        key *= _MULTIPLIER
        key ^= key >> _HALF
    return np.argsort(key, kind="stable").astype(np.int64)


def _list_columns(pair: SamplePair, slices: Mapping[str, Categorical]) -> Iterator[NDArray[Any]]:
    yield from _list_sample(pair.baseline)
    yield from _list_sample(pair.candidate)
    if pair.group is not None:
        yield pair.group
    yield from (slices[column].codes for column in sorted(slices))


def _list_sample(sample: Sample) -> Iterator[NDArray[Any]]:
    for values in (sample.label, sample.prediction, sample.weight):
        if values is not None:
            yield values
    if sample.scores is not None:
        yield from sample.scores.reshape(sample.rows, -1).T
    yield from (sample.columns[name] for name in sorted(sample.columns))
