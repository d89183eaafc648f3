"""Results that only Git has: DVC removes them before a stage runs, and a stage that fails leaves them removed."""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from metricgate.execution.worker.dvc_project import Project

MOST_BYTES = 50_000_000


@contextmanager
def keep_uncached(project: Project) -> Iterator[None]:
    """While the context lasts, keep copies of the files that stages write and DVC does not; put back what is missing.

    Nothing is put back after a success.
    """
    outputs = (out for stage in project.pipeline_stages for out in stage.outs if not out.use_cache)
    files = [path for out in outputs if (path := Path(out.fs_path)).is_file() and path.stat().st_size <= MOST_BYTES]
    with tempfile.TemporaryDirectory(prefix="metricgate-") as folder:
        copies = {path: Path(folder, str(number)) for number, path in enumerate(files)}
        for path, copy in copies.items():
            shutil.copy2(path, copy)
        try:
            yield
        except BaseException:
            for path, copy in copies.items():
                if not path.exists():
                    path.parent.mkdir(parents=True, exist_ok=True)
                    shutil.copy2(copy, path)
            raise
