"""The user who owns the workspace, and who therefore runs the code in it."""

import logging
import os
import pwd
from dataclasses import dataclass
from pathlib import Path

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Owner:
    """A user of this machine, by number: in a container the runner's user often has no name."""

    uid: int
    gid: int

    def environment(self, spare_home: str) -> dict[str, str]:
        """Return the variables that a process of this user needs.

        USER and LOGNAME because the number may have no name here (DVC asks for one). HOME stays where this user owns it
        (GitHub's /github/home), and is ``spare_home`` where it is root's, which others cannot enter.
        """
        home = os.environ.get("HOME", "")
        if not home or not Path(home).is_dir() or Path(home).stat().st_uid != self.uid:
            home = spare_home
        name = _find_name(self.uid) or f"uid{self.uid}"
        return {"USER": name, "LOGNAME": name, "HOME": home}


def describe_user(owner: Owner | None, spare_home: str) -> dict[str, str]:
    """Return the variables that a process needs as ``owner``, or as MetricGate's own user where that is None.

    A container may run as any number (`docker run --user 1001:127`, OpenShift): it then has no name, and a home that is
    root's.
    """
    if owner is not None:
        return owner.environment(spare_home)
    home = os.environ.get("HOME", "")
    is_writable = bool(home) and os.access(home, os.W_OK | os.X_OK)
    has_name = any(os.environ.get(name) for name in ("LOGNAME", "USER")) or _find_name(os.geteuid())
    name = {} if has_name else {"USER": f"uid{os.geteuid()}", "LOGNAME": f"uid{os.geteuid()}"}
    return name if is_writable else {**name, "HOME": spare_home}


def _find_name(uid: int) -> str | None:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return None


def find_owner(directory: Path) -> Owner | None:
    """Return the owner of ``directory`` if MetricGate is root and they are not; None where no switch is needed."""
    if os.geteuid() != 0:
        return None
    status = directory.stat()
    return None if status.st_uid == 0 else Owner(status.st_uid, status.st_gid)


def may_read(path: Path, owner: Owner | None) -> bool:
    """Return whether ``owner`` may read a file, links followed: root must not read for a user what that user cannot."""
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
    """Make ``owner`` the owner of ``folder`` and everything in it: a later step of theirs could not clean up otherwise.

    Symbolic links are not followed: others wrote what is in a workspace.
    """
    if owner is None or not folder.is_dir() or folder.is_symlink():
        return
    try:
        for _, directories, files, descriptor in os.fwalk(folder):
            os.fchown(descriptor, owner.uid, owner.gid)
            for name in (*directories, *files):
                os.chown(name, owner.uid, owner.gid, dir_fd=descriptor, follow_symlinks=False)
    except OSError as error:  # a container without CAP_CHOWN: the verdict still stands
        log.warning("The report folder could not be given to the checkout's owner: %s.", error.strerror)
