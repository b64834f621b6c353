"""The far side by itself: it ends what it started, whatever becomes of the near side, and leaves nothing behind."""

import io
import json
import os
import signal
import subprocess
import sys
import tarfile
import time
from pathlib import Path

import pytest

from mnbench.remote import far_side
from mnbench.remote.far_side import MARK, NearSide, end, unpack, watch

pytestmark = pytest.mark.smoke

PATIENCE_S = 20.0


class Silent(io.RawIOBase):
    """A near side that is there and says nothing, as after a cable was pulled."""

    def read(self, size: int = -1) -> bytes:
        time.sleep(PATIENCE_S)
        return b""


def sleeper(source: str = "import time; time.sleep(60)") -> "subprocess.Popen[bytes]":
    return subprocess.Popen([sys.executable, "-ISc", source], stdout=subprocess.PIPE, start_new_session=True)


def parcel_of(files: dict[str, str]) -> bytes:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as archive:
        for name, text in files.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(text)
            archive.addfile(entry, io.BytesIO(text.encode()))
    return stream.getvalue()


def serve(there: Path) -> "subprocess.Popen[bytes]":
    return subprocess.Popen(
        [sys.executable, far_side.__file__],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env={**os.environ, "TMPDIR": str(there), "PYTHONPATH": ""},
    )


def begin(process: "subprocess.Popen[bytes]", source: str) -> None:
    """Let it run ``source`` as mnbench, and wait until that runs."""
    assert process.stdin is not None
    parcel = parcel_of({"kit/mnbench/__main__.py": source})
    process.stdin.write(json.dumps({"size": len(parcel), "arguments": ["run"]}).encode() + b"\n" + parcel)
    process.stdin.flush()
    assert message(process)["state"] == "ready"
    assert message(process)["state"] == "running"


def message(process: "subprocess.Popen[bytes]") -> dict[str, object]:
    assert process.stdout is not None
    line = process.stdout.readline().decode()
    assert line.startswith(MARK)
    value = json.loads(line.removeprefix(MARK))
    assert isinstance(value, dict)
    return value


def finish(process: "subprocess.Popen[bytes]") -> int:
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.close()
    process.stdout.close()
    return process.wait(PATIENCE_S)


def test_a_silent_near_side_is_gone_after_a_while() -> None:
    near = NearSide(Silent(), silence_s=0.3)
    assert not near.is_gone
    with sleeper() as child:
        watch(child, near)
        assert near.is_gone
        end(child, grace_s=5)
    assert child.returncode != 0


def test_signs_of_life_keep_it_and_one_word_stops_it() -> None:
    reading, writing = os.pipe()
    stream = os.fdopen(reading, "rb", buffering=0)
    near = NearSide(stream, silence_s=60)
    os.write(writing, b"....")
    time.sleep(0.1)
    assert not near.wants_stop
    os.write(writing, b".s.")
    limit = time.monotonic() + PATIENCE_S
    while not near.wants_stop and time.monotonic() < limit:
        time.sleep(0.01)
    assert near.wants_stop
    assert not near.is_gone
    os.close(writing)
    while not near.is_gone and time.monotonic() < limit:
        time.sleep(0.01)
    assert near.is_gone
    stream.close()


def test_a_child_that_does_not_listen_is_ended_with_its_children() -> None:
    source = (
        "import signal, subprocess, sys, time; signal.signal(signal.SIGINT, signal.SIG_IGN); "
        "subprocess.Popen(['sleep', '60']); print('ready', flush=True); time.sleep(60)"
    )
    with sleeper(source) as child:
        assert child.stdout is not None
        assert child.stdout.readline() == b"ready\n"
        begun = time.monotonic()
        end(child, grace_s=0.2)
        assert child.stdout.read() == b"", "its own child had the pipe, too"
        assert time.monotonic() - begun < PATIENCE_S
    assert child.returncode == -signal.SIGKILL


def test_a_child_that_has_ended_is_left_alone() -> None:
    with sleeper("") as child:
        child.wait()
        end(child)
    assert child.returncode == 0


@pytest.mark.parametrize("cut", [0, 100, 600])
def test_a_parcel_that_ends_early_is_told(tmp_path: Path, cut: int) -> None:
    whole = parcel_of({"a": "x" * 5000})
    with pytest.raises((tarfile.TarError, OSError)):
        unpack(io.BytesIO(whole[:cut]), len(whole), tmp_path)


def test_a_parcel_is_read_to_its_end_and_no_further(tmp_path: Path) -> None:
    parcel = parcel_of({"a": "x", "b": "y" * 20_000})
    stream = io.BytesIO(parcel + b"s and what comes after")
    unpack(stream, len(parcel), tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a", "b"]
    assert stream.read() == b"s and what comes after"


@pytest.mark.parametrize("is_absolute", [False, True])
def test_a_parcel_stays_in_its_folder(tmp_path: Path, is_absolute: bool) -> None:
    name = str(tmp_path / "out") if is_absolute else "../out"
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as archive:
        archive.addfile(tarfile.TarInfo(name), io.BytesIO(b""))
    inner = tmp_path / "inner"
    inner.mkdir()
    try:
        unpack(io.BytesIO(stream.getvalue()), len(stream.getvalue()), inner)
    except tarfile.TarError:
        pass
    assert not (tmp_path / "out").exists()


def test_when_the_near_side_goes_nothing_is_left(tmp_path: Path) -> None:
    process = serve(tmp_path)
    begin(process, "import time; time.sleep(60)")
    (folder,) = tmp_path.iterdir()
    assert (folder / "kit" / "mnbench" / "__main__.py").exists()
    begun = time.monotonic()
    assert finish(process) == 0
    assert time.monotonic() - begun < PATIENCE_S
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_when_it_is_told_to_end_nothing_is_left(tmp_path: Path, number: signal.Signals) -> None:
    process = serve(tmp_path)
    begin(process, "import time; time.sleep(60)")
    process.send_signal(number)
    assert process.wait(PATIENCE_S) == 128 + number
    assert list(tmp_path.iterdir()) == []
    finish(process)


def test_a_near_side_that_goes_before_it_has_said_anything(tmp_path: Path) -> None:
    process = serve(tmp_path)
    assert finish(process) != 0
    assert list(tmp_path.iterdir()) == []
