"""A Git repository on this machine: its commits, the objects that MetricGate writes, and its origin."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from subprocess import CompletedProcess

from metricgate.processes.owner import Owner
from metricgate.revisions.git_command import Access, explain_git_failure, read_git_error, run_git

EMPTY_TREE = "4b825dc642cb6eb9a060e54bf8d69288fbee4904"


@dataclass(frozen=True, kw_only=True)
class GitRepository:
    """A Git repository.

    Attributes
    ----------
    top : the top level of its work tree
    owner : the user that Git runs as; None is MetricGate's own
    access : the token to try where the checkout's own credentials do not suffice
    """

    top: Path
    owner: Owner | None = None
    access: Access = field(default_factory=Access)

    def run_git(self, *args: str) -> CompletedProcess[bytes]:
        """Run Git in the top level and return how it ended, whatever that was."""
        return run_git(args, self.top, self.owner)

    def git(self, *args: str, request: bytes = b"") -> str:
        """Run Git in the top level and return its output without the last newline.

        Raises
        ------
        WorkspaceError
            If it fails.
        """
        result = run_git(args, self.top, self.owner, request=request)
        if result.returncode != 0:
            raise explain_git_failure(args, result)
        return result.stdout.decode(errors="replace").rstrip("\n")

    def write_blob(self, content: bytes) -> str:
        """Write a Git blob and return its SHA."""
        return self.git("hash-object", "-w", "--stdin", "--no-filters", request=content)

    def read_blob(self, sha: str) -> bytes:
        """Return a Git blob; raises WorkspaceError if it is not here."""
        result = self.run_git("cat-file", "blob", sha)
        if result.returncode != 0:
            raise explain_git_failure(("cat-file", "blob", sha), result)
        return result.stdout

    def make_tree(self, blobs: Mapping[str, str]) -> str:
        """Write a Git tree of ``{name: blob}`` and return its SHA."""
        listed = "".join(f"100644 blob {blob}\t{name}\n" for name, blob in sorted(blobs.items()))
        return self.git("mktree", request=listed.encode())

    def change_tree(self, tree: str, files: Mapping[str, tuple[str, str]]) -> str:
        """Write a Git tree like ``tree`` with other ``files``, ``{path: (mode, blob)}``, and return its SHA."""
        entries = self._list_entries(tree)
        folders: dict[str, dict[str, tuple[str, str]]] = {}
        for path, (mode, blob) in files.items():
            name, _, rest = path.partition("/")
            if rest:
                folders.setdefault(name, {})[rest] = (mode, blob)
            else:
                entries[os.fsencode(name)] = f"{mode} blob {blob}".encode()
        for name, inside in folders.items():
            kind, _, before = entries.get(os.fsencode(name), b"").decode().rpartition(" ")
            inner = self.change_tree(before if kind.endswith("tree") else EMPTY_TREE, inside)
            entries[os.fsencode(name)] = f"040000 tree {inner}".encode()
        listed = b"".join(entry + b"\t" + name + b"\0" for name, entry in entries.items())
        return self.git("mktree", "-z", request=listed)

    def _list_entries(self, tree: str) -> dict[bytes, bytes]:
        """Return the entries of a tree, ``{name: MODE KIND SHA}``; names are bytes that may be no text."""
        if tree == EMPTY_TREE:
            return {}
        result = self.run_git("ls-tree", "-z", tree)
        if result.returncode != 0:
            raise explain_git_failure(("ls-tree", tree), result)
        return {
            name: entry for entry, _, name in (line.partition(b"\t") for line in result.stdout.split(b"\0")) if name
        }

    def push(self, *refspecs: str) -> str | None:
        """Push to origin; return None on success, Git's error text on failure."""
        return _word_failure(self._contact_origin("push", "--quiet", "--no-verify", "origin", *refspecs))

    def fetch(self, *args: str) -> str | None:
        """Fetch from origin; return None on success, Git's error text on failure."""
        args = ("fetch", "--quiet", "--no-tags", "--no-write-fetch-head", "origin", *args)
        return _word_failure(self._contact_origin(*args))

    def list_tags(self) -> tuple[str, ...]:
        """Return the tags of origin, or of this repository where it has no origin: the newest version first.

        Raises
        ------
        WorkspaceError
            If origin does not answer.
        """
        order = ("-c", "versionsort.suffix=-")  # v1.0.0-rc1 precedes v1.0.0
        if "origin" not in self.git("remote").split():
            return tuple(self.git(*order, "tag", "--list", "--sort=-version:refname").split())
        args = (*order, "ls-remote", "--tags", "--refs", "--sort=-version:refname", "origin")
        result = self._contact_origin(*args)
        if result.returncode != 0:
            raise explain_git_failure(args, result)
        lines = result.stdout.decode(errors="replace").splitlines()
        return tuple(line.partition("\trefs/tags/")[2] for line in lines)

    def has_on_origin(self, ref: str) -> bool:
        """Return whether origin has a ref; where it does not answer, it might."""
        return self._contact_origin("ls-remote", "--exit-code", "--quiet", "origin", ref).returncode != 2

    def _contact_origin(self, *args: str) -> CompletedProcess[bytes]:
        # The checkout's own credentials first, then the action's token.
        result = self.run_git(*args)
        if result.returncode != 0 and self._may_offer_token():
            result = run_git(args, self.top, self.owner, self.access)
        return result

    def _may_offer_token(self) -> bool:
        # As Git resolves them: after `pushurl` and `insteadOf`.
        listed = [self.run_git("remote", "get-url", "--all", *side, "origin") for side in ((), ("--push",))]
        addresses = [line for result in listed for line in result.stdout.decode(errors="replace").splitlines()]
        return bool(addresses) and all(map(self.access.is_for, addresses))

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

    def is_cut_off(self, sha: str) -> bool:
        """Return whether a shallow clone ends at this commit, so that it seems to add every file."""
        found = self.top / self.git("rev-parse", "--git-path", "shallow")
        return found.is_file() and sha in found.read_text(encoding="ascii").split()

    def branch(self) -> str | None:
        """Return the name of the branch that is checked out; None for a detached HEAD."""
        return self.git("branch", "--show-current") or None

    def default_branch(self) -> str | None:
        """Return the default branch as the clone knows it: ``origin/main``, ``main`` …; None if it does not."""
        origin = self.run_git("symbolic-ref", "--quiet", "--short", "refs/remotes/origin/HEAD")
        if origin.returncode == 0:
            return origin.stdout.decode().strip()
        for name in ("origin/main", "origin/master", "main", "master"):
            if self.find_commit(f"refs/{'remotes' if '/' in name else 'heads'}/{name}"):
                return name
        return None


def _word_failure(result: CompletedProcess[bytes]) -> str | None:
    return None if result.returncode == 0 else read_git_error(result)
