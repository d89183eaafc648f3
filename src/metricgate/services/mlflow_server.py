"""An MLflow server over its REST API, without MLflow's own package: 600 MB and seconds of import for a few requests."""

import base64
import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

from metricgate.services.http_client import HttpClient, Method, ServiceAnswer
from metricgate.services.mlflow_error import MlflowError, explain_page, explain_refusal
from metricgate.services.service_error import ServiceError
from metricgate.settings.mlflow import MlflowAccess

Json = Mapping[str, Any]
MAX_DOWNLOAD_BYTES = 512 << 20
_PROXIED = "mlflow-artifacts"


@dataclass(frozen=True, kw_only=True)
class MlflowServer:
    """One server, and until when it may be asked: all requests share ``ends``, a time of ``now``."""

    base: str
    headers: Mapping[str, str] = field(repr=False)
    ends: float
    now: Callable[[], float] = time.monotonic

    @classmethod
    def connect(
        cls, access: MlflowAccess, *, within_s: float, now: Callable[[], float] = time.monotonic
    ) -> "MlflowServer":
        """Return the server that ``access`` names; nothing is sent yet.

        Raises
        ------
        MlflowError
            If the address is none of an HTTP server, or there are both a token and a user.
        """
        parts = urlsplit(access.uri.get_secret_value())
        if parts.scheme not in ("http", "https"):
            raise MlflowError(
                "The address of MLflow is not that of a server.",
                expected="http:// or https:// and a host; folders and databases are not reached from here.",
                fix="Set `mlflow-uri` to the address of `mlflow server`, or of the Databricks workspace.",
            )
        base = f"{parts.scheme}://{parts.netloc}{parts.path.rstrip('/')}"  # without `#/experiments/1`
        return cls(base=base, headers=_authorise(access), ends=now() + within_s, now=now)

    def get(self, call: str, /, **query: str | int) -> Json:
        """Return the answer to a question."""
        return self._read(self._send("GET", f"{self._api(call)}?{urlencode(query)}"))

    def post(self, path: str, body: Json, *, may_repeat: bool = False) -> Json:
        """Return the answer to a change; ``may_repeat`` where doing it twice does no harm."""
        return self._change("POST", path, body, may_repeat=may_repeat)

    def patch(self, path: str, body: Json) -> Json:
        return self._change("PATCH", path, body, may_repeat=True)

    def delete(self, path: str, body: Json) -> Json:
        return self._change("DELETE", path, body, may_repeat=True)

    def upload(self, artifact_uri: str, path: str, content: bytes | Path) -> None:
        """Write one artifact below a run's ``artifact_uri``, through the server."""
        where = find_proxied(artifact_uri)
        if where is None:
            raise explain_store(artifact_uri)
        self._send("PUT", self._artifact(f"{where}/{path}"), content, {"Content-Type": "application/octet-stream"})

    def download(self, run_id: str, artifact_uri: str, path: str) -> bytes:
        """Return one artifact of a run; the server reads it from wherever it is stored."""
        where = find_proxied(artifact_uri)
        query = urlencode({"run_uuid": run_id, "path": path})
        url = f"{self.base}/get-artifact?{query}" if where is None else self._artifact(f"{where}/{path}")
        answer = self._send("GET", url, most=MAX_DOWNLOAD_BYTES)
        if not answer.is_whole:
            raise MlflowError(
                f"The artifact {path} is larger than {MAX_DOWNLOAD_BYTES >> 20} MB.",
                expected="a predictions file of at most this size.",
                fix="Log it as Parquet, with the columns that are judged only.",
            )
        if answer.headers.get("content-type", "").startswith("text/html") and not path.endswith((".html", ".htm")):
            raise explain_page("text/html")
        return answer.body

    def _change(self, method: Method, path: str, body: Json, *, may_repeat: bool) -> Json:
        data = json.dumps(body, allow_nan=False).encode()
        headers = {"Content-Type": "application/json"}
        return self._read(self._send(method, self._api(path), data, headers, may_repeat=may_repeat))

    def _api(self, path: str) -> str:
        return f"{self.base}/api/2.0/mlflow/{path}"

    def _artifact(self, path: str) -> str:
        return f"{self.base}/api/2.0/mlflow-artifacts/artifacts/{quote(path)}"

    def _send(
        self,
        method: Method,
        url: str,
        body: bytes | Path = b"",
        headers: Mapping[str, str] | None = None,
        *,
        may_repeat: bool | None = None,
        most: int = 8 << 20,
    ) -> ServiceAnswer:
        client = HttpClient(service="MLflow", within_s=max(0.1, self.ends - self.now()), max_answer_bytes=most)
        try:
            return client.send(method, url, body, {**self.headers, **(headers or {})}, may_repeat=may_repeat)
        except ServiceError as error:
            raise explain_refusal(error) from None

    @staticmethod
    def _read(answer: ServiceAnswer) -> Json:
        content_type = answer.headers.get("content-type", "")
        try:
            value = json.loads(answer.body) if "json" in content_type else None
        except ValueError:
            value = None
        if not isinstance(value, Mapping):
            raise explain_page(content_type)
        return value


def find_proxied(artifact_uri: str) -> str | None:
    """Return the path by which the server itself hands out a run's artifacts; None where another store has them."""
    parts = urlsplit(artifact_uri)
    return parts.path.strip("/") if parts.scheme == _PROXIED else None


def explain_store(artifact_uri: str) -> MlflowError:
    """Return why nothing can be written below an address of another store."""
    store = urlsplit(artifact_uri).scheme or "a folder of the server"
    return MlflowError(
        f"This MLflow server keeps artifacts in {store[:20]}, and passes none on.",
        expected="a server that passes artifacts on, so that the runner needs no access to their store.",
        fix="Start it with `mlflow server --artifacts-destination …`, and let the experiment use `mlflow-artifacts:`.",
    )


def is_databricks(artifact_uri: str) -> bool:
    """Return whether a run is kept by Databricks, whose artifacts and models have other interfaces."""
    return urlsplit(artifact_uri).scheme == "dbfs"


def _authorise(access: MlflowAccess) -> Mapping[str, str]:
    token, password = access.token.get_secret_value(), access.password.get_secret_value()
    if token and (access.username or password):
        raise MlflowError(
            "Both `mlflow-token` and `mlflow-username` are set.",
            expected="a token, or a user with a password.",
            fix="Leave one of them out.",
        )
    if token:
        return {"Authorization": f"Bearer {token}"}
    if access.username or password:
        pair = base64.b64encode(f"{access.username}:{password}".encode()).decode()
        return {"Authorization": f"Basic {pair}"}
    return {}
