import errno
import http.client
import json
import shutil
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from socketserver import TCPServer

import cv2
import numpy as np
import pytest

from mninfer.camera import broadcast as broadcast_module
from mninfer.camera.broadcast import Broadcast
from mninfer.camera.server import PageServer, _Page, is_loopback
from mninfer.errors import OutputError


def picture(level: int, size: int = 64) -> Callable[[], np.ndarray]:
    return lambda: np.full((size, size, 3), level, np.uint8)


def status(frame: int, label: str = "cat") -> dict[str, object]:
    return {
        "model": "m.tflite",
        "frame": frame,
        "frames_per_second": 12.34,
        "predictions": [{"label": label, "index": 0, "score": 0.75}],
        "preprocess_source": "file",
    }


@pytest.fixture
def page() -> Iterator[tuple[Broadcast, PageServer]]:
    broadcast = Broadcast()
    server = PageServer(broadcast, host="127.0.0.1", port=0)
    yield broadcast, server
    server.close()


def connect(server: PageServer) -> http.client.HTTPConnection:
    host, port = server.url.removeprefix("http://").rstrip("/").rsplit(":", 1)
    return http.client.HTTPConnection(host, int(port), timeout=5)


def get(server: PageServer, path: str, **headers: str) -> tuple[int, bytes]:
    connection = connect(server)
    connection.request("GET", path, headers=headers)
    response = connection.getresponse()
    body = response.read()
    connection.close()
    return response.status, body


def read_part(response: http.client.HTTPResponse) -> np.ndarray:
    assert response.readline() == b"--frame\r\n"
    assert response.readline() == b"Content-Type: image/jpeg\r\n"
    size = int(response.readline().split(b":")[1])
    assert response.readline() == b"\r\n"
    jpeg = response.read(size)
    assert response.readline() == b"\r\n"
    return cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR)


def open_stream(server: PageServer, path: str = "/stream.mjpg") -> http.client.HTTPResponse:
    connection = connect(server)
    connection.request("GET", path)
    return connection.getresponse()


@contextmanager
def publishing(broadcast: Broadcast, picture: Callable[[], np.ndarray], status: dict[str, object]) -> Iterator[None]:
    """A camera that goes on meanwhile."""
    is_over = threading.Event()

    def keep_publishing() -> None:
        while not is_over.wait(0.02):
            broadcast.publish(picture, status)

    publisher = threading.Thread(target=keep_publishing)
    publisher.start()
    try:
        yield
    finally:
        is_over.set()
        publisher.join()


def test_the_page_is_one_file_that_asks_nobody_else(page: tuple[Broadcast, PageServer]) -> None:
    code, body = get(page[1], "/")
    text = body.decode()
    assert code == 200
    assert "<title>mninfer" in text
    assert "http://" not in text
    assert "https://" not in text
    assert "innerHTML = '<div" in text  # constant markup only: labels are set as text
    assert text.count("innerHTML") == 1


def test_the_stream_sends_frames_and_the_events_what_was_found(page: tuple[Broadcast, PageServer]) -> None:
    broadcast, server = page
    stream, events = open_stream(server), open_stream(server, "/events")
    assert stream.getheader("Content-Type") == "multipart/x-mixed-replace; boundary=frame"
    assert events.getheader("Content-Type") == "text/event-stream"
    for level in (10, 200):
        broadcast.publish(picture(level), status(level))
        assert abs(int(read_part(stream)[5, 5, 0]) - level) < 4
        line = events.readline()
        assert json.loads(line.removeprefix(b"data: ")) == status(level)
        assert events.readline() == b"\n"


def test_the_newest_frame_and_status_by_themselves(page: tuple[Broadcast, PageServer]) -> None:
    broadcast, server = page
    with publishing(broadcast, picture(77), status(5)):
        code, jpeg = get(server, "/frame.jpg")
    assert code == 200
    assert abs(int(cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR)[0, 0, 0]) - 77) < 4
    assert json.loads(get(server, "/status.json?x=1")[1])["frame"] == 5
    assert get(server, "/etc/passwd")[0] == 404


def test_a_frame_is_encoded_once_for_all_viewers(
    page: tuple[Broadcast, PageServer], monkeypatch: pytest.MonkeyPatch
) -> None:
    broadcast, server = page
    calls: list[str] = []
    encode = cv2.imencode
    monkeypatch.setattr(cv2, "imencode", lambda *args: (calls.append(args[0]), encode(*args))[1])
    streams = [open_stream(server) for _ in range(4)]
    broadcast.publish(picture(9), status(1))
    for stream in streams:
        read_part(stream)
    assert calls == [".jpg"]


def test_a_frame_is_made_for_viewers_of_pictures_alone(page: tuple[Broadcast, PageServer]) -> None:
    broadcast, server = page
    made: list[int] = []

    def make() -> np.ndarray:
        made.append(1)
        return picture(9)()

    broadcast.publish(make, status(1))
    assert json.loads(get(server, "/status.json")[1])["frame"] == 1
    events = open_stream(server, "/events")
    broadcast.publish(make, status(2))
    events.readline()
    assert made == []
    with publishing(broadcast, make, status(3)):
        assert get(server, "/frame.jpg")[0] == 200
        stream = open_stream(server)
        read_part(stream)
        stream.close()
        give_up = time.monotonic() + 5
        while broadcast._num_watching and time.monotonic() < give_up:
            time.sleep(0.01)
    num_made = len(made)
    broadcast.publish(make, status(4))
    assert num_made == len(made) >= 2


def test_a_viewer_that_takes_nothing_holds_nobody_up(page: tuple[Broadcast, PageServer]) -> None:
    broadcast, server = page
    open_stream(server)  # never read from
    stream = open_stream(server)
    noise = np.random.default_rng(0).integers(0, 255, (480, 640, 3), np.uint8)
    begin = time.monotonic()
    for frame in range(40):
        broadcast.publish(lambda: noise, status(frame))
        read_part(stream)
    assert time.monotonic() - begin < 5  # the slow one's buffers are long full


def test_only_loopback_names_are_answered(page: tuple[Broadcast, PageServer]) -> None:
    server = page[1]
    assert get(server, "/", Host="evil.example")[0] == 403
    assert get(server, "/", Host="localhost:80")[0] == 200
    assert get(server, "/", Host="[::1]:80")[0] == 200


@pytest.mark.parametrize(
    ("host", "expected"),
    [("127.0.0.1", True), ("127.9.9.9", True), ("localhost", True), ("::1", True), ("0.0.0.0", False), ("box", False)],
)
def test_what_is_loopback(host: str, expected: bool) -> None:
    assert is_loopback(host) is expected


def test_a_port_in_use_is_an_output_error() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(OutputError, match="cannot serve there: Address already in use") as caught:
            PageServer(Broadcast(), host="127.0.0.1", port=port)
        assert f"--http {port + 1}" in str(caught.value)


@pytest.mark.parametrize("host", ["192.0.2.1", "no-such-host.invalid"])
def test_a_host_that_is_not_ours_is_an_output_error(host: str) -> None:
    with pytest.raises(OutputError, match="cannot serve there") as caught:
        PageServer(Broadcast(), host=host, port=0)
    assert "--host 127.0.0.1" in str(caught.value)


def test_a_port_that_only_root_may_open_is_not_followed_by_another(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_: object) -> None:
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(TCPServer, "server_bind", refuse)
    with pytest.raises(OutputError, match="Permission denied") as caught:
        PageServer(Broadcast(), host="127.0.0.1", port=80)
    assert "--http 8000" in str(caught.value)


def test_too_many_viewers_are_told(page: tuple[Broadcast, PageServer], monkeypatch: pytest.MonkeyPatch) -> None:
    server = page[1]
    streams = [open_stream(server) for _ in range(32)]
    assert open_stream(server).status == 503
    assert get(server, "/")[0] == 200
    del streams


def test_closing_ends_every_stream_and_frees_the_port() -> None:
    broadcast = Broadcast()
    server = PageServer(broadcast, host="127.0.0.1", port=0)
    stream, events = open_stream(server), open_stream(server, "/events")
    broadcast.publish(picture(1), status(1))
    read_part(stream)
    events.readline(), events.readline()
    begin = time.monotonic()
    server.close()
    assert time.monotonic() - begin < 3
    assert stream.read() == b""
    assert events.read() == b"event: end\ndata: {}\n\n"
    port = int(server.url.rstrip("/").rsplit(":", 1)[1])
    PageServer(Broadcast(), host="127.0.0.1", port=port).close()


def test_a_closed_broadcast_lets_waiters_go() -> None:
    broadcast = Broadcast()
    threading.Timer(0.05, broadcast.close).start()
    begin = time.monotonic()
    assert broadcast.newer_than(0, 10) is None
    assert time.monotonic() - begin < 5
    assert broadcast_module.__doc__


@pytest.mark.slow
def test_the_page_in_a_browser(
    page: tuple[Broadcast, PageServer], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Looked at by Chromium: the picture is on the screen, and a label that is markup stays text."""
    browser = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if browser is None:
        pytest.skip("no Chromium here (Debian: apt-get install chromium)")
    broadcast, server = page
    is_over = threading.Event()
    send_frames = _Page._send_frames

    def send_frames_later(viewer: _Page) -> None:
        time.sleep(2)  # a headless browser looks once, when the picture has begun: the events have to be there before
        send_frames(viewer)

    monkeypatch.setattr(_Page, "_send_frames", send_frames_later)
    red = np.zeros((240, 320, 3), np.uint8)
    red[..., 0] = 255

    def keep_publishing() -> None:
        frame = 0
        while not is_over.wait(0.05):
            frame += 1
            broadcast.publish(lambda: red, status(frame, label="<img src=x onerror=alert(1)>"))

    publisher = threading.Thread(target=keep_publishing)
    publisher.start()
    quiet = "--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking"
    options = [*quiet.split(), "--disable-component-update", "--disable-sync", "--hide-scrollbars", "--timeout=20000"]

    def run(name: str, *further: str) -> subprocess.CompletedProcess[str]:
        profile = f"--user-data-dir={tmp_path / name}"
        command = [browser, *options, profile, *further, server.url]
        return subprocess.run(command, capture_output=True, text=True, timeout=90, check=True)

    try:
        document = run("dom", "--dump-dom").stdout
        run("shot", "--window-size=1280,800", f"--screenshot={tmp_path / 'page.png'}")
    finally:
        is_over.set()
        publisher.join()
    assert "&lt;img src=x onerror=alert(1)&gt;" in document
    assert "75.0 %" in document
    assert '<dd id="rate">12.3</dd>' in document
    screen = cv2.imread(str(tmp_path / "page.png"))
    blue, green, red_level = screen[400, 400].tolist()
    assert red_level > 200
    assert max(blue, green) < 60
    assert screen[790, 1270].max() < 40  # a dark page


def test_serving_waits_for_no_name_server(monkeypatch: pytest.MonkeyPatch) -> None:
    def ask(*_: object) -> str:
        raise AssertionError("the host's full name was asked for")

    monkeypatch.setattr(socket, "getfqdn", ask)
    server = PageServer(Broadcast(), host="127.0.0.1", port=0)
    assert get(server, "/")[0] == 200
    server.close()
