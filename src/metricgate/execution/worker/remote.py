"""The DVC remote: whether it can be reached at all, within seconds, and what it needs."""

import os
import socket
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from metricgate.execution.worker.failures import RemoteFailedError

CONNECT_S = 5.0
_PORTS = {"http": 80, "https": 443, "webdav": 80, "webdavs": 443, "ssh": 22, "s3": 443, "gs": 443, "azure": 443}
_PROXIES = ("http_proxy", "https_proxy", "all_proxy")

NEEDS = {
    "s3": "the secrets AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY in the step's env, or a role "
    "(aws-actions/configure-aws-credentials with `id-token: write`), allowed s3:GetObject and s3:ListBucket",
    "gs": "the secret GOOGLE_APPLICATION_CREDENTIALS (a key file) in the step's env, or google-github-actions/auth, "
    "allowed storage.objects.get and storage.objects.list",
    "azure": "the secret AZURE_STORAGE_CONNECTION_STRING, or AZURE_STORAGE_ACCOUNT with AZURE_STORAGE_KEY, in the "
    "step's env",
    "ssh": "a private key that the server accepts (`dvc remote modify --local NAME keyfile PATH`), and its host key",
    "http": "a user and password or token (`dvc remote modify --local NAME user …`) if the server asks for one",
    "webdav": "a user and password or token (`dvc remote modify --local NAME user …`)",
    "local": "that folder on this machine, mounted into the container",
}


@dataclass(frozen=True)
class Remote:
    """The default remote as it is configured. ``url`` carries no password."""

    name: str
    url: str
    kind: str
    host: str | None
    port: int | None

    @property
    def needs(self) -> str:
        return NEEDS.get(self.kind, "credentials for that storage")

    @property
    def title(self) -> str:
        return f"The DVC remote {self.name} ({self.url})"


def describe_remote(repo: Any) -> Remote | None:
    """Return the default remote of a DVC repository; None if it has none."""
    name = repo.config["core"].get("remote")
    settings = repo.config["remote"].get(name) if name else None
    if not name or settings is None:
        return None
    url = str(settings["url"])
    parts = urlsplit(url)
    if not parts.scheme:
        return Remote(name=name, url=url, kind="local", host=None, port=None)
    kind = {"https": "http", "webdavs": "webdav"}.get(parts.scheme, parts.scheme)
    endpoint = urlsplit(str(settings.get("endpointurl", ""))) if kind == "s3" else parts
    host, port = endpoint.hostname, endpoint.port or _PORTS.get(endpoint.scheme or parts.scheme)
    if kind in ("gs", "azure") or (kind == "s3" and not host):
        host = {"gs": "storage.googleapis.com", "s3": "s3.amazonaws.com"}.get(kind)
    clean = parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()
    return Remote(name=name, url=clean, kind=kind, host=host, port=port)


def check_remote(repo: Any, *, connect_s: float = CONNECT_S) -> None:
    """Fail within ``connect_s`` seconds where the remote cannot be reached at all: its client would retry for long.

    Raises
    ------
    RemoteFailedError
        No default remote, its folder does not exist, or nobody answers at its address.
    """
    remote = describe_remote(repo)
    if remote is None:
        raise RemoteFailedError(
            "Something has to be fetched, and DVC has no default remote.",
            expected="a default remote in .dvc/config that holds the data and results.",
            fix="run `dvc remote add --default NAME URL`, `dvc push`, and commit .dvc/config.",
        )
    if remote.kind == "local" and not Path(remote.url).is_dir():
        raise RemoteFailedError(
            f"{remote.title} is a folder that does not exist here.",
            expected=f"{remote.needs}.",
            fix="correct the remote's url, mount the folder, or use a remote that CI can reach.",
        )
    if remote.host and not any(os.environ.get(name) or os.environ.get(name.upper()) for name in _PROXIES):
        _check_address(remote, connect_s)


def check_bucket(repo: Any, remote: Remote) -> None:
    """Fail if the bucket does not exist: to DVC, every object in it is then merely missing.

    Raises
    ------
    RemoteFailedError
        No such bucket. Other failures of the question say nothing: not every key may list buckets.
    """
    if remote.kind not in ("s3", "gs", "azure"):
        return
    try:
        repo.cloud.get_remote(remote.name).fs.fs.ls(urlsplit(remote.url).hostname)
    except FileNotFoundError as error:
        raise RemoteFailedError(
            f"{remote.title} names a bucket that does not exist.",
            expected="the bucket in the remote's url.",
            fix="correct the url in .dvc/config, or create the bucket and run `dvc push`.",
        ) from error
    except OSError:
        return


def _check_address(remote: Remote, connect_s: float) -> None:
    try:
        with socket.create_connection((remote.host, remote.port or 443), timeout=connect_s):
            pass
    except OSError as error:
        raise RemoteFailedError(
            f"{remote.title} cannot be reached: {remote.host}:{remote.port or 443}: {error.strerror or error}.",
            expected="a remote that answers from where this runs.",
            fix="check the address in .dvc/config and the network or VPN of the runner.",
        ) from error
