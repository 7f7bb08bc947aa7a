"""A web server of this machine that answers as hostile ones do."""

from __future__ import annotations

import contextlib
import gzip
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import NamedTuple

Answer = Callable[[BaseHTTPRequestHandler], None]


class Server(NamedTuple):
    """A server that is there.

    Attributes:
        url: Its address, without a path.
        asked: What it was asked for so far, with the headers in small letters.
    """

    url: str
    asked: list[tuple[str, dict[str, str]]]


def answer(body: bytes, *headers: tuple[str, str], status: int = 200, length: int = -1) -> Answer:
    """Return what answers with a body; of another length than it says, if that is given."""

    def send(request: BaseHTTPRequestHandler) -> None:
        request.send_response(status)
        request.send_header("Content-Length", str(len(body) if length < 0 else length))
        for name, value in headers:
            request.send_header(name, value)
        request.end_headers()
        request.wfile.write(body)

    return send


def redirect(to: str) -> Answer:
    return answer(b"", ("Location", to), status=302)


def _forever(start: bytes, piece: bytes, seconds: float = 0.0) -> Answer:
    def send(request: BaseHTTPRequestHandler) -> None:
        request.wfile.write(start)
        while True:
            request.wfile.write(piece)
            time.sleep(seconds)

    return send


def bomb(size: int) -> Answer:
    return answer(gzip.compress(bytes(size)), ("Content-Encoding", "gzip"))


endless = _forever(b"HTTP/1.0 200 OK\r\n\r\n", bytes(100_000))
drip = _forever(b"HTTP/1.0 200 OK\r\n\r\n", b"x", 0.05)
drip_header = _forever(b"HTTP/1.0 200 OK\r\nX-A: ", b"x", 0.05)


@contextlib.contextmanager
def serving(answers: dict[str, Answer], certificate: Path | None = None) -> Iterator[Server]:
    """Serve answers by path, and 404 for all others; by HTTPS with a certificate and its key."""
    asked: list[tuple[str, dict[str, str]]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append((self.path, {k.lower(): v for k, v in self.headers.items()}))
            with contextlib.suppress(OSError):
                answers.get(self.path, answer(b"", status=404))(self)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    if certificate:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)
        server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.daemon = True
    thread.start()
    try:
        yield Server(f"http://127.0.0.1:{server.server_port}", asked)
    finally:
        server.shutdown()
        server.server_close()
