"""How many files changed inside the folders that DVC tracks."""

from collections.abc import Mapping
from pathlib import Path

from metricgate.errors import TimeLimitError, WorkspaceError
from metricgate.execution.messages import Request
from metricgate.execution.session import ask_worker
from metricgate.models.snapshot import FileCounts, Snapshot
from metricgate.processes.progress import Progress
from metricgate.revisions.checkout import Checkout


def count_changed_files(
    checkout: Checkout, baseline: Snapshot, candidate: Snapshot, *, files: Path, progress: Progress, logs: Path
) -> Mapping[str, FileCounts]:
    """Return, for each tracked folder that differs, how many of its files were added, modified and deleted.

    Only the folders' listings are read. What cannot be known says why; it never changes a verdict.
    """
    before = {entry.path: entry.hash for entry in baseline.data if not entry.output}
    folders = {
        entry.path: (old, entry.hash)
        for entry in candidate.data
        if (old := before.get(entry.path)) and entry.hash and old != entry.hash and _are_folders(old, entry.hash)
    }
    if not folders:
        return {}
    request = Request(
        action="count", directory=str(checkout.directory), folders=tuple(folders.values()), files=str(files)
    )
    try:
        answer = ask_worker(request, progress=progress, log=logs / "listings.log", owner=checkout.owner, timeout_s=120)
    except TimeLimitError:
        return dict.fromkeys(folders, FileCounts(unknown="The DVC remote took too long."))
    except WorkspaceError as error:
        return dict.fromkeys(folders, FileCounts(unknown=error.what))
    return dict(zip(folders, answer.counts, strict=True))


def _are_folders(*hashes: str) -> bool:
    return all(digest.endswith(".dir") for digest in hashes)
