"""How many files of a tracked folder differ between two revisions, counted from its listings alone."""

from dvc_data.hashfile.hash_info import HashInfo
from dvc_data.hashfile.tree import Tree

from metricgate.execution.worker.cache_objects import CacheObjects, is_intact
from metricgate.execution.worker.dvc_failures import PipelineFailedError, RemoteFailedError, explain_failure
from metricgate.execution.worker.dvc_project import Project
from metricgate.models.snapshot import FileCounts

Listing = dict[tuple[str, ...], str]


def count_changes(project: Project, folders: tuple[tuple[str, str], ...]) -> tuple[FileCounts, ...]:
    """Return the counts for each pair of hashes ``(before, after)`` of folders.

    A listing (DVC's ``.dir`` object) names the files of a folder with their hashes. It comes from the cache, or from
    the remote if it was not pulled; the files themselves are never fetched. Counts without both listings are unknown.
    """
    listings = _Listings(project)
    return tuple(_count(listings, before, after) for before, after in folders)


def _count(listings: "_Listings", before: str, after: str) -> FileCounts:
    try:
        old, new = listings.read(before), listings.read(after)
    except Exception as error:  # noqa: BLE001  whatever the storage raises: the verdict does not depend on it
        return FileCounts(unknown=explain_failure(error, listings.objects.remote).what)
    return FileCounts(
        added=len(new.keys() - old.keys()),
        modified=sum(new[name] != old[name] for name in new.keys() & old.keys()),
        deleted=len(old.keys() - new.keys()),
    )


class _Listings:
    """Reads listings; a remote that failed once is not asked again."""

    def __init__(self, project: Project) -> None:
        self.objects = CacheObjects(project)
        self._cache = project.repo.cache.local
        self._failure: RemoteFailedError | None = None

    def read(self, digest: str) -> Listing:
        info, path = HashInfo("md5", digest), self._cache.oid_to_path(digest)
        if not self._cache.exists(digest):
            self._bring(info)
        content = HashInfo("md5", digest.removesuffix(".dir"))
        if not is_intact(path, content, self._cache.fs):
            raise PipelineFailedError(
                "The list of the folder's files is neither in the DVC cache nor in the remote.",
                expected="every .dir object that the revisions name, pushed to the remote.",
                fix="run `dvc push` on the machine that has it.",
                topic="files-are-missing-from-the-remote",
            )
        return {key: str(entry.value) for key, _, entry in Tree.load(self._cache, info)}

    def _bring(self, info: HashInfo) -> None:
        if self._failure is not None:
            raise self._failure
        try:
            self.objects.bring_object(info)
        except RemoteFailedError as error:
            self._failure = error
            raise
