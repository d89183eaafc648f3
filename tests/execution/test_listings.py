"""Counts of changed files in a tracked folder come from its listings; no file of it is pulled."""

import shutil
from pathlib import Path

import pytest

from metricgate.comparison.snapshot_changes import list_changes
from metricgate.execution.snapshots import count_changed_files
from metricgate.models.snapshot import DataEntry, FileCounts, RevisionInfo, Snapshot, Source
from tests.execution.conftest import Yield, make_context
from tests.projects import TinyProject


@pytest.fixture
def images(tiny: TinyProject) -> TinyProject:
    """A project whose folder of images changed on a branch; cache and images are gone, as in a fresh clone."""
    for name in ("a", "b", "c", "d/e"):
        tiny.write(f"images/{name}.txt", name)
    tiny.dvc("add", "--quiet", "images")
    tiny.dvc("push", "--quiet")
    tiny.commit("Add images")
    tiny.start_branch()
    tiny.write("images/a.txt", "another one")
    tiny.write("images/new.txt", "new")
    (tiny.root / "images/b.txt").unlink()
    (tiny.root / "images/d/e.txt").unlink()
    tiny.dvc("add", "--quiet", "images")
    tiny.dvc("push", "--quiet")
    tiny.commit("Change images")
    tiny.forget_cache()
    shutil.rmtree(tiny.root / "images")
    return tiny


def count(project: TinyProject, baseline: Snapshot, candidate: Snapshot, tmp_path: Path) -> dict[str, FileCounts]:
    return dict(count_changed_files(make_context(project.root, tmp_path), baseline, candidate))


@pytest.mark.acceptance
def test_added_modified_and_deleted_files_are_counted_without_pulling_one(
    images: TinyProject, produce: Yield, baseline_of: Yield, tmp_path: Path
) -> None:
    candidate, baseline = produce(images), baseline_of(images)

    counts = count(images, baseline, candidate, tmp_path)

    assert counts == {"images": FileCounts(added=1, modified=1, deleted=2)}
    assert not (images.root / "images").exists()
    objects = [path for path in (images.root / ".dvc/cache/files").rglob("*") if path.is_file()]
    assert sorted(path.read_text() for path in objects if path.suffix != ".dir") == sorted(
        images.read(name) for name in ("eval/cached.json", "eval/predictions.csv")
    )
    (change,) = [change for change in list_changes(baseline, candidate, counts) if change.kind == "data"]
    assert (change.name, change.before, change.after, change.details) == (
        "images",
        "6 bytes in 4 files",
        "15 bytes in 3 files",
        "1 added, 1 modified, 2 deleted",
    )


@pytest.mark.acceptance
def test_counts_are_unknown_and_say_why_where_nobody_has_the_listing(
    images: TinyProject, produce: Yield, baseline_of: Yield, tmp_path: Path
) -> None:
    candidate, baseline = produce(images), baseline_of(images)
    images.use_remote(str(tmp_path / "nowhere"))
    shutil.rmtree(images.root / ".dvc/cache")

    counts = count(images, baseline, candidate, tmp_path)

    assert "is a folder that does not exist here" in counts["images"].unknown
    (change,) = list_changes(baseline, candidate, counts)
    assert change.details.startswith("added, modified and deleted files are unknown: The DVC remote storage")


def test_no_worker_is_asked_where_no_folder_changed(tiny: TinyProject, produce: Yield, tmp_path: Path) -> None:
    snapshot = produce(tiny)
    single = DataEntry(path="data/raw.csv", hash="0" * 32)
    other = Snapshot(info=RevisionInfo(name="main", source=Source.GIT), data=(single,))

    assert count(tiny, other, snapshot, tmp_path) == {}
    assert not (tmp_path / "logs/listings.log").exists()


def make_snapshot(python: str) -> Snapshot:
    return Snapshot(info=RevisionInfo(name="main", source=Source.GIT), python=python)


def test_another_python_is_a_change_only_where_both_are_known() -> None:
    (change,) = list_changes(make_snapshot("3.12.4"), make_snapshot("3.13.0"))

    assert (change.kind, change.name, change.before, change.after) == ("package", "python", "3.12.4", "3.13.0")
    assert list_changes(make_snapshot(""), make_snapshot("3.13.0")) == ()
    assert list_changes(make_snapshot("3.13.0"), make_snapshot("3.13.0")) == ()
