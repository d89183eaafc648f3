"""A real bare Git repository behind the fake's Git database: what is merged there can be cloned and judged."""

import os
import subprocess
from collections.abc import Iterator, Mapping, MutableMapping, Sequence
from dataclasses import dataclass
from pathlib import Path

_BOT = {
    "GIT_AUTHOR_NAME": "github-actions[bot]",
    "GIT_AUTHOR_EMAIL": "bot@users.noreply.github.example",
    "GIT_COMMITTER_NAME": "GitHub",
    "GIT_COMMITTER_EMAIL": "noreply@github.example",
}


@dataclass
class GitStore:
    """``date`` is that of the commits it makes, as Git takes it; empty is now."""

    path: Path
    date: str = ""

    def run(self, *arguments: str, data: bytes = b"", index: Path | None = None) -> str:
        env = {**os.environ, **_BOT}
        if self.date:
            env |= {"GIT_AUTHOR_DATE": self.date, "GIT_COMMITTER_DATE": self.date}
        if index:
            env["GIT_INDEX_FILE"] = str(index)
        done = subprocess.run(["git", *arguments], cwd=self.path, env=env, input=data, check=False, capture_output=True)
        if done.returncode != 0:
            raise LookupError(done.stderr.decode())
        return done.stdout.decode().strip()

    def has(self, sha: str) -> bool:
        try:
            self.run("cat-file", "-e", sha)
        except LookupError:
            return False
        return True

    def write_blob(self, data: bytes) -> str:
        return self.run("hash-object", "-w", "--stdin", data=data)

    def write_tree(self, base: str | None, entries: Sequence[Mapping[str, str]]) -> str:
        index = self.path / "fake.index"
        index.unlink(missing_ok=True)
        if base:
            self.run("read-tree", base, index=index)
        for entry in entries:
            self.run("update-index", "--add", "--cacheinfo", entry["mode"], entry["sha"], entry["path"], index=index)
        return self.run("write-tree", index=index)

    def write_commit(self, tree: str, parents: Sequence[str], message: str) -> str:
        return self.run("commit-tree", tree, *(part for one in parents for part in ("-p", one)), "-m", message)

    def read_commit(self, sha: str) -> tuple[str, list[str]]:
        tree, *parents = self.run("rev-parse", f"{sha}^{{tree}}", f"{sha}^@").split()
        return tree, parents

    def list_refs(self) -> dict[str, str]:
        lines = self.run("for-each-ref", "--format=%(refname) %(objectname)").splitlines()
        return dict(tuple(line.split(" ", 1)) for line in lines)  # type: ignore[misc]

    def set_ref(self, ref: str, sha: str | None) -> None:
        self.run(*(("update-ref", ref, sha) if sha else ("update-ref", "-d", ref)))

    def merge(self, base: str, head: str, message: str) -> str:
        """Merge into a branch as the green button does; return the commit."""
        before = self.list_refs()[f"refs/heads/{base}"]
        tree = self.run("merge-tree", "--write-tree", before, head).splitlines()[0]
        merged = self.write_commit(tree, (before, head), message)
        self.set_ref(f"refs/heads/{base}", merged)
        return merged


class RealRefs(MutableMapping[str, str]):
    """The refs of a repository as a mapping."""

    def __init__(self, store: GitStore) -> None:
        self._store = store

    def __getitem__(self, ref: str) -> str:
        return self._store.list_refs()[ref]

    def __setitem__(self, ref: str, sha: str) -> None:
        self._store.set_ref(ref, sha)

    def __delitem__(self, ref: str) -> None:
        if ref not in self:
            raise KeyError(ref)
        self._store.set_ref(ref, None)

    def __iter__(self) -> Iterator[str]:
        return iter(self._store.list_refs())

    def __len__(self) -> int:
        return len(self._store.list_refs())
