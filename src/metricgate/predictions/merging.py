"""Rows of several prediction files as one file."""

from collections.abc import Sequence
from pathlib import Path

from metricgate.predictions.formats import quote_text
from metricgate.predictions.fresh import Mask
from metricgate.predictions.source import open_connection, open_source, translated_errors


def merge_rows(parts: Sequence[tuple[Path, Mask]], target: Path, *, shown: str) -> None:
    """Write the rows of each file that its mask selects to ``target``, a Parquet file; columns are matched by name.

    Raises
    ------
    PredictionsError
        If a file cannot be read, or a column has values of kinds that nothing can hold together.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    pieces = [target.with_name(f"part-{number}.parquet") for number in range(len(parts))]
    for (path, mask), piece in zip(parts, pieces, strict=True):
        _write_selected(path, mask, piece, shown)
    listed = ", ".join(quote_text(str(piece)) for piece in pieces)
    with open_connection() as connection, translated_errors(target, shown):
        connection.execute(
            f"COPY (SELECT * FROM read_parquet([{listed}], union_by_name=true)) TO {quote_text(str(target))} (FORMAT parquet)"
        )


def _write_selected(path: Path, mask: Mask, target: Path, shown: str) -> None:
    with open_source(path, shown) as source, translated_errors(path, shown):
        source.connection.register("selection", {"selected_here": mask})
        source.connection.execute(
            "COPY (SELECT rows.* FROM rows POSITIONAL JOIN selection WHERE selected_here) "
            f"TO {quote_text(str(target))} (FORMAT parquet)"
        )
