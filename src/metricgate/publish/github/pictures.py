"""Pictures in the repository itself, below a ref that is not a branch: no workflow runs, no other host is involved.

One parentless commit holds the pictures of one report. Addresses name the commit, so that neither a cache nor a later
report can change what an old comment shows. In a private repository the reader's own session fetches them.
Source: docs.github.com, "REST API endpoints for Git database"; a ref needs `refs/` and two slashes.
"""

import base64
import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from metricgate.publish.github.client import GitHubClient, Json
from metricgate.publish.github.response import GitHubError, Trouble

ROOT = "metricgate/pictures"
MAX_KEPT_HERE = 3  # reports of one pull request; the comment shows the newest, the checks of earlier pushes the others
MAX_KEPT_IN_ALL = 300
MAX_REMOVED = 20  # in one run
MAX_BYTES = 2 * 1024 * 1024
_PNG = b"\x89PNG\r\n\x1a\n"
_AUTHOR = {"name": "MetricGate", "email": "metricgate@users.noreply.github.com", "date": "2020-01-01T00:00:00Z"}

Pictures = Mapping[str, tuple[Path, Path]]  # chart name to the light and the dark file
Addresses = Mapping[str, tuple[str, str]]


class PictureStore:
    """The pictures of one set-up, for one pull request or for commits."""

    def __init__(self, client: GitHubClient, *, repository_url: str, scope: str, run_id: int) -> None:
        """``scope`` such as ``pull-7/default``; ``run_id`` orders reports, so that the oldest can be removed."""
        self._client = client
        self._repository_url = repository_url
        self._folder = f"{ROOT}/{scope}"
        self._run_id = run_id

    def put(self, pictures: Pictures) -> Addresses:
        """Store the pictures, unless the same ones are there, and return their addresses."""
        readable = {name: files for name, files in pictures.items() if all(map(_is_picture, files))}
        if not readable:
            return {}
        contents = {file.name: file.read_bytes() for files in readable.values() for file in files}
        digest = _digest(contents)
        refs = self._list()
        commit = next((sha for ref, sha in refs.items() if ref.endswith(f"-{digest}")), None)
        if commit is None:
            commit = self._commit(contents)
            self._point(f"refs/{self._folder}/{self._run_id:020}-{digest}", commit)
            self._remove_old()
        at = f"{self._repository_url}/blob/{commit}"
        return {
            name: (f"{at}/{light.name}?raw=true", f"{at}/{dark.name}?raw=true")
            for name, (light, dark) in readable.items()
        }

    def _list(self, folder: str = "") -> dict[str, str]:
        found = self._client.get_all(self._client.path("git/matching-refs", (folder or self._folder) + "/"))
        return {str(item["ref"]): str(item["object"]["sha"]) for item in found}

    def _commit(self, contents: Mapping[str, bytes]) -> str:
        tree = [
            {"path": name, "mode": "100644", "type": "blob", "sha": self._add("blobs", _blob(data))}
            for name, data in contents.items()
        ]
        body = {"message": "Pictures of a MetricGate report", "tree": self._add("trees", {"tree": tree}), "parents": []}
        # With this author and date, the same pictures are the same commit: a repeated request changes nothing.
        return self._add("commits", {**body, "author": _AUTHOR, "committer": _AUTHOR})

    def _add(self, kind: str, body: Json) -> str:
        return str(self._client.create(self._client.path("git", kind), body, find=lambda: None)["sha"])

    def _point(self, ref: str, commit: str) -> None:
        def find() -> Json | None:
            return {"ref": ref} if self._list().get(ref) == commit else None

        try:
            self._client.create(self._client.path("git/refs"), {"ref": ref, "sha": commit}, find=find)
        except GitHubError as error:
            if error.trouble is not Trouble.REFUSED or find() is None:
                raise

    def _remove_old(self) -> None:
        everywhere = self._list(ROOT)
        here = sorted(ref for ref in everywhere if ref.startswith(f"refs/{self._folder}/"))
        oldest = sorted(everywhere, key=lambda ref: ref.rsplit("/", 1)[1])
        due = dict.fromkeys([*here[:-MAX_KEPT_HERE], *oldest[:-MAX_KEPT_IN_ALL]])
        for ref in list(due)[:MAX_REMOVED]:
            try:
                self._client.delete(self._client.path("git", ref))
            except GitHubError as error:
                if error.trouble is not Trouble.REFUSED:  # another run removed it first
                    raise


def _is_picture(file: Path) -> bool:
    if not file.is_file() or file.is_symlink() or file.stat().st_size > MAX_BYTES:
        return False
    with file.open("rb") as stream:
        return stream.read(len(_PNG)) == _PNG


def _digest(contents: Mapping[str, bytes]) -> str:
    total = hashlib.sha256()
    for name, data in sorted(contents.items()):
        total.update(f"{name} {len(data)}\n".encode() + data)
    return total.hexdigest()[:16]


def _blob(data: bytes) -> dict[str, Any]:
    return {"content": base64.b64encode(data).decode(), "encoding": "base64"}
