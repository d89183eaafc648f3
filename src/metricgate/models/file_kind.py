"""What lies at a path, for people: results are files, and reading what is none could block or never end."""

import stat
from pathlib import Path

_KINDS = {
    stat.S_IFDIR: "a folder",
    stat.S_IFIFO: "a named pipe",
    stat.S_IFSOCK: "a socket",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
}


def describe_kind(path: Path) -> str:
    """Return what is at ``path`` that is not a file: ``a named pipe``; empty for a file, and where there is nothing."""
    try:
        target = str(path.readlink()) if path.is_symlink() else ""
        kind = _KINDS.get(stat.S_IFMT(path.stat().st_mode), "")
    except FileNotFoundError:
        return f"a link to {target}, which does not exist" if path.is_symlink() else ""
    except OSError as error:
        return f"a link that cannot be followed ({error.strerror})" if path.is_symlink() else ""
    return f"a link to {target}, {kind}" if target and kind else kind
