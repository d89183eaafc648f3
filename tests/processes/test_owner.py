"""Who owns what a run leaves behind."""

import os
import tempfile
from pathlib import Path

import pytest

from metricgate.execution.messages import FoundFile, WorkerReply
from metricgate.execution.session import withhold_unreadable
from metricgate.processes.owner import Owner, find_owner, hand_back, may_read


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


def test_root_reads_nothing_for_the_owner_that_he_may_not_read() -> None:
    """A result of the pipeline may be a link, to the environment of our own process with its token say."""
    owner = Owner(os.getuid() + 1, os.getgid() + 1)
    with tempfile.TemporaryDirectory() as name:  # pytest's own folders are closed to others
        folder = Path(name)
        folder.chmod(0o755)
        (folder / "open.csv").touch(0o644)
        (folder / "closed").mkdir(0o700)
        (folder / "closed/open.csv").touch(0o644)
        (folder / "secret.csv").touch(0o640)
        (folder / "inside.csv").symlink_to("open.csv")
        (folder / "secrets.csv").symlink_to("closed/open.csv")
        (folder / "environ.csv").symlink_to("/proc/self/environ")
        names = ["open.csv", "inside.csv", "secret.csv", "secrets.csv", "environ.csv", "nowhere.csv"]

        readable = {name for name in names if may_read(folder / name, owner)}
        reply = WorkerReply(predictions=tuple(FoundFile(path=name, local=str(folder / name)) for name in names))
        told = {file.path: file.problem for file in withhold_unreadable(reply, owner).predictions}

    assert readable == {"open.csv", "inside.csv"} == {name for name, problem in told.items() if not problem}
    assert told["environ.csv"] == "environ.csv leads to a file that the checkout's owner may not read"
    assert withhold_unreadable(reply, None) == reply
