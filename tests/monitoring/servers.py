"""Prometheus and a Pushgateway from Debian's packages, on loopback, each ended by its own handle."""

import contextlib
import json
import shutil
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
import requests

ROOT = Path(__file__).parents[2]
MONITORING = ROOT / "examples/monitoring"
WATCHDOG_S = 60.0


def find_program(name: str) -> str:
    found = shutil.which(name)
    if found is None:
        pytest.skip(f"{name} is not installed")
    return found


def promtool(*arguments: str, text: str | None = None) -> str:
    """Return what promtool says; it must succeed."""
    command = [find_program("promtool"), *arguments]
    done = subprocess.run(command, input=text, cwd=MONITORING, check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


def choose_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def wait_for(what: str, check: Callable[[], Any]) -> Any:
    """Return the first true answer of ``check``; fail after the watchdog's time."""
    ends = time.monotonic() + WATCHDOG_S
    while time.monotonic() < ends:
        with contextlib.suppress(requests.ConnectionError):
            if found := check():
                return found
        time.sleep(0.1)
    raise AssertionError(f"{what}: not within {WATCHDOG_S:g} s")


@dataclass(frozen=True)
class Server:
    """A process that serves ``url``."""

    url: str
    process: subprocess.Popen[bytes]

    def stop(self) -> None:
        self.process.terminate()
        self.process.wait(20)


@contextlib.contextmanager
def _start(command: list[str], port: int, log: Path) -> Iterator[Server]:
    with log.open("wb") as stream:
        process = subprocess.Popen(command, stdout=stream, stderr=subprocess.STDOUT)
        server = Server(f"http://127.0.0.1:{port}", process)
        try:
            wait_for(log.name, lambda: requests.get(f"{server.url}/-/ready", timeout=5).ok)
            yield server
        finally:
            server.stop()


@contextlib.contextmanager
def run_pushgateway(folder: Path) -> Iterator[Server]:
    port = choose_port()
    command = [find_program("prometheus-pushgateway"), f"--web.listen-address=127.0.0.1:{port}"]
    with _start(command, port, folder / "pushgateway.log") as server:
        yield server


@contextlib.contextmanager
def run_prometheus(folder: Path, gateway: Server) -> Iterator["Prometheus"]:
    """Run it with the example's rules, against ``gateway``, ten times as often as a second."""
    port = choose_port()
    program = find_program("prometheus")
    config = (MONITORING / "prometheus.yml").read_text(encoding="utf-8")
    for old, new in {
        "pushgateway:9091": gateway.url.removeprefix("http://"),
        "[rules.yml]": f"[{MONITORING / 'rules.yml'}]",
        "interval: 1m": "interval: 200ms",
    }.items():
        assert old in config
        config = config.replace(old, new)
    (folder / "prometheus.yml").write_text(config, encoding="utf-8")
    command = [
        program,
        f"--config.file={folder / 'prometheus.yml'}",
        f"--storage.tsdb.path={folder / 'data'}",
        f"--web.listen-address=127.0.0.1:{port}",
    ]
    with _start(command, port, folder / "prometheus.log") as server:
        yield Prometheus(server.url)


@dataclass(frozen=True)
class Prometheus:
    url: str

    def query(self, expression: str) -> list[dict[str, Any]]:
        address = f"{self.url}/api/v1/query?{urlencode({'query': expression})}"
        answer = json.loads(requests.get(address, timeout=20).content)
        assert answer["status"] == "success", answer
        result = answer["data"]["result"]
        assert isinstance(result, list)
        return result

    def alerts(self) -> dict[str, str]:
        """Return the state of each alert: pending or firing."""
        found = json.loads(requests.get(f"{self.url}/api/v1/alerts", timeout=20).content)["data"]["alerts"]
        return {one["labels"]["alertname"]: one["state"] for one in found}

    def wait_for_alert(self, name: str, state: str = "firing") -> None:
        wait_for(f"{name} is {state}", lambda: self.alerts().get(name) == state)

    def wait_for_silence(self, name: str) -> None:
        wait_for(f"{name} is silent", lambda: name not in self.alerts())
