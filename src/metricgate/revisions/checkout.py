"""A Git checkout: the project's folder in it, and its revisions."""

import base64
import os
import posixpath
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from subprocess import CompletedProcess

from metricgate.errors import ConfigurationError, WorkspaceError
from metricgate.processes.command import capture_command
from metricgate.processes.environment import scrub_environment
from metricgate.processes.owner import Owner, find_owner


@dataclass(frozen=True)
class Access:
    """The action's token for the Git server, used only where the checkout's own credentials do not suffice."""

    token: str = field(default="", repr=False)
    server_url: str = "https://github.com"

    def environment(self) -> dict[str, str]:
        """Return Git's configuration for one command, so that the token stands in no file and no argument."""
        basic = base64.b64encode(f"x-access-token:{self.token}".encode()).decode()
        header = f"http.{self.server_url}/.extraheader"
        first = int(os.environ.get("GIT_CONFIG_COUNT", "0"))
        # The empty value drops what the checkout configured: two such headers are refused.
        values = {first: "", first + 1: f"AUTHORIZATION: basic {basic}"}
        settings = {"GIT_CONFIG_COUNT": str(first + len(values))}
        for number, value in values.items():
            settings |= {f"GIT_CONFIG_KEY_{number}": header, f"GIT_CONFIG_VALUE_{number}": value}
        return settings


# A commit needs an author, and a CI machine often has none.
_IDENTITY = ("-c", "user.name=MetricGate", "-c", "user.email=metricgate@users.noreply.github.com")


def _last_words(result: CompletedProcess[bytes]) -> str:
    return result.stderr.decode(errors="replace").strip()


@dataclass(frozen=True, kw_only=True)
class Checkout:
    """A Git work tree.

    Attributes
    ----------
    directory : the project's folder (the working directory of the run)
    top : the top level of the work tree
    prefix : ``directory`` relative to ``top``, with a closing slash, or empty
    head_sha : the full SHA of HEAD when it was opened
    """

    directory: Path
    top: Path
    prefix: str
    head_sha: str
    owner: Owner | None = None
    access: Access = Access()

    @classmethod
    def open(cls, directory: Path, access: Access | None = None) -> "Checkout":
        """Find the Git work tree that ``directory`` lies in.

        Raises
        ------
        ConfigurationError
            If the folder does not exist.
        WorkspaceError
            If it is in no Git work tree, has no commit, or belongs to somebody Git does not trust.
        """
        if not directory.is_dir():
            raise ConfigurationError(
                f"The working directory {directory} does not exist.",
                expected="a folder inside a Git repository.",
                fix="correct working-directory, or check the repository out first (actions/checkout).",
            )
        directory = directory.resolve()
        owner = find_owner(directory)
        found = _run_git(["rev-parse", "--show-toplevel", "--show-prefix"], directory, owner)
        if found.returncode != 0:
            raise _explain_unopened(directory, _last_words(found))
        top, prefix = found.stdout.decode().split("\n")[:2]
        head = _run_git(["rev-parse", "--verify", "--quiet", "HEAD^{commit}"], directory, owner)
        if head.returncode != 0:
            raise WorkspaceError(
                f"The Git repository {top} has no commit.",
                expected="a repository with at least one commit.",
                fix="commit your project first.",
            )
        return cls(
            directory=directory,
            top=Path(top),
            prefix=prefix,
            head_sha=head.stdout.decode().strip(),
            owner=owner,
            access=access or Access(),
        )

    def run_git(self, *args: str) -> CompletedProcess[bytes]:
        """Run Git in the top level and return how it ended, whatever that was."""
        return _run_git(args, self.top, self.owner)

    def git(self, *args: str) -> str:
        """Run Git in the top level and return its output without the last newline."""
        result = self.run_git(*args)
        if result.returncode != 0:
            raise _explain_failed(f"git {' '.join(args)}", result)
        return result.stdout.decode(errors="replace").rstrip("\n")

    def make_tree(self, blobs: Mapping[str, str]) -> str:
        """Write a Git tree of ``{name: blob}`` and return its SHA."""
        listed = "".join(f"100644 blob {blob}\t{name}\n" for name, blob in sorted(blobs.items()))
        result = _run_git(["mktree"], self.top, self.owner, request=listed.encode())
        if result.returncode != 0:
            raise _explain_failed("git mktree", result)
        return result.stdout.decode().strip()

    def write_blob(self, content: bytes) -> str:
        """Write a Git blob and return its SHA."""
        result = _run_git(["hash-object", "-w", "--stdin", "--no-filters"], self.top, self.owner, request=content)
        if result.returncode != 0:
            raise _explain_failed("git hash-object", result)
        return result.stdout.decode().strip()

    def push(self, *refspecs: str) -> str | None:
        """Push to origin; return None when it worked, Git's last words when it did not."""
        return self._speak_to_origin(["push", "--quiet", "--no-verify", "origin", *refspecs])

    def fetch(self, *args: str) -> str | None:
        """Fetch from origin; return None when it worked, Git's last words when it did not.

        The checkout's own credentials first, then the action's token.
        """
        return self._speak_to_origin(["fetch", "--quiet", "--no-tags", "--no-write-fetch-head", "origin", *args])

    def _speak_to_origin(self, command: Sequence[str]) -> str | None:
        result = _run_git(command, self.top, self.owner)
        if result.returncode != 0 and self.access.token:
            result = _run_git(command, self.top, self.owner, self.access.environment())
        return None if result.returncode == 0 else _last_words(result)

    def find_commit(self, name: str) -> str | None:
        """Return the full SHA of a commit that is here; None if it is not."""
        result = self.run_git("rev-parse", "--verify", "--quiet", "--end-of-options", f"{name}^{{commit}}")
        return result.stdout.decode().strip() if result.returncode == 0 else None

    def parents(self, sha: str) -> tuple[str, ...]:
        """Return the parents that the commit names, which a shallow clone hides from `git rev-parse`."""
        header = self.git("cat-file", "commit", sha).split("\n\n", 1)[0]
        return tuple(line.split()[1] for line in header.splitlines() if line.startswith("parent "))

    @property
    def is_shallow(self) -> bool:
        return self.git("rev-parse", "--is-shallow-repository") == "true"

    def is_dirty(self, paths: Sequence[str] = (".",)) -> bool:
        """Tell whether tracked files under ``paths`` (of the project) differ from HEAD."""
        listed = self.git("-C", str(self.directory), "status", "--porcelain", "--untracked-files=no", "--", *paths)
        return listed != ""

    def has_unknown(self, paths: Sequence[str]) -> bool:
        """Tell whether there are files under ``paths`` that Git neither tracks nor ignores."""
        return self.git("-C", str(self.directory), "ls-files", "--others", "--exclude-standard", "--", *paths) != ""

    def has_in_git(self, folder: str) -> bool:
        """Tell whether Git tracks a file in a folder of the project."""
        return self.run_git("ls-files", "-z", "--", f":(literal){self.prefix}{folder}").stdout != b""

    def record_state(self) -> str:
        """Return a commit of the work tree as it is, without touching it: HEAD, or HEAD with what differs from it.

        Files that Git was never told of are not in it.
        """
        # A path of its own meaning: the whole work tree, not the project's folder in it.
        return self.git(*_IDENTITY, "stash", "create") if self.is_dirty((":/",)) else self.head_sha

    def changed_files(self, since: str) -> tuple[str, ...]:
        """List the tracked files, relative to the top level, that differ from the commit ``since``."""
        listed = self.git("diff", "--name-only", "--no-renames", "-z", since)
        return tuple(path for path in listed.split("\0") if path)

    def branch(self) -> str | None:
        """Return the name of the branch that is checked out; None for a detached HEAD."""
        return self.git("branch", "--show-current") or None

    def default_branch(self) -> str | None:
        """Return the default branch as the clone knows it: ``origin/main``, ``main`` …; None if it cannot tell."""
        origin = self.run_git("symbolic-ref", "--quiet", "--short", "refs/remotes/origin/HEAD")
        if origin.returncode == 0:
            return origin.stdout.decode().strip()
        for name in ("origin/main", "origin/master", "main", "master"):
            if self.find_commit(f"refs/{'remotes' if '/' in name else 'heads'}/{name}"):
                return name
        return None

    def read_bytes(self, sha: str, path: str) -> bytes | None:
        """Return a file of the project at a revision; None if it does not have it."""
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
                details=_last_words(result),
            )
        return result.stdout

    def read_text(self, sha: str, path: str) -> str | None:
        """Return a text file of the project at a revision; None if it does not have it."""
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
            ) from error

    @contextmanager
    def worktree(self, sha: str) -> Iterator[Path]:
        """Check ``sha`` out in a folder of its own for as long as the context lasts, and yield the project in it."""
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


def _explain_failed(command: str, result: CompletedProcess[bytes]) -> WorkspaceError:
    return WorkspaceError(
        f"`{command}` failed.",
        expected="a healthy Git repository.",
        fix="run the command in the checkout and repair what it names.",
        details=_last_words(result),
    )


def _run_git(
    args: Sequence[str],
    cwd: Path,
    owner: Owner | None,
    environment: dict[str, str] | None = None,
    *,
    request: bytes = b"",
) -> CompletedProcess[bytes]:
    # Messages are matched in places, and nobody is there to answer a question.
    plain = {"LC_ALL": "C", "GIT_TERMINAL_PROMPT": "0", "GIT_OPTIONAL_LOCKS": "0"}
    home = owner.environment(os.environ.get("HOME", "/")) if owner else {}
    env = scrub_environment(os.environ) | plain | home | (environment or {})
    return capture_command(["git", *args], cwd=cwd, env=env, owner=owner, request=request)


def _explain_unopened(directory: Path, words: str) -> WorkspaceError:
    if "dubious ownership" in words:
        return WorkspaceError(
            f"Git refuses {directory}: the folder belongs to another user.",
            expected="a checkout owned by the user who runs MetricGate, or trusted by Git.",
            fix=f"run `git config --global --add safe.directory {directory}`.",
            details=words,
        )
    return WorkspaceError(
        f"{directory} is in no Git repository.",
        expected="a folder inside a Git work tree.",
        fix="run MetricGate inside the repository, or check it out first (actions/checkout).",
        details=words,
    )
