"""Predictions: files of test rows, read, checked, and joined row by row. Every row that is left out is counted.

Other rooms import from here alone.
"""

from metricgate.predictions.checked_predictions import Predictions, read_predictions
from metricgate.predictions.column_profiles import count_values, find_task
from metricgate.predictions.column_roles import ColumnOptions, infer_spec
from metricgate.predictions.evaluation_logs.answer import Answer
from metricgate.predictions.evaluation_logs.question_table import Questions
from metricgate.predictions.fresh_rows import ChangedTestSet, ComparableRows, FreshRows, is_among, note_fresh_rows
from metricgate.predictions.paired_sets import AbsentRows, PairedSet, pair_predictions
from metricgate.predictions.pairing_notes import describe_spec
from metricgate.predictions.prediction_table import PredictionTable, open_table
from metricgate.predictions.row_alignment import NoCommonRowsError
from metricgate.predictions.wording import count_rows

__all__ = [
    "AbsentRows",
    "Answer",
    "ChangedTestSet",
    "ColumnOptions",
    "ComparableRows",
    "FreshRows",
    "NoCommonRowsError",
    "PairedSet",
    "PredictionTable",
    "Predictions",
    "Questions",
    "count_rows",
    "count_values",
    "describe_spec",
    "find_task",
    "infer_spec",
    "is_among",
    "note_fresh_rows",
    "open_table",
    "pair_predictions",
    "read_predictions",
]
