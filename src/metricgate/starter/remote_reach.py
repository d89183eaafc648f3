"""Whether the DVC remote can be reached: DVC treats an unreachable remote as an empty one."""

import os
import socket
from pathlib import Path
from urllib.parse import urlsplit

from metricgate.revisions.checkout import Checkout
from metricgate.starter.dvc_checkup import find_dvc_folder
from metricgate.starter.project_survey import read_remote_setting

CONNECT_S = 5.0
_PORTS = {"http": 80, "https": 443, "webdav": 80, "webdavs": 443, "ssh": 22}
_PROXIES = ("http_proxy", "https_proxy", "all_proxy")


def find_unreachable(checkout: Checkout, name: str, address: str) -> str:
    """Return why the remote cannot be reached; empty where it can, or only its own client can tell."""
    dvc = find_dvc_folder(checkout)
    if "://" not in address:
        folder = (dvc or checkout.directory) / Path(address).expanduser()
        return "" if folder.is_dir() else f"the folder {address} does not exist here"
    if any(os.environ.get(key) or os.environ.get(key.upper()) for key in _PROXIES):
        return ""
    endpoint = read_remote_setting(checkout.directory, checkout.top, name, "endpointurl")
    parts = urlsplit(endpoint or address)
    port = parts.port or _PORTS.get(parts.scheme)
    if parts.hostname is None or port is None:
        return ""  # a bucket
    try:
        with socket.create_connection((parts.hostname, port), timeout=CONNECT_S):
            return ""
    except OSError as error:
        return f"{parts.hostname}:{port}: {error.strerror or error}"
