"""DVC's access to its remotes, which counts the bytes that it brings."""

from pathlib import Path
from typing import Any

from dvc.data_cloud import DataCloud


class MeasuredCloud(DataCloud):  # type: ignore[misc]  # DVC has no types
    """Counts the bytes of the objects that come into the cache."""

    pulled = 0

    def transfer(self, src_odb: Any, dest_odb: Any, objs: Any, **kwargs: Any) -> Any:
        """Transfer as DVC does, and count what the cache got."""
        result = super().transfer(src_odb, dest_odb, objs, **kwargs)
        if dest_odb is not src_odb and dest_odb in (self.repo.cache.local, self.repo.cache.legacy):
            paths = (Path(dest_odb.oid_to_path(info.value)) for info in result.transferred)
            self.pulled += sum(path.stat().st_size for path in paths if path.exists())
        return result

    def take_pulled(self) -> int:
        """Return the bytes since the last call."""
        pulled, self.pulled = self.pulled, 0
        return pulled
