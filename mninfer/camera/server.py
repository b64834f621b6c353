"""A web page with the live picture: ``/`` the page, ``/stream.mjpg`` the frames, ``/events`` what was found in each.

For one's own screen, on the loopback address unless told otherwise: no accounts, no encryption.
"""

import errno
import ipaddress
import socket
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.resources import files
from socketserver import TCPServer
from time import monotonic

from mninfer.camera.broadcast import Broadcast
from mninfer.errors import OutputError

__all__ = ["PageServer", "is_loopback"]

_MOST_VIEWERS = 32
_SEND_TIMEOUT_S = 10.0  # a viewer that takes nothing for so long is let go
_SILENCE_S = 5.0
_FAREWELL_S = 1.0
_BOUNDARY = "frame"


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach ``host``."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


class PageServer:
    """Serves a ``Broadcast`` in threads of its own until closed. Port 0 takes a free one; ``url`` says which."""

    def __init__(self, broadcast: Broadcast, *, host: str, port: int) -> None:
        self._broadcast = broadcast
        try:
            self._server = _Server(broadcast, host, port)
        except (OSError, OverflowError) as error:
            raise OutputError(
                f"cannot serve there: {getattr(error, 'strerror', None) or error}",
                where=f"{host}:{port}",
                hints=_elsewhere(error, port),
            ) from error
        shown = f"[{host}]" if ":" in host else host
        self.url = f"http://{shown}:{self._server.server_address[1]}/"
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.1}, daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Stop listening; let the viewers go, who are told that it is over where they still listen."""
        self._broadcast.close()
        self._server.shutdown()
        give_up = monotonic() + _FAREWELL_S
        for _ in range(_MOST_VIEWERS):
            self._server.viewers.acquire(timeout=max(give_up - monotonic(), 0))
        self._server.server_close()
        self._thread.join(timeout=2)


def _elsewhere(error: OSError | OverflowError, port: int) -> str:
    if isinstance(error, socket.gaierror) or getattr(error, "errno", None) == errno.EADDRNOTAVAIL:
        return "an address of this machine: --host 127.0.0.1, or 0.0.0.0 for all that it has"
    return f"another port: --http {port + 1 if 1024 <= port < 65535 else 8000}"


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False

    def __init__(self, broadcast: Broadcast, host: str, port: int) -> None:
        self.broadcast = broadcast
        self.viewers = threading.BoundedSemaphore(_MOST_VIEWERS)
        self.checks_host = is_loopback(host)
        if ":" in host:
            self.address_family = socket.AF_INET6
        super().__init__((host, port), _Page)

    def server_bind(self) -> None:
        """As every TCP server; HTTPServer's own looks up the host's full name, and waits where no name server is."""
        TCPServer.server_bind(self)
        self.server_name, self.server_port = self.server_address[:2]  # type: ignore[assignment]

    def handle_error(self, request: object, client_address: object) -> None:
        """A viewer that goes away is no news."""


class _Page(BaseHTTPRequestHandler):
    server: _Server
    protocol_version = "HTTP/1.1"
    server_version, sys_version = "mninfer", ""
    timeout = _SEND_TIMEOUT_S

    def do_GET(self) -> None:
        if self.server.checks_host and not self._is_asked_for_loopback():
            self.send_error(403, "This page answers to the loopback address only")
            return
        path = self.path.partition("?")[0]
        routes: dict[str, Callable[[], None]] = {
            "/": self._send_page,
            "/stream.mjpg": lambda: self._to_viewer(self._send_frames),
            "/events": lambda: self._to_viewer(self._send_events),
            "/frame.jpg": self._send_next_frame,
            "/status.json": self._send_newest_status,
        }
        if path not in routes:
            self.send_error(404)
            return
        try:
            routes[path]()
        except OSError:  # the viewer has gone, or takes nothing any more
            self.close_connection = True

    def _is_asked_for_loopback(self) -> bool:
        """Whether the browser asked for a loopback name: another site's that points here is DNS rebinding."""
        host = self.headers.get("Host", "localhost")
        name = host[: host.index("]") + 1] if host.startswith("[") and "]" in host else host.partition(":")[0]
        return is_loopback(name)

    def _send_page(self) -> None:
        self._send(files("mninfer.camera").joinpath("page.html").read_bytes(), "text/html; charset=utf-8")

    def _send_next_frame(self) -> None:
        with self.server.broadcast.watching():
            update = self.server.broadcast.newer_than(0, _SILENCE_S, needs_picture=True)
        self._send_update(update.jpeg if update else None, "image/jpeg")

    def _send_newest_status(self) -> None:
        update = self.server.broadcast.newer_than(0, _SILENCE_S)
        self._send_update(update.status if update else None, "application/json")

    def _send_update(self, body: bytes | None, kind: str) -> None:
        if body is None:
            self.send_error(503, "No frame yet")
            return
        self._send(body, kind)

    def _send(self, body: bytes, kind: str) -> None:
        self.send_response(200)
        self._send_common_headers(kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def _send_common_headers(self, kind: str) -> None:
        self.send_header("Content-Type", kind)
        self.send_header("Cache-Control", "no-store")
        self.send_header("X-Content-Type-Options", "nosniff")
        self.send_header("Cross-Origin-Resource-Policy", "same-origin")

    def _to_viewer(self, send: Callable[[], None]) -> None:
        if not self.server.viewers.acquire(blocking=False):
            self.send_error(503, f"{_MOST_VIEWERS} viewers are watching already")
            return
        try:
            self.close_connection = True  # both streams go on until somebody hangs up
            send()
        finally:
            self.server.viewers.release()

    def _send_frames(self) -> None:
        with self.server.broadcast.watching():
            self.send_response(200)
            self._send_common_headers(f"multipart/x-mixed-replace; boundary={_BOUNDARY}")
            self.end_headers()
            number = 0
            while not self.server.broadcast.is_closed:
                update = self.server.broadcast.newer_than(number, _SILENCE_S, needs_picture=True)
                if update is None or update.jpeg is None:
                    continue
                number = update.number
                head = f"--{_BOUNDARY}\r\nContent-Type: image/jpeg\r\nContent-Length: {len(update.jpeg)}\r\n\r\n"
                self.wfile.write(head.encode() + update.jpeg + b"\r\n")

    def _send_events(self) -> None:
        self.send_response(200)
        self._send_common_headers("text/event-stream")
        self.end_headers()
        number = 0
        while not self.server.broadcast.is_closed:
            update = self.server.broadcast.newer_than(number, _SILENCE_S)
            if self.server.broadcast.is_closed:
                break
            if update is None:
                self.wfile.write(b": nothing new\n\n")  # finds out whether anybody is still there
                continue
            number = update.number
            self.wfile.write(b"data: " + update.status + b"\n\n")
        self.wfile.write(b"event: end\ndata: {}\n\n")

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # the base class's name
        """Nobody asked for a log of requests."""
