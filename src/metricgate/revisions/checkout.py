"""The checkout: the project's folder in a Git work tree, what changed in it, and its files at other revisions."""

import os
import posixpath
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from metricgate.errors import ConfigurationError, WorkspaceError
from metricgate.processes.owner import find_owner
from metricgate.revisions.git_command import Access, explain_unopened, read_git_error, run_git
from metricgate.revisions.git_repository import GitRepository

# A commit needs an author, and a CI machine often has none.
_IDENTITY = ("-c", "user.name=MetricGate", "-c", "user.email=metricgate@users.noreply.github.com")


@dataclass(frozen=True, kw_only=True)
class Checkout(GitRepository):
    """A Git work tree with a project in it.

    Attributes
    ----------
    directory : the project's folder (the working directory of the run)
    prefix : ``directory`` relative to ``top``, with a closing slash, or empty
    head_sha : the full SHA of HEAD when it was opened
    """

    directory: Path
    prefix: str
    head_sha: str

    @classmethod
    def open(cls, directory: Path, access: Access | None = None) -> "Checkout":
        """Return the Git work tree around ``directory``.

        Raises
        ------
        ConfigurationError
            If the folder does not exist.
        WorkspaceError
            If it is not in a Git work tree, has no commit, or belongs to a user that Git does not trust.
        """
        if not directory.is_dir():
            raise ConfigurationError(
                f"The working directory {directory} does not exist.",
                expected="a folder inside a Git repository.",
                fix="correct working-directory, or check the repository out first (actions/checkout).",
                topic="the-working-directory-does-not-exist",
            )
        directory = directory.resolve()
        owner = find_owner(directory)
        found = run_git(["rev-parse", "--show-toplevel", "--show-prefix"], directory, owner)
        if found.returncode != 0:
            raise explain_unopened(directory, read_git_error(found))
        top, prefix = found.stdout.decode().split("\n")[:2]
        head = run_git(["rev-parse", "--verify", "--quiet", "HEAD^{commit}"], directory, owner)
        if head.returncode != 0:
            raise WorkspaceError(
                f"The Git repository {top} has no commit.",
                expected="a repository with at least one commit.",
                fix="commit your project first.",
                topic="there-is-no-commit-yet",
            )
        return cls(
            directory=directory,
            top=Path(top),
            prefix=prefix,
            head_sha=head.stdout.decode().strip(),
            owner=owner,
            access=access or Access(),
        )

    def is_dirty(self, paths: Sequence[str] = (".",)) -> bool:
        """Return whether tracked files under ``paths`` (of the project) differ from HEAD."""
        listed = self.git("-C", str(self.directory), "status", "--porcelain", "--untracked-files=no", "--", *paths)
        return listed != ""

    def has_unknown(self, paths: Sequence[str]) -> bool:
        """Return whether there are files under ``paths`` that Git neither tracks nor ignores."""
        return self.git("-C", str(self.directory), "ls-files", "--others", "--exclude-standard", "--", *paths) != ""

    def has_in_git(self, folder: str) -> bool:
        """Return whether Git tracks a file in a folder of the project."""
        return self.run_git("ls-files", "-z", "--", f":(literal){self.prefix}{folder}").stdout != b""

    def list_tracked(self, name: str) -> tuple[str, ...]:
        """Return the tracked files of this name, in any folder of the project, relative to the project."""
        listed = self.git("-C", str(self.directory), "ls-files", "-z", "--", f":(glob)**/{name}")
        return tuple(path for path in listed.split("\0") if path)

    def list_files(self) -> tuple[str, ...]:
        """Return every tracked file, relative to the top level."""
        return tuple(path for path in self.git("ls-files", "-z", ":/").split("\0") if path)

    def list_blobs(self, sha: str, patterns: Sequence[str]) -> str:
        """Return a line of mode, SHA and path for each file of a revision that Git's pathspecs choose."""
        empty = self.git("hash-object", "-t", "tree", "-w", "--stdin")
        return self.git("diff", "--raw", "--no-abbrev", "--no-renames", empty, sha, "--", *patterns)

    def record_state(self) -> str:
        """Return a commit of the work tree as it is, without changing it: HEAD, or HEAD with what differs from it.

        Untracked files are not in it.
        """
        # ":/" is the whole work tree, not only the project's folder.
        return self.git(*_IDENTITY, "stash", "create") if self.is_dirty((":/",)) else self.head_sha

    def changed_files(self, since: str) -> tuple[str, ...]:
        """Return the tracked files, relative to the top level, that differ from the commit ``since``."""
        listed = self.git("diff", "--name-only", "--no-renames", "-z", since)
        return tuple(path for path in listed.split("\0") if path)

    def read_bytes(self, sha: str, path: str) -> bytes | None:
        """Return a file of the project at a revision; None if it does not exist there."""
        whole = posixpath.normpath(f"{self.prefix}{path}")
        if whole.startswith(("../", "/")):
            return None
        entry = self.git("ls-tree", "--full-tree", sha, "--", whole)
        if not entry:
            return None
        kind, blob = entry.split("\t", 1)[0].split()[1:]
        if kind != "blob":
            return None
        result = self.run_git("cat-file", "blob", blob)
        if result.returncode != 0:
            raise WorkspaceError(
                f"{whole} could not be read at {sha[:9]}.",
                expected="a commit whose files are here, or can be fetched.",
                fix="check out with full blobs (no `filter:`), or give the job access to the repository.",
                details=read_git_error(result),
                topic="a-file-of-a-revision-cannot-be-read",
            )
        return result.stdout

    def read_text(self, sha: str, path: str) -> str | None:
        """Return a text file of the project at a revision; None if it does not exist there."""
        content = self.read_bytes(sha, path)
        if content is None:
            return None
        try:
            return content.decode("utf-8-sig")
        except UnicodeDecodeError as error:
            raise WorkspaceError(
                f"{path} at {sha[:9]} is not UTF-8 text (byte {error.start}).",
                expected="a text file in UTF-8.",
                fix=f"save {path} as UTF-8 and commit it.",
                topic="a-file-of-a-revision-cannot-be-read",
            ) from error

    @contextmanager
    def worktree(self, sha: str) -> Iterator[Path]:
        """Check ``sha`` out in a temporary folder for as long as the context lasts, and yield the project in it."""
        with tempfile.TemporaryDirectory(prefix="metricgate-") as parent:
            if self.owner is not None:
                os.chown(parent, self.owner.uid, self.owner.gid)
            folder = Path(parent).resolve() / "baseline"
            self.git("worktree", "add", "--quiet", "--detach", str(folder), sha)
            try:
                yield folder / self.prefix
            finally:
                self.run_git("worktree", "remove", "--force", "--force", str(folder))
                self.run_git("worktree", "prune")
