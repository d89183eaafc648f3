"""Predictions: files of test rows, read, checked, and joined row by row. No row is lost without being counted."""

from metricgate.predictions.alignment import NoCommonRowsError
from metricgate.predictions.fresh import FreshRows, note_fresh_rows
from metricgate.predictions.notes import describe_spec
from metricgate.predictions.pairs import PairedSet, pair_predictions
from metricgate.predictions.roles import ColumnOptions, infer_spec
from metricgate.predictions.table import Predictions, read_predictions

__all__ = [
    "ColumnOptions",
    "FreshRows",
    "NoCommonRowsError",
    "PairedSet",
    "Predictions",
    "describe_spec",
    "infer_spec",
    "note_fresh_rows",
    "pair_predictions",
    "read_predictions",
]
