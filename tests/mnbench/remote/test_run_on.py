"""``mnbench run --on``: the whole command, to a machine over ssh and to a device through adb."""

import os
from importlib.util import find_spec
from pathlib import Path

import pytest

from mnbench.cli.main import main
from mnbench.record import Status
from mnbench.record_file import read_record
from support.benchmark_logs import benchmark_log
from support.commands import Cli, in_this_process
from support.fake_adb import FakeAdb
from support.loopback_ssh import LoopbackSsh
from support.network import float_model, initial_network


@pytest.fixture
def cli(capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Cli:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return in_this_process(main, capfd)


@pytest.fixture
def model(tmp_path: Path) -> Path:
    path = tmp_path / "net.tflite"
    path.write_bytes(float_model(initial_network([(8, 2), (16, 2)], 10, seed=0), (32, 32)))
    return path


@pytest.mark.slow
def test_a_flatbuffer_is_measured_over_ssh(
    cli: Cli, server: LoopbackSsh, python: str, there: Path, model: Path, tmp_path: Path
) -> None:
    engine = next((name for name in ("litert", "tflite-runtime") if find_spec(PACKAGES[name])), None)
    if engine is None:
        pytest.skip("no TFLite engine is installed")
    output = tmp_path / "record.json"
    target = ["--on", server.target, "--remote-python", python]
    request = ["--models", model, "--engines", engine, "--threads", "1", "--rounds", "1", "--pace", "0.1"]
    done = cli("run", *target, *request, "-o", output)
    assert done.code == 0, done.err
    assert f"running on {server.target}" in done.err
    record = read_record(output)
    assert {row.status for row in record.rows} == {Status.MEASURED}
    assert {row.cell.engine for row in record.rows} == {engine}
    assert "127.0.0.1" not in output.read_text(), "whose machine it was stands in no result"
    assert list(there.iterdir()) == []


PACKAGES = {"litert": "ai_edge_litert", "tflite-runtime": "tflite_runtime"}


@pytest.mark.slow
def test_a_flatbuffer_is_measured_through_adb(
    cli: Cli, model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    adb = FakeAdb(tmp_path / "adb")
    monkeypatch.setenv("PATH", f"{adb.programs}{os.pathsep}{os.environ['PATH']}")
    program = adb.program(f"print({benchmark_log(threads=1)!r})")
    output = tmp_path / "record.json"
    request = ["--models", model, "--engines", "benchmark_model", "--threads", "1", "--variants", "float32"]
    done = cli("run", "--on", "adb:FAKE-1", "--benchmark-model", program, *request, "-o", output)
    assert done.code == 0, done.err
    record = read_record(output)
    assert [row.cell.key for row in record.rows] == ["net/forward/benchmark_model/float32/t1"]
    assert len(record.rows[0].processes) == 5
    assert record.device == "Example Phone 3"
    assert "FAKE-1" not in output.read_text()


@pytest.mark.smoke
def test_other_runtimes_are_not_sent(cli: Cli, model: Path, tmp_path: Path) -> None:
    request = ["--models", model, "--engines", "litert,openvino", "--variants", "float32"]
    done = cli("run", "--on", "ssh:host.invalid", *request, "-o", tmp_path / "record.json")
    assert done.code == 1
    assert "measured on the machine that they are installed on: openvino" in done.err
    assert "mnbench peers install openvino" in done.err


@pytest.mark.smoke
@pytest.mark.parametrize(
    ("words", "code", "what"),
    [
        (["--on", "shh:pi@host"], 1, 'did you mean "ssh:pi@host"?'),
        (["--on", "ssh:-oProxyCommand=reboot"], 1, "is no host name"),
        (["--on", "adb:X"], 2, "--benchmark-model"),
        (["--on", "ssh:host", "--benchmark-model", "x"], 2, "--on adb"),
        (["--remote-python", "python3.12"], 2, "--on ssh:HOST"),
        (["--on", "adb:X", "--benchmark-model", "x", "--remote-python", "p"], 2, "--on ssh:HOST"),
        (["--on", "ssh:host", "--resume"], 2, "--resume"),
    ],
)
def test_a_device_that_makes_no_sense_is_told_before_anything_is_made(
    cli: Cli, tmp_path: Path, words: list[str], code: int, what: str
) -> None:
    done = cli("run", *words, "-o", tmp_path / "record.json")
    assert done.code == code
    assert what in done.err
    assert not (tmp_path / "cache").exists()
