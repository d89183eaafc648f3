"""The default DVC remote as it is configured, and the credentials that its kind needs."""

from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

_PORTS = {"http": 80, "https": 443, "webdav": 80, "webdavs": 443, "ssh": 22, "s3": 443, "gs": 443, "azure": 443}

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
    """The default remote. ``url`` does not contain a password."""

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
