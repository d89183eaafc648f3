"""What differs between two snapshots besides the metrics."""

from collections.abc import Iterable, Mapping
from types import MappingProxyType

from metricgate.models.result import Change, ChangeKind
from metricgate.models.snapshot import DataEntry, FileCounts, Scalar, Snapshot

NO_COUNTS: Mapping[str, FileCounts] = MappingProxyType({})


def list_changes(
    baseline: Snapshot, candidate: Snapshot, counts: Mapping[str, FileCounts] = NO_COUNTS
) -> tuple[Change, ...]:
    """Return changed parameters, data, Python and packages, each group in the order of its names.

    ``counts``: by the path of a tracked folder, how many of its files differ.
    """
    return (
        *_changes(
            "parameter",
            {_place(p.file, p.key, "params.yaml"): _text(p.value) for p in baseline.parameters},
            {_place(p.file, p.key, "params.yaml"): _text(p.value) for p in candidate.parameters},
        ),
        *_data_changes(baseline.data, candidate.data, counts),
        *_python_change(baseline.python, candidate.python),
        *_changes("package", dict(baseline.packages), dict(candidate.packages)),
    )


def _place(file: str, key: str, usual_file: str) -> str:
    return key if file == usual_file else f"{file}:{key}"


def _text(value: Scalar) -> str:
    if value is None:
        return "null"
    return str(value).lower() if isinstance(value, bool) else str(value)


def _changes(kind: ChangeKind, before: Mapping[str, str], after: Mapping[str, str]) -> Iterable[Change]:
    for name in sorted({*before, *after}):
        old, new = before.get(name), after.get(name)
        if old != new:
            yield Change(kind=kind, name=name, before=old, after=new)


def _python_change(before: str, after: str) -> Iterable[Change]:
    """Yield the change of the Python version that stages ran with, where both are known."""
    if before and after and before != after:
        yield Change(kind="package", name="python", before=before, after=after, details="as the stages ran")


def _data_changes(
    before: tuple[DataEntry, ...], after: tuple[DataEntry, ...], counts: Mapping[str, FileCounts]
) -> Iterable[Change]:
    old_entries = {entry.path: entry for entry in before if not entry.output}
    new_entries = {entry.path: entry for entry in after if not entry.output}
    for path in sorted({*old_entries, *new_entries}):
        old, new = old_entries.get(path), new_entries.get(path)
        if old is None or new is None or old.hash != new.hash:
            details = _describe_counts(counts[path]) if path in counts else ""
            yield Change(kind="data", name=path, before=_size(old), after=_size(new), details=details)


def _describe_counts(counts: FileCounts) -> str:
    if counts.unknown:
        return f"added, modified and deleted files are unknown: {counts.unknown}"
    return f"{counts.added:,} added, {counts.modified:,} modified, {counts.deleted:,} deleted"


def _size(entry: DataEntry | None) -> str | None:
    if entry is None:
        return None
    size = "unknown size" if entry.size is None else f"{entry.size:,} bytes"
    return size if entry.files is None else f"{size} in {entry.files:,} files"
