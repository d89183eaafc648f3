"""Whose files the workspace holds, and who therefore runs what comes from it."""

import os
import pwd
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Owner:
    """A user of this machine, by number: a container often has no name for the runner's."""

    uid: int
    gid: int

    def environment(self, spare_home: str) -> dict[str, str]:
        """Return the variables that make a process of this user work.

        USER and LOGNAME because the number may have no name here (DVC asks for one); HOME stays where it is theirs
        (GitHub's /github/home), and is ``spare_home`` where it is root's, which others cannot enter.
        """
        home = os.environ.get("HOME", "")
        if not home or not Path(home).is_dir() or Path(home).stat().st_uid != self.uid:
            home = spare_home
        try:
            name = pwd.getpwuid(self.uid).pw_name
        except KeyError:
            name = f"uid{self.uid}"
        return {"USER": name, "LOGNAME": name, "HOME": home}


def find_owner(directory: Path) -> Owner | None:
    """Return who owns ``directory`` if we are root and they are not; None where nothing has to be switched."""
    if os.geteuid() != 0:
        return None
    status = directory.stat()
    return None if status.st_uid == 0 else Owner(status.st_uid, status.st_gid)


def hand_back(folder: Path, owner: Owner | None) -> None:
    """Give ``folder`` and all that lies in it to ``owner``: a later step runs as that user, and could not clean up.

    Symbolic links are not followed, for what lies in a workspace was written by others.
    """
    if owner is None or not folder.is_dir() or folder.is_symlink():
        return
    for _, directories, files, descriptor in os.fwalk(folder):
        os.fchown(descriptor, owner.uid, owner.gid)
        for name in (*directories, *files):
            os.chown(name, owner.uid, owner.gid, dir_fd=descriptor, follow_symlinks=False)
