"""A web of one host, 127.0.0.1: serves files as the real publishers do, with their faults."""

from __future__ import annotations

import hashlib
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit


@dataclass
class Page:
    """What an address gives, and how badly.

    Parameters
    ----------
    body : bytes or callable
        The content; a callable gets the request and returns it.
    faults : list
        One for each of the first answers: a status, ``("wait", status, seconds)``, ``("cut", n)``
        drops the connection after n bytes, ``("silent", s)`` says nothing for s seconds.
    """

    body: bytes | Callable[[Any], bytes] = b""
    faults: list[Any] = field(default_factory=list)
    resumable: bool = True
    length: bool = True
    slow_s: float = 0.0


@dataclass
class Web:
    """The server's address, its pages, and what was asked of it."""

    pages: dict[str, Page] = field(default_factory=dict)
    asked: list[tuple[str, str, dict[str, str]]] = field(default_factory=list)
    port: int = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def put(self, path: str, body: Any, *faults: Any, resumable: bool = True, length: bool = True,
            slow_s: float = 0.0) -> str:
        self.pages[path] = Page(body, list(faults), resumable, length, slow_s)
        return self.url + path

    def ranges(self, path: str) -> list[str]:
        return [headers.get("range", "") for _, at, headers in self.asked if at == path]


class _Handler(BaseHTTPRequestHandler):
    web: Web

    def do_GET(self) -> None:
        self._answer(b"")

    def do_POST(self) -> None:
        self._answer(self.rfile.read(int(self.headers["Content-Length"])))

    def _answer(self, posted: bytes) -> None:
        path = urlsplit(self.path).path
        self.posted = posted
        self.web.asked.append((self.command, path,
                               {k.lower(): v for k, v in self.headers.items()}))
        page = self.web.pages.get(path)
        if page is None:
            self._say(404, b"<html>not found</html>")
            return
        fault = page.faults.pop(0) if page.faults else None
        if isinstance(fault, int):
            self._say(fault, b"<html>no</html>")
        elif isinstance(fault, tuple) and fault[0] == "wait":
            self._say(fault[1], b"busy", {"Retry-After": str(fault[2])})
        else:
            if isinstance(fault, tuple) and fault[0] == "silent":
                time.sleep(fault[1])
            body = page.body(self) if callable(page.body) else page.body
            self._give(page, body, fault[1] if fault and fault[0] == "cut" else None)

    def _give(self, page: Page, body: bytes, cut: int | None) -> None:
        tag = f'"{hashlib.md5(body).hexdigest()}"'
        first, status, more = 0, 200, {}
        if page.resumable:
            more = {"ETag": tag, "Accept-Ranges": "bytes"}
            wanted = self.headers.get("Range", "")
            if wanted and self.headers.get("If-Range", tag) == tag:
                first, status = int(wanted.removeprefix("bytes=").split("-")[0]), 206
                if first >= len(body):
                    self._say(416, b"")
                    return
                more["Content-Range"] = f"bytes {first}-{len(body) - 1}/{len(body)}"
        rest = body[first:]
        self._say(status, rest, more, cut, page.length, page.slow_s)

    def _say(self, status: int, body: bytes, more: dict[str, str] | None = None,
             cut: int | None = None, length: bool = True, slow_s: float = 0.0) -> None:
        self.send_response(status)
        for name, value in (more or {}).items():
            self.send_header(name, value)
        if length:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.close_connection = True
        try:
            for start in range(0, len(body if cut is None else body[:cut]), 1 << 14):
                self.wfile.write((body if cut is None else body[:cut])[start:start + (1 << 14)])
                time.sleep(slow_s)
            if cut is not None:
                self.wfile.flush()
                self.connection.shutdown(socket.SHUT_RDWR)
        except OSError:
            return

    def log_message(self, *_: object) -> None:
        """Be quiet."""


@contextmanager
def serving() -> Iterator[Web]:
    """Serve on a free port."""
    web = Web()
    handler = type("Handler", (_Handler,), {"web": web})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    web.port = server.server_port
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    yield web
    server.shutdown()
    server.server_close()
    thread.join()
