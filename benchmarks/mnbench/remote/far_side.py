"""What runs on the other machine, fed to its Python over ssh: unpacks, starts mnbench, watches both, sends the record.

One file of the standard library alone. The near side (``connection.py``) sends this text, a line of JSON, a tar, and
then signs of life; it gets lines of JSON and the record. When the near side falls silent or goes, the run ends; the
folder is removed in every case.
"""

import importlib.util
import json
import os
import platform
import shutil
import signal
import subprocess
import sys
import tarfile
import tempfile
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, BinaryIO, cast

__all__ = ["MARK", "NearSide", "end", "facts", "main", "unpack", "watch"]

MARK = "@mnbench@ "  # before each message: a login shell may print what it likes
_ENGINES = ("ai_edge_litert", "tflite_runtime", "tensorflow")
_PACKAGES = ("numpy", "click")
_SILENCE_S = 90.0  # the near side is heard of every 15 s: six times missed, and it is gone
_GRACE_S = 20.0  # for mnbench to write what it has
_KILL_S = 5.0
_LOOK_S = 0.1
_RESULT = "result.json"


class NearSide:
    """What the near side says once the run has begun: ``s`` is to stop, anything else a sign of life."""

    def __init__(self, stream: BinaryIO, silence_s: float = _SILENCE_S) -> None:
        self._stream = stream
        self._silence_s = silence_s
        self._heard = time.monotonic()
        self._has_ended = False
        self.wants_stop = False
        threading.Thread(target=self._listen, daemon=True).start()

    @property
    def is_gone(self) -> bool:
        return self._has_ended or time.monotonic() - self._heard > self._silence_s

    def _listen(self) -> None:
        while said := self._stream.read(1):
            self._heard = time.monotonic()
            self.wants_stop = self.wants_stop or said == b"s"
        self._has_ended = True


class _Bounded:
    """A stream that ends after ``size`` bytes: tar would read on for the rest of a block, and wait for ever."""

    def __init__(self, stream: BinaryIO, size: int) -> None:
        self._stream = stream
        self._left = size

    def read(self, size: int) -> bytes:
        data = self._stream.read(min(size, self._left))
        self._left -= len(data)
        return data


def main() -> int:
    """Serve one run, and return the exit code."""
    request = json.loads(sys.stdin.buffer.readline())
    found = facts()
    _tell(state="ready", **found)
    if found["missing"]:
        return 1
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _leave)
    try:
        folder = Path(tempfile.mkdtemp(prefix="mnbench-"))
    except OSError as error:
        _tell(state="no room", reason=str(error), folder=tempfile.gettempdir())
        return 1
    try:
        return _run(request, folder)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _leave(number: int, _frame: object) -> None:
    raise SystemExit(128 + number)


def _tell(**message: Any) -> None:
    sys.stdout.buffer.write(f"{MARK}{json.dumps(message)}\n".encode())
    sys.stdout.buffer.flush()


def facts() -> dict[str, Any]:
    """What decides whether mnbench can run here, and which line installs what is missing."""
    found = [name for name in _PACKAGES + _ENGINES if importlib.util.find_spec(name) is not None]
    return {
        "system": platform.system(),
        "machine": platform.machine(),
        "is_64bit": sys.maxsize > 2**32,
        "python": list(sys.version_info[:2]),
        "is_musl": platform.system() == "Linux" and platform.libc_ver()[0] != "glibc",
        "in_virtual_env": sys.prefix != sys.base_prefix,
        "missing": [name for name in _PACKAGES if name not in found],
        "engines": [name for name in _ENGINES if name in found],
    }


def _run(request: Mapping[str, Any], folder: Path) -> int:
    try:
        unpack(sys.stdin.buffer, request["size"], folder)
    except (OSError, tarfile.TarError) as error:
        _tell(state="no room", reason=str(error), folder=str(folder.parent))
        return 1
    _tell(state="running")
    near = NearSide(sys.stdin.buffer)
    child = _start(folder, request["arguments"])
    try:
        watch(child, near)
    finally:
        end(child)
    if not near.is_gone:
        _send_result(folder / _RESULT, child.returncode)
    return 0


def unpack(stream: BinaryIO, size: int, folder: Path) -> None:
    """Unpack ``size`` bytes of tar as they come: no room is needed but for what they hold."""
    with tarfile.open(fileobj=cast(BinaryIO, _Bounded(stream, size)), mode="r|") as archive:
        if hasattr(tarfile, "data_filter"):  # Python 3.11.4 and later
            archive.extractall(folder, filter="data")
        else:
            archive.extractall(folder)  # the near side is who runs all of this: it needs no tricks


def _start(folder: Path, arguments: Sequence[str]) -> subprocess.Popen[bytes]:
    paths = [str(folder / "kit"), os.environ.get("PYTHONPATH", "")]
    changes = {
        "PYTHONPATH": os.pathsep.join(path for path in paths if path),
        "PYTHONUNBUFFERED": "1",
        "XDG_CACHE_HOME": str(folder / "cache"),  # nothing stays behind
        "TMPDIR": str(folder),
    }
    return subprocess.Popen(
        [sys.executable, "-m", "mnbench", *arguments],
        cwd=folder,
        env=os.environ | changes,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        start_new_session=True,
    )


def watch(child: subprocess.Popen[bytes], near: NearSide) -> None:
    """Return when the child has ended, or the near side wants it to, or is gone."""
    while child.poll() is None and not (near.wants_stop or near.is_gone):
        time.sleep(_LOOK_S)


def end(child: subprocess.Popen[bytes], grace_s: float = _GRACE_S) -> None:
    """End the child and what it started: first as Control-C does, so that it keeps what it has, then for good."""
    for number, patience_s in ((signal.SIGINT, grace_s), (signal.SIGKILL, _KILL_S)):
        if child.poll() is not None:
            return
        try:
            os.killpg(child.pid, number)
            child.wait(patience_s)
        except (ProcessLookupError, subprocess.TimeoutExpired):
            continue


def _send_result(path: Path, code: int) -> None:
    data = path.read_bytes() if path.is_file() else b""
    _tell(state="done", code=code, size=len(data))
    sys.stdout.buffer.write(data)
    sys.stdout.buffer.flush()


def _serve() -> None:
    """``main`` for good: without the interpreter's end, which would wait for the thread that holds stdin."""
    code = 1
    try:
        code = main()
    except BrokenPipeError:
        pass  # nobody hears the end of it
    except SystemExit as leaving:
        code = int(leaving.code or 0)
    os._exit(code)


if __name__ == "__main__":
    _serve()
