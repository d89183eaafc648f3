"""What a server can do to a client that waits for its answer."""

import socket
import struct
import threading
from collections.abc import Callable
from dataclasses import dataclass

BYTE_EVERY_S = 0.05


@dataclass(frozen=True)
class Reply:
    play: Callable[[socket.socket, threading.Event], None]


def answer(status: int = 200, body: bytes = b"ok", **headers: str) -> Reply:
    return Reply(lambda connection, _: connection.sendall(_render(status, body, headers)))


def drip_head() -> Reply:
    """A byte of the status line and the headers at a time, without end."""

    def play(connection: socket.socket, stopped: threading.Event) -> None:
        _drip(connection, stopped, b"HTTP/1.1 200 OK\r\nX-Slow: " + b"x" * 60_000)

    return Reply(play)


def drip_body() -> Reply:
    def play(connection: socket.socket, stopped: threading.Event) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 60000\r\n\r\n")
        _drip(connection, stopped, b"x" * 60_000)

    return Reply(play)


def hang() -> Reply:
    def play(_: socket.socket, stopped: threading.Event) -> None:
        stopped.wait(60)

    return Reply(play)


def reset() -> Reply:
    def play(connection: socket.socket, _: threading.Event) -> None:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        connection.close()

    return Reply(play)


def cut() -> Reply:
    """Half of the body that the headers announce."""
    return Reply(lambda connection, _: connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf"))


def no_http() -> Reply:
    return Reply(lambda connection, _: connection.sendall(b"SSH-2.0-OpenSSH_9.2\r\n\r\n"))


def _drip(connection: socket.socket, stopped: threading.Event, data: bytes) -> None:
    for byte in data:
        if stopped.wait(BYTE_EVERY_S):
            return
        connection.sendall(bytes([byte]))


def _render(status: int, body: bytes, headers: dict[str, str]) -> bytes:
    lines = [f"HTTP/1.1 {status} Any", f"Content-Length: {len(body)}", "Connection: close"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body
