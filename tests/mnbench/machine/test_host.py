"""Hostile contents of /proc and /sys: whatever is there, every reader answers, briefly, and with JSON."""

import json
import os
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mnbench.machine import EnergyMeter, Host, read_conditions, read_facts
from mnbench.machine.host import ask_program, shortened
from support.machines import LAPTOP, PI5, VIRTUAL, host_of, write_tree

pytestmark = pytest.mark.smoke

HOSTILE = {
    "empty": b"",
    "zeros": b"\0" * 4096,
    "not text": bytes(range(256)) * 16,
    "one long line": b"9" * 3_000_000,
    "many lines": b"processor : 1\nmodel name : x\n\n" * 8_000,
    "colons": b":::\n" * 1000,
    "escapes": b"\x1b[2J\x1b]0;owned\x07\xe2\x80\xae\n",
    "negative": b"-1\n",
    "huge": b"99999999999999999999\n",
    "floats": b"1e999 nan inf -0.0\n",
    "digits of others": "٣٤٥ ²\n".encode(),
}
PATHS = sorted({*PI5, *LAPTOP, *VIRTUAL})


def everything(host: Host) -> str:
    meter = EnergyMeter(host)
    meter.start()
    read = {
        "facts": read_facts(host),
        "conditions": read_conditions(host, with_gpu=True),
        "joules": meter.joules(),
    }
    return json.dumps(read, allow_nan=False, ensure_ascii=False)


@pytest.mark.parametrize("kind", HOSTILE)
def test_no_content_is_too_much(kind: str, tmp_path: Path) -> None:
    told = everything(host_of(tmp_path, dict.fromkeys(PATHS, HOSTILE[kind]), usable=range(8)))
    assert len(told) < 20_000
    assert "\x1b" not in told
    assert "\u202e" not in told


@pytest.mark.parametrize("architecture", ["x86_64", "aarch64", "", "\x1b[2J", "Power Macintosh"])
def test_no_architecture_is_too_strange(architecture: str, tmp_path: Path) -> None:
    everything(host_of(tmp_path, PI5, architecture=architecture))


def test_folders_in_place_of_files(tmp_path: Path) -> None:
    for path in PATHS:
        (tmp_path / path / "inner").mkdir(parents=True, exist_ok=True)
    everything(host_of(tmp_path, {}))


def test_files_in_place_of_folders(tmp_path: Path) -> None:
    everything(host_of(tmp_path, {"proc": "no folder", "sys": "neither", "etc": "", "dev": ""}))


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes")
def test_a_pipe_that_nobody_writes_to_is_not_waited_for(tmp_path: Path) -> None:
    write_tree(tmp_path, PI5)
    for path in ("proc/cpuinfo", "proc/stat", "sys/class/thermal/thermal_zone0/temp"):
        (tmp_path / path).unlink()
        os.mkfifo(tmp_path / path)
    everything(host_of(tmp_path, {}))


@pytest.mark.skipif(not Path("/dev/zero").exists(), reason="this system has no devices as files")
def test_a_device_is_no_file(tmp_path: Path) -> None:
    (tmp_path / "cpuinfo").symlink_to("/dev/zero")
    assert Host(root=tmp_path).text("cpuinfo") is None


@pytest.mark.skipif(sys.platform == "win32", reason="links need rights there")
def test_links_that_lead_nowhere_or_round(tmp_path: Path) -> None:
    (tmp_path / "proc").mkdir()
    (tmp_path / "proc" / "cpuinfo").symlink_to("gone")
    (tmp_path / "proc" / "stat").symlink_to("stat")
    (tmp_path / "sys").symlink_to(".", target_is_directory=True)
    everything(host_of(tmp_path, {}))


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may read everything")
def test_files_that_may_not_be_read(tmp_path: Path) -> None:
    write_tree(tmp_path, LAPTOP)
    for path in LAPTOP:
        (tmp_path / path).chmod(0)
    everything(host_of(tmp_path, {}))


def test_no_cores_at_all(tmp_path: Path) -> None:
    everything(host_of(tmp_path, LAPTOP, usable=()))


@settings(max_examples=60, deadline=None)
@given(st.dictionaries(st.sampled_from(PATHS), st.binary(max_size=200), max_size=12))
def test_any_bytes_in_any_files(tmp_path_factory: pytest.TempPathFactory, files: dict[str, bytes]) -> None:
    everything(host_of(tmp_path_factory.mktemp("root"), files, usable=range(8)))


@settings(max_examples=60, deadline=None)
@given(st.text(alphabet="cpu0123 :-\n\tfx.", max_size=200))
def test_almost_the_right_format(tmp_path_factory: pytest.TempPathFactory, text: str) -> None:
    files = dict.fromkeys(("proc/cpuinfo", "proc/stat", "proc/meminfo", "proc/loadavg", "sys/fs/cgroup/cpu.stat"), text)
    everything(host_of(tmp_path_factory.mktemp("root"), files, usable=range(8)))


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("Raspberry Pi 5 Model B Rev 1.0\x00", "Raspberry Pi 5 Model B Rev 1.0"),
        ("  Intel(R)   Xeon(R)\t", "Intel(R) Xeon(R)"),
        ("\x1b[31mred\ufffd", "[31mred"),
        (" \x00\n", None),
        ("x" * 500, "x" * 120),
    ],
)
def test_what_stands_in_a_record_is_printable_and_short(text: str, kept: str | None) -> None:
    assert shortened(text) == kept


# What a program says.


def test_a_program_s_words_are_taken() -> None:
    assert ask_program((sys.executable, "-c", "print('throttled=0x0')")) == f"throttled=0x0{os.linesep}"


@pytest.mark.parametrize(
    "command",
    [
        ("no-such-program-anywhere",),
        (sys.executable, "-c", "raise SystemExit(3)"),
        (sys.executable, "-c", "import os; os.abort()"),
        ("",),
        ("nul\0byte",),
    ],
    ids=["absent", "fails", "crashes", "nameless", "impossible"],
)
def test_a_program_that_fails_says_nothing(command: tuple[str, ...]) -> None:
    assert ask_program(command) is None


def test_a_program_that_hangs_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mnbench.machine.host._PATIENCE_S", 0.2)
    assert ask_program((sys.executable, "-c", "import time; time.sleep(60)")) is None


def test_a_program_s_bytes_need_be_no_text() -> None:
    told = ask_program((sys.executable, "-c", r"import sys; sys.stdout.buffer.write(b'\xff\xfe 1')"))
    assert told is not None
    assert told.endswith(" 1")


def test_numbered_names_come_in_their_order(tmp_path: Path) -> None:
    for name in ("cpu10", "cpu9", "cpu1", "cpufreq"):
        (tmp_path / name).mkdir()
    assert Host(root=tmp_path).names(".") == ("cpu1", "cpu9", "cpu10", "cpufreq")
