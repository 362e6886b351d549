"""A stand-in for a model's server, in a notebook's own process."""

from __future__ import annotations

from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread


class _Upstream(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"  # the connection stays open after an answer

    def do_GET(self) -> None:
        self.send_response_only(204)
        self.end_headers()


def keeps_open() -> str:
    """Answer every GET with nothing, over connections that stay open; return the URL.

    It serves on a port of loopback for as long as this process lives.
    """
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Upstream)
    server.handle_error = lambda *_: None  # type: ignore[method-assign]
    Thread(target=server.serve_forever, daemon=True).start()
    return f"http://127.0.0.1:{server.server_port}"
