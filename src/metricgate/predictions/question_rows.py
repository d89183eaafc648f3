"""Rows to judge, from any file: its own rows, or the questions of an evaluation tool's log."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from metricgate.models.snapshot import FilePart
from metricgate.predictions.file_formats import quote_text
from metricgate.predictions.label_text import canonical_text
from metricgate.predictions.nested_columns import name_nested
from metricgate.predictions.prediction_table import PredictionTable, open_connection, open_table, translated_errors
from metricgate.settings.policy import LabelValue, PredictionsSpec

if TYPE_CHECKING:
    from metricgate.predictions.evaluation_logs.opening import ReadQuestions
    from metricgate.predictions.evaluation_logs.question_table import Questions


@dataclass(frozen=True, eq=False, kw_only=True)
class OpenRows:
    """The open rows of one side.

    Attributes
    ----------
    spec : what the columns mean, with what a log itself says
    questions : the answers behind the rows, where they come from an evaluation tool's log
    notes : sentences for the report
    """

    table: PredictionTable
    spec: PredictionsSpec
    questions: "Questions | None" = None
    notes: tuple[str, ...] = ()


@contextmanager
def open_rows(
    rows: Path | Sequence[FilePart], shown: str, spec: PredictionsSpec, *, also: Sequence[str] = ()
) -> Iterator[OpenRows]:
    """Open the rows that ``spec`` describes. ``also``: columns that formulas use.

    Raises
    ------
    PredictionsError
        If a file cannot be read, or a log does not say which of its scores, tasks or filters is meant.
    """
    if isinstance(rows, Path) and names_log(rows, spec):
        from metricgate.predictions.evaluation_logs.opening import read_questions  # noqa: PLC0415  most files are none

        with _tabulate(read_questions(rows, shown, spec), [rows], shown) as opened:
            yield opened
        return
    with open_table(rows, shown) as table:
        chosen = _select(table, spec, also)
        if spec.answer is None:
            yield OpenRows(table=chosen, spec=spec)
            return
        from metricgate.predictions.evaluation_logs.answer_rows import read_answers  # noqa: PLC0415  as above

        with _tabulate(read_answers(chosen, spec, spec.answer), table.files, shown) as opened:
            yield opened


@contextmanager
def _tabulate(read: "ReadQuestions", files: Sequence[Path], shown: str) -> Iterator[OpenRows]:
    """Open the questions as a table, one row each."""
    with open_connection() as connection:
        connection.register("read_rows", read.questions.successes(read.score) | read.questions.columns())
        connection.execute("CREATE TEMP TABLE rows AS SELECT * FROM read_rows")
        table = PredictionTable(connection, files, shown, _describe(connection))
        yield OpenRows(table=table, spec=read.spec, questions=read.questions, notes=read.notes)


def names_log(path: Path, spec: PredictionsSpec) -> bool:
    """Return whether a file is a log that is read question by question.

    A policy that names columns of a log's own rows, as its label or its id, reads them as any JSON Lines.
    """
    if spec.format is not None:
        return True
    if spec.label or spec.prediction or spec.scores or spec.answer or not {"id", "task"}.issuperset(spec.id):
        return False
    from metricgate.predictions.evaluation_logs.log_folder import list_logs  # noqa: PLC0415  as above

    return bool(list_logs(path))


def _describe(connection: Any) -> dict[str, str]:
    return {str(name): str(kind) for name, kind, *_ in connection.execute("DESCRIBE rows").fetchall()}


def _select(table: PredictionTable, spec: PredictionsSpec, also: Sequence[str]) -> PredictionTable:
    """Return the table with the nested columns that are named, and only the rows that `where:` chooses."""
    wanted = (*spec.id, spec.label, spec.prediction, spec.score, *(spec.scores or {}).values(), *spec.slices)
    wanted = (*wanted, spec.group, spec.weight, spec.answer, *spec.where, *also)
    with translated_errors(table.files, table.path):
        added = name_nested(table.connection, table.types, [name for name in wanted if name])
        if not added and not spec.where:
            return table
        if added:
            table = _narrow(table, f"SELECT *, {', '.join(added)} FROM rows", "named_rows")
        for column in spec.where:
            table.require(column, "where")
        if spec.where:
            chosen = " AND ".join(_match(table, column, values) for column, values in spec.where.items())
            table = _narrow(table, f"SELECT * FROM rows WHERE {chosen}", "chosen_rows")
    return table


def _narrow(table: PredictionTable, query: str, name: str) -> PredictionTable:
    """Return the table with the rows of a query over it."""
    connection = table.connection
    connection.execute(f"CREATE TEMP TABLE {name} AS {query}")
    kind = "VIEW" if _is_view(connection) else "TABLE"
    connection.execute(f"DROP {kind} rows")
    connection.execute(f"ALTER TABLE {name} RENAME TO rows")
    return replace(table, types=_describe(connection))


def _is_view(connection: Any) -> bool:
    return bool(connection.execute("SELECT 1 FROM duckdb_views() WHERE view_name = 'rows'").fetchall())


def _match(table: PredictionTable, column: str, values: tuple[LabelValue, ...]) -> str:
    """Return SQL that is true where a column has one of the values, spelled as text in any format."""
    texts = {spelling for value in values for spelling in _spellings(value)}
    return f"{table.as_text(column)} IN ({', '.join(map(quote_text, sorted(texts)))})"


def _spellings(value: LabelValue) -> tuple[str, ...]:
    text = canonical_text(value)
    return (text, text.lower(), f"{text}.0") if isinstance(value, bool | int | float) else (text, str(value))
