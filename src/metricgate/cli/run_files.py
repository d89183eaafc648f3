"""Files that a person names on the command line, and that lie on an MLflow server."""

import os
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from metricgate.settings.mlflow import MlflowAccess, is_run_file


@contextmanager
def bring_run_files(paths: Sequence[Path]) -> Iterator[tuple[Path, ...]]:
    """Yield the files, those of MLflow runs as copies that last as long as the context.

    Raises
    ------
    MetricgateError
        If one of them is not handed out.
    """
    if not any(is_run_file(str(path)) for path in paths):
        yield tuple(paths)
        return
    from metricgate.services.mlflow_files import fetch_run_file  # noqa: PLC0415  only where one is named

    access = MlflowAccess.of(os.environ)
    with tempfile.TemporaryDirectory(prefix="metricgate-") as folder:
        yield tuple(
            fetch_run_file(access, str(path), Path(folder) / str(number)) if is_run_file(str(path)) else path
            for number, path in enumerate(paths)
        )
