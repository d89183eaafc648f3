"""A server on loopback that keeps runs, models and artifacts as MLflow does, for tests of what must be quick.

What it refuses, MLflow refuses with the same status, code and words; test_real_server.py runs against MLflow itself.
"""

import json
import re
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

Json = dict[str, Any]
NAME = re.compile(r"^[/\w.\- :]*$")
API, ARTIFACTS = "/api/2.0/mlflow/", "/api/2.0/mlflow-artifacts/artifacts/"
MISSING, EXISTS, INVALID = "RESOURCE_DOES_NOT_EXIST", "RESOURCE_ALREADY_EXISTS", "INVALID_PARAMETER_VALUE"


class RefusedError(Exception):
    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status, self.body = status, {"error_code": code, "message": message}


@dataclass(frozen=True, kw_only=True)
class Fault:
    """What the server answers to paths that hold ``path``, instead of what it should."""

    path: str
    status: int
    body: bytes = b""
    content_type: str = "text/html"
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass
class FakeMlflow:
    url: str = ""
    artifact_root: str = "mlflow-artifacts:/1"
    experiments: list[Json] = field(default_factory=list)
    runs: dict[str, Json] = field(default_factory=dict)
    models: dict[str, Json] = field(default_factory=dict)
    artifacts: dict[str, bytes] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)
    requests: list[tuple[str, str, Mapping[str, str]]] = field(default_factory=list)
    lock: threading.RLock = field(default_factory=threading.RLock)

    # What a test looks at.

    def tags(self, run_id: str) -> dict[str, str]:
        return dict(self.runs[run_id]["tags"])

    @property
    def active(self) -> list[str]:
        return [run_id for run_id, run in self.runs.items() if run["info"]["lifecycle_stage"] == "active"]

    def versions(self, model: str) -> list[Json]:
        return list(self.models.get(model, {"versions": []})["versions"])

    def aliases(self, model: str) -> dict[str, str]:
        return dict(self.models[model]["aliases"])

    # What MLflow does.

    def answer(self, method: str, call: str, body: Json) -> Json:
        name = "do_" + re.sub(r"\W", "_", f"{method} {call}").lower()
        with self.lock:
            handler = getattr(self, name, None)
            if handler is None:
                raise RefusedError(404, "", "no such path")
            found: Json = handler(body)
            return found

    def do_get_experiments_get_by_name(self, body: Json) -> Json:
        for one in self.experiments:
            if one["name"] == body["experiment_name"]:
                return {"experiment": one}
        raise RefusedError(404, MISSING, f"Could not find experiment with name '{body['experiment_name']}'")

    def do_get_experiments_search(self, _: Json) -> Json:
        return {"experiments": self.experiments[:1]}

    def do_post_experiments_create(self, body: Json) -> Json:
        if any(one["name"] == body["name"] for one in self.experiments):
            raise RefusedError(400, EXISTS, f"Experiment '{body['name']}' already exists.")
        number = str(len(self.experiments) + 1)
        self.experiments.append({"name": body["name"], "experiment_id": number, "lifecycle_stage": "active"})
        return {"experiment_id": number}

    def do_post_runs_create(self, body: Json) -> Json:
        run_id = f"{len(self.runs) + 1:032x}"
        info = {
            "run_id": run_id,
            "experiment_id": body["experiment_id"],
            "artifact_uri": f"{self.artifact_root}/{run_id}/artifacts",
            "start_time": body["start_time"],
            "lifecycle_stage": "active",
            "status": "RUNNING",
        }
        tags = {one["key"]: one["value"] for one in body.get("tags", [])}
        self.runs[run_id] = {"info": info, "tags": tags, "params": {}, "metrics": {}}
        return {"run": self._show(run_id)}

    def do_get_runs_get(self, body: Json) -> Json:
        return {"run": self._show(self._require(body["run_id"]))}

    def do_post_runs_search(self, body: Json) -> Json:
        wanted = re.findall(r"tags\.`(.+?)` = '(.*?)'", body["filter"])
        found = [
            self._show(run_id)
            for run_id in self.active
            if self.runs[run_id]["info"]["experiment_id"] in body["experiment_ids"]
            if all(self.runs[run_id]["tags"].get(key) == value for key, value in wanted)
        ]
        return {"runs": found} if found else {}

    def do_post_runs_delete(self, body: Json) -> Json:
        self.runs[self._require(body["run_id"])]["info"]["lifecycle_stage"] = "deleted"
        return {}

    def do_post_runs_update(self, body: Json) -> Json:
        run = self._require_active(body["run_id"])
        run["info"] |= {key: body[key] for key in ("status", "end_time") if key in body}
        return {"run_info": run["info"]}

    def do_post_runs_log_batch(self, body: Json) -> Json:
        run = self._require_active(body["run_id"])
        for kind, most in (("metrics", 1000), ("params", 100), ("tags", 100)):
            values = body.get(kind, [])
            if len(values) > most:
                raise RefusedError(400, INVALID, f"A batch logging request can contain at most {most} {kind}.")
            for one in values:
                key, value = one["key"], one["value"]
                if not NAME.match(key) or len(key) > 250 or "//" in key or key.startswith("/"):
                    raise RefusedError(400, INVALID, f"Invalid value \"{key}\" for parameter '{kind}[0].name' supplied")
                if kind == "params" and run["params"].get(key, value) != value:
                    raise RefusedError(400, INVALID, "Changing param values is not allowed.")
                run[kind][key] = value[:6000] if kind == "params" else value
        return {}

    def do_get_artifacts_list(self, body: Json) -> Json:
        root = self.runs[self._require(body["run_id"])]["info"]["artifact_uri"].partition(":/")[2]
        folder = f"{root}/{body['path']}/" if body.get("path") else f"{root}/"
        inside = [name.removeprefix(folder) for name in self.artifacts if name.startswith(folder)]
        names = {part.split("/")[0]: "/" in part for part in inside}
        shown = folder.removeprefix(f"{root}/")
        return {"files": [{"path": f"{shown}{name}", "is_dir": is_dir} for name, is_dir in names.items()]}

    def log(
        self, *, artifacts: Mapping[str, bytes], tags: Mapping[str, str] | None = None, experiment: str = "1"
    ) -> str:
        """Log a run as training does, and return its ID."""
        pairs = [{"key": key, "value": value} for key, value in (tags or {}).items()]
        created = self.do_post_runs_create({"experiment_id": experiment, "start_time": 5, "tags": pairs})
        info = created["run"]["info"]
        root = info["artifact_uri"].partition(":/")[2]
        self.artifacts |= {f"{root}/{name}": content for name, content in artifacts.items()}
        self.runs[info["run_id"]]["metrics"]["roc_auc"] = 0.99
        return str(info["run_id"])

    def do_post_registered_models_create(self, body: Json) -> Json:
        if "/" in body["name"] or ":" in body["name"]:
            raise RefusedError(400, INVALID, f"Invalid model name: '{body['name']}'.")
        if body["name"] in self.models:
            raise RefusedError(400, EXISTS, f"Registered Model (name={body['name']}) already exists.")
        self.models[body["name"]] = {"versions": [], "aliases": {}}
        return {"registered_model": {"name": body["name"]}}

    def do_get_registered_models_get(self, body: Json) -> Json:
        aliases = [{"alias": key, "version": value} for key, value in self._model(body)["aliases"].items()]
        return {"registered_model": {"name": body["name"], "aliases": aliases}}

    def do_get_model_versions_search(self, body: Json) -> Json:
        [name] = re.findall(r"name = '(.*?)'", body["filter"])
        wanted = re.findall(r"tags\.`(.+?)` = '(.*?)'", body["filter"])
        found = [
            one
            for one in reversed(self.versions(name))
            if all({"key": key, "value": value} in one["tags"] for key, value in wanted)
        ]
        return {"model_versions": found} if found else {}

    def do_post_model_versions_create(self, body: Json) -> Json:
        if urlsplit(body["source"]).scheme not in ("mlflow-artifacts", "s3", "gs", "dbfs", "models"):
            raise RefusedError(400, INVALID, f"Invalid model version source: '{body['source']}'.")
        versions = self._model(body)["versions"]
        made = {**body, "version": str(len(versions) + 1), "status": "READY"}
        versions.append({**made, "tags": list(body.get("tags", []))})
        return {"model_version": versions[-1]}

    def do_post_model_versions_set_tag(self, body: Json) -> Json:
        [version] = [one for one in self._model(body)["versions"] if one["version"] == body["version"]]
        kept = [one for one in version["tags"] if one["key"] != body["key"]]
        version["tags"] = [*kept, {"key": body["key"], "value": body["value"]}]
        return {}

    def do_post_registered_models_alias(self, body: Json) -> Json:
        self._model(body)["aliases"][body["alias"]] = body["version"]
        return {}

    def do_get_registered_models_alias(self, body: Json) -> Json:
        model = self._model(body)
        version = model["aliases"].get(body["alias"])
        if version is None:
            raise RefusedError(400, INVALID, f"Registered model alias {body['alias']} not found.")
        return {"model_version": next(one for one in model["versions"] if one["version"] == version)}

    def _model(self, body: Json) -> Json:
        if body["name"] not in self.models:
            raise RefusedError(404, MISSING, f"Registered Model with name={body['name']} not found")
        model: Json = self.models[body["name"]]
        return model

    def _require(self, run_id: str) -> str:
        if run_id not in self.runs:
            raise RefusedError(404, MISSING, f"Run with id={run_id} not found")
        return run_id

    def _require_active(self, run_id: str) -> Json:
        run: Json = self.runs[self._require(run_id)]
        if run["info"]["lifecycle_stage"] != "active":
            raise RefusedError(
                400, INVALID, f"The run {run_id} must be in the 'active' state. Current state is deleted."
            )
        return run

    def _show(self, run_id: str) -> Json:
        run = self.runs[run_id]
        data = {
            kind: [{"key": key, "value": value} for key, value in run[kind].items()]
            for kind in ("tags", "params", "metrics")
        }
        return {"info": run["info"], "data": data}

    @contextmanager
    def serve(self) -> Iterator["FakeMlflow"]:
        fake = self

        class Handler(BaseHTTPRequestHandler):
            def answer(self) -> None:
                parts = urlsplit(self.path)
                content = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                fake.requests.append((self.command, self.path, dict(self.headers)))
                status, content_type, headers, body = reply(fake, self.command, parts.path, parts.query, content)
                self.send_response(status)
                for name, value in {"Content-Type": content_type, "Content-Length": str(len(body)), **headers}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                pass

        for method in ("GET", "POST", "PUT", "PATCH", "DELETE"):
            setattr(Handler, f"do_{method}", Handler.answer)
        with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
            self.url = f"http://127.0.0.1:{server.server_port}"
            thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
            thread.start()
            yield self
            server.shutdown()
            thread.join(5)


Reply = tuple[int, str, Mapping[str, str], bytes]


def reply(fake: FakeMlflow, method: str, path: str, query: str, content: bytes) -> Reply:
    for fault in fake.faults:
        if fault.path in path:
            return fault.status, fault.content_type, fault.headers, fault.body
    try:
        if path.startswith(ARTIFACTS):
            return _serve_artifact(fake, method, unquote(path.removeprefix(ARTIFACTS)), content)
        body = dict(parse_qsl(query)) if method == "GET" else json.loads(content or b"{}")
        call = path.removeprefix(API) if path.startswith(API) else "nothing"
        return 200, "application/json", {}, json.dumps(fake.answer(method, call, body)).encode()
    except RefusedError as error:
        if not error.body["error_code"]:
            return 404, "text/html", {}, b"<!doctype html><title>404 Not Found</title>"
        return error.status, "application/json", {}, json.dumps(error.body).encode()


def _serve_artifact(fake: FakeMlflow, method: str, name: str, content: bytes) -> Reply:
    if method == "PUT":
        fake.artifacts[name] = content
        return 200, "", {}, b""
    if name not in fake.artifacts:
        raise RefusedError(404, MISSING, f"No such artifact: '{name}'")
    return 200, "text/plain", {}, fake.artifacts[name]
