"""A real server on loopback that answers as it is told: in time, a byte at a time, never, or half."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

from tests.services.awkward_replies import Reply


@dataclass
class AwkwardServer:
    """Gives one reply to each connection, the last one again and again; keeps what it was sent."""

    replies: list[Reply]
    listener: socket.socket = field(default_factory=lambda: socket.create_server(("127.0.0.1", 0)))
    requests: list[bytes] = field(default_factory=list)
    stopped: threading.Event = field(default_factory=threading.Event)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.listener.getsockname()[1]}"

    def serve(self) -> None:
        while not self.stopped.is_set():
            with suppress(OSError):
                connection, _ = self.listener.accept()
                threading.Thread(target=self._answer, args=(connection,), daemon=True).start()

    def _answer(self, connection: socket.socket) -> None:
        with connection, suppress(OSError):
            request = _read_request(connection)
            if not request:
                return
            reply = self.replies[min(len(self.requests), len(self.replies) - 1)]
            self.requests.append(request)
            reply.play(connection, self.stopped)


def _read_request(connection: socket.socket) -> bytes:
    data = b""
    while b"\r\n\r\n" not in data:
        piece = connection.recv(65536)
        if not piece:
            return b""
        data += piece
    head, _, body = data.partition(b"\r\n\r\n")
    length = next((int(line[15:]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:")), 0)
    while len(body) < length:
        body += connection.recv(65536)
    return head + b"\r\n\r\n" + body


@contextmanager
def serve(*replies: Reply) -> Iterator[AwkwardServer]:
    server = AwkwardServer(list(replies))
    thread = threading.Thread(target=server.serve, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.stopped.set()
        with suppress(OSError):  # wakes the thread that waits for a connection
            socket.create_connection(server.listener.getsockname(), timeout=5).close()
        thread.join(5)
        server.listener.close()
