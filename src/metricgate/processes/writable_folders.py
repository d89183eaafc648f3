"""The folders outside the workspace that a run writes to: a container's root may be read-only."""

import os
from collections.abc import Mapping

from metricgate.errors import ConfigurationError

# What is written there: scratch files and stages' environments, which are executed; DVC's locks and index. A folder of the
# workspace's owner cannot take their place, as the pipeline could exchange what root writes there.
_FOLDERS = {"TMPDIR": "/tmp", "DVC_SITE_CACHE_DIR": "/var/tmp"}  # noqa: S108  only looked at
OPTIONS = "--tmpfs /tmp:exec --tmpfs /var/tmp"


def require_writable_folders(environ: Mapping[str, str]) -> None:
    """Raise ConfigurationError if a folder for temporary files is read-only and no variable names another."""
    closed = [
        folder
        for name, folder in _FOLDERS.items()
        if not environ.get(name) and not os.access(folder, os.W_OK | os.X_OK)
    ]
    if closed:
        raise ConfigurationError(
            f"Nothing can be written to {' and '.join(closed)} in this container.",
            expected="writable folders for temporary files, also where the root is read-only.",
            fix=f"start the container with `{OPTIONS}`.",
            topic="nothing-can-be-written-in-the-container",
        )
