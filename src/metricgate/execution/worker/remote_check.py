"""Whether the default remote can be reached at all, found out within seconds."""

import os
import socket
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from metricgate.execution.worker.dvc_failures import RemoteFailedError
from metricgate.execution.worker.dvc_remote import Remote, describe_remote

CONNECT_S = 5.0
_PROXIES = ("http_proxy", "https_proxy", "all_proxy")


def check_remote(repo: Any, *, connect_s: float = CONNECT_S) -> None:
    """Check within ``connect_s`` seconds that the remote can be reached at all: its client would retry for minutes.

    Raises
    ------
    RemoteFailedError
        There is no default remote, its folder does not exist, or nothing answers at its address.
    """
    remote = describe_remote(repo)
    if remote is None:
        raise RemoteFailedError(
            "Files have to be fetched, but DVC has no default remote.",
            expected="a default remote in .dvc/config that holds the data and results.",
            fix="run `dvc remote add --default NAME URL`, `dvc push`, and commit .dvc/config.",
            topic="there-is-no-remote",
        )
    if remote.kind == "local" and not Path(remote.url).is_dir():
        raise RemoteFailedError(
            f"{remote.title} is a folder that does not exist here.",
            expected=f"{remote.needs}.",
            fix="correct the remote's url, mount the folder, or use a remote that CI can reach.",
            topic="the-remote-cannot-be-reached",
        )
    if remote.host and not any(os.environ.get(name) or os.environ.get(name.upper()) for name in _PROXIES):
        _check_address(remote, connect_s)


def check_bucket(repo: Any, remote: Remote) -> None:
    """Check that the bucket exists: if it does not, DVC only reports every object in it as missing.

    Raises
    ------
    RemoteFailedError
        The bucket does not exist. Other failures mean nothing: not every key may list buckets.
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
            topic="the-remote-cannot-be-reached",
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
            expected="a remote that this machine can reach.",
            fix="check the address in .dvc/config and the network or VPN of the runner.",
            topic="the-remote-cannot-be-reached",
        ) from error
