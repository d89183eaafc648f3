"""Predictions that are not a file: said to be what they are, and never read, which could block."""

import os
from pathlib import Path

from metricgate.models.file_kind import describe_kind
from metricgate.models.snapshot import Unreadable
from metricgate.settings.policy import Policy, PredictionsSpec
from tests.execution.conftest import Yield
from tests.projects import TinyProject

SETS = {"pipe": "pipe.csv", "null": "null.csv", "folder": "src", "loop": "loop.csv", "gone": "gone.csv", "no": "no.csv"}
POLICY = Policy(predictions={name: PredictionsSpec(path=path, label="y", score="s") for name, path in SETS.items()})
EXPECTED = {
    "pipe": "pipe.csv is a named pipe, not a file",
    "null": "null.csv is a link to /dev/null, a device, not a file",
    "folder": "src is a folder, not a file",
    "loop": "loop.csv is a link that cannot be followed (Too many levels of symbolic links), not a file",
    "gone": "gone.csv is a link to nowhere, which does not exist, not a file",
}


def make_odd_files(root: Path) -> None:
    os.mkfifo(root / "pipe.csv")
    for name, target in (("null.csv", "/dev/null"), ("loop.csv", "loop.csv"), ("gone.csv", "nowhere")):
        (root / name).symlink_to(target)


def test_with_dvc_each_is_named(tiny: TinyProject, produce: Yield) -> None:
    make_odd_files(tiny.root)

    found = produce(tiny, POLICY).predictions

    unreadable = {name: file for name, file in found.items() if isinstance(file, Unreadable)}
    assert {name: file.reason for name, file in unreadable.items() if not file.missing} == EXPECTED
    assert unreadable["no"].missing


def test_a_file_has_no_kind(tmp_path: Path) -> None:
    make_odd_files(tmp_path)
    (tmp_path / "file.csv").touch()
    (tmp_path / "link.csv").symlink_to("file.csv")

    kinds = {path.name: describe_kind(path) for path in [*tmp_path.iterdir(), tmp_path / "no.csv"]}

    assert {name for name, kind in kinds.items() if not kind} == {"file.csv", "link.csv", "no.csv"}
