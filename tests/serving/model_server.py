"""A model server on loopback that speaks three protocols, and answers well, or as real ones go wrong."""

import json
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Row = dict[str, Any]
Manner = Callable[["ModelServer", list[Row]], Any]


class ModelServer(ThreadingHTTPServer):
    """Answers each request with what ``manner`` makes of its rows; keeps what it was sent."""

    daemon_threads = True

    def __init__(self, manner: Manner) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.manner = manner
        self.requests: list[tuple[str, dict[str, str], Any]] = []

    def address(self, path: str = "/invocations") -> str:
        return f"http://127.0.0.1:{self.server_address[1]}{path}"


class Handler(BaseHTTPRequestHandler):
    server: ModelServer

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.requests.append((self.path, dict(self.headers), body))
        answer = self.server.manner(self.server, list_rows(body))
        if isinstance(answer, Reply):
            self._reply(answer.status, answer.kind, answer.body, answer.location)
            return
        self._reply(200, "application/json", json.dumps(wrap(self.path, answer)).encode())

    def _reply(self, status: int, kind: str, body: bytes, location: str = "") -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        if location:
            self.send_header("Location", location)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


class Reply:
    """An answer as bytes."""

    def __init__(self, status: int, body: bytes, kind: str = "text/html", location: str = "") -> None:
        self.status, self.body, self.kind, self.location = status, body, kind, location


def list_rows(body: Any) -> list[Row]:
    """Return the rows of a request in any of the protocols."""
    if isinstance(body, list):
        return body
    if "dataframe_split" in body:
        return [
            dict(zip(body["dataframe_split"]["columns"], row, strict=True)) for row in body["dataframe_split"]["data"]
        ]
    if "instances" in body:
        return [{"x": row[0], "kind": row[1]} for row in body["instances"]]
    columns = {part["name"]: part["data"] for part in body["inputs"]}
    return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]


def wrap(path: str, answers: Sequence[Any]) -> Any:
    if path.startswith("/v2/"):
        flat = [value for answer in answers for value in (answer if isinstance(answer, list) else [answer])]
        return {"outputs": [{"name": "predict", "shape": [len(answers)], "datatype": "FP64", "data": flat}]}
    return list(answers) if path == "/predict" else {"predictions": list(answers)}


def score(row: Row) -> float:
    """Return what the judged model answers: a third of x, and more for kind b."""
    return float(row["x"]) / 3 + (0.1 if row["kind"] == "b" else 0.0)


def answer_well(_: ModelServer, rows: list[Row]) -> Any:
    return [score(row) for row in rows]


def lag(seconds: float) -> Manner:
    def answer(_: ModelServer, rows: list[Row]) -> Any:
        time.sleep(seconds)
        return [score(row) for row in rows]

    return answer


@contextmanager
def serve_model(manner: Manner = answer_well) -> Iterator[ModelServer]:
    server = ModelServer(manner)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
        thread.join(5)
