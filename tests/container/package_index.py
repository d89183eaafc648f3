"""A package index on this machine, which takes uploads and never takes a file twice: `package_index.py FOLDER`.

It runs as a process of its own: pypiserver imports a module that Python has deprecated.
"""

import sys
from wsgiref.simple_server import WSGIRequestHandler, make_server

import pypiserver


class QuietHandler(WSGIRequestHandler):
    def log_message(self, *_arguments: object) -> None:
        """Stay silent."""


APP = pypiserver.app(roots=[sys.argv[1]], authenticate=[], password_file=".", disable_fallback=True)
with make_server("127.0.0.1", 0, APP, handler_class=QuietHandler) as server:
    sys.stdout.write(f"{server.server_port}\n")
    sys.stdout.flush()
    server.serve_forever()
