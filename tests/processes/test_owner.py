"""Who owns what a run leaves behind."""

import os
from pathlib import Path

import pytest

from metricgate.processes.owner import Owner, find_owner, hand_back


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")
def test_what_root_wrote_is_handed_back_and_links_are_not_followed(tmp_path: Path) -> None:
    kept = tmp_path / "elsewhere.txt"
    kept.touch()
    folder = tmp_path / "report"
    (folder / "charts").mkdir(parents=True)
    (folder / "charts/forest.png").touch()
    (folder / "link").symlink_to(kept)

    hand_back(folder, Owner(12345, 12345))

    owners = {path.name: path.lstat().st_uid for path in [folder, *folder.rglob("*")]}
    assert owners == {"report": 12345, "charts": 12345, "forest.png": 12345, "link": 12345}
    assert kept.stat().st_uid == 0


def test_a_workspace_of_our_own_needs_no_other_user(tmp_path: Path) -> None:
    assert find_owner(tmp_path) is None
