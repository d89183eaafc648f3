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


def may_read(path: Path, owner: Owner | None) -> bool:
    """Tell whether ``owner`` can read a file, wherever links lead: root must not read for him what he cannot."""
    if owner is None:
        return True
    try:
        real = path.resolve(strict=True)
        return _allows(real, owner, 0o4) and all(_allows(folder, owner, 0o1) for folder in real.parents)
    except OSError:
        return False


def _allows(path: Path, owner: Owner, right: int) -> bool:
    status = path.stat()
    shift = 6 if status.st_uid == owner.uid else 3 if status.st_gid == owner.gid else 0
    return bool(status.st_mode >> shift & right)


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
