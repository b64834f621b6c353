"""``benchmark_model`` on a device, with a scripted adb: rounds, rows, facts, and what is told when something fails."""

import os
import signal
import threading
import time
from pathlib import Path

import pytest

from mnbench.cell import Cell, Device, Variant, Work
from mnbench.cli.other_device import what_ended
from mnbench.profiling.profile import Profile
from mnbench.record import Record, Status
from mnbench.record_file import read_record, write_record
from mnbench.remote import adb as adb_module
from mnbench.remote import adb_device
from mnbench.remote.adb import DEVICE_LOST, AdbOrder, run_over_adb
from mnbench.remote.target import AdbTarget
from mninfer.errors import EngineError, InputError, MissingDependencyError, OutputError
from support.benchmark_logs import benchmark_log, operator_tables
from support.fake_adb import FakeAdb

pytestmark = pytest.mark.smoke

# Prints a log with the threads that it was given, and how long a run takes with them.
PROGRAM = f"""
words = dict(word.lstrip("-").partition("=")[::2] for word in sys.argv[1:])
threads = int(words["num_threads"])
text = {benchmark_log(threads=1, average_us=8000, median_us=7000)!r}
text = text.replace("Num threads: [1]", f"Num threads: [{{threads}}]")
text = text.replace("median=7000", f"median={{7000 // threads}}")
if "use_xnnpack" in words:
    text = text.replace("INFO: Graph:", "INFO: Use xnnpack: [0]\\nINFO: Graph:")
if words.get("enable_op_profiling") == "true":
    text += {operator_tables()!r}
assert open(words["graph"], "rb").read(4) == b"TFL3"
print(text)
"""


@pytest.fixture
def adb(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FakeAdb:
    fake = FakeAdb(tmp_path / "adb")
    monkeypatch.setenv("PATH", f"{fake.programs}{os.pathsep}{os.environ['PATH']}")
    return fake


@pytest.fixture
def model(tmp_path: Path) -> Path:
    path = tmp_path / "my model; $(x).tflite"
    path.write_bytes(b"TFL3" * 100)
    return path


def cell(threads: int = 1, **more: object) -> Cell:
    return Cell(work=Work.FORWARD, model="m", engine="benchmark_model", variant=Variant.INT8, threads=threads, **more)


def run(adb: FakeAdb, model: Path, *cells: Cell, source: str = PROGRAM, **more: object) -> Record:
    order = AdbOrder(benchmark_model=adb.program(source), files=dict.fromkeys(cells or (cell(),), model), **more)
    return run_over_adb(AdbTarget("FAKE-1"), order, watcher=lambda _: None)


def test_each_cell_gets_its_processes_in_rounds(adb: FakeAdb, model: Path, tmp_path: Path) -> None:
    record = run(adb, model, cell(1), cell(2), cell(1, use_xnnpack=False))
    assert [row.cell.key for row in record.rows] == [
        "m/forward/benchmark_model/int8/t1",
        "m/forward/benchmark_model/int8/t2",
        "m/forward/benchmark_model/int8/t1/plain-kernels",
    ]
    for row, expected_ns in zip(record.rows, (7_000_000, 3_500_000, 7_000_000), strict=True):
        assert row.status is Status.MEASURED
        assert [process.samples_ns for process in row.processes] == [(expected_ns,)] * 5
        assert [process.round for process in row.processes] == [0, 1, 2, 3, 4]
        assert [doubt.code for doubt in row.doubts] == ["summary-only"]
        assert row.size_bytes == 400
    assert record.is_complete
    assert record.origin == "benchmark_model"
    write_record(record, tmp_path / "record.json")
    assert read_record(tmp_path / "record.json") == record
    assert list(adb.device.iterdir()) == []
    graphs = [line for line in adb.calls.splitlines() if "--graph" in line]
    order = [line.partition("--num_threads=")[2][0] for line in graphs]
    assert order[:6] == ["1", "2", "1", "1", "2", "1"]
    assert ["use_xnnpack" in line for line in graphs[:6]] == [False, False, True, True, False, False]


def test_the_device_is_told_and_its_serial_is_not(adb: FakeAdb, model: Path) -> None:
    record = run(adb, model, rounds=1)
    assert record.device == "Example Phone 3"
    facts = record.machine["before"]
    assert facts["cpu"]["model"] == "Maker SM0001"
    assert facts["cpu"]["governor"] == "schedutil"
    assert facts["system"] == "Android 14"
    assert facts["is_on_battery"] is False
    assert "SECRET" not in str(record.to_json())
    assert "FAKE-1" not in str(record.to_json())
    assert [doubt.code for doubt in record.doubts] == ["governor"]


def test_a_battery_and_heat_are_doubts(adb: FakeAdb, model: Path) -> None:
    adb.set(usb="false", thermal="3")
    record = run(adb, model, rounds=1)
    assert "battery" in [doubt.code for doubt in record.doubts]
    (doubt,) = [doubt for doubt in record.rows[0].doubts if doubt.code == "throttled"]
    assert "thermal status severe" in doubt.text


def test_operators_come_from_a_process_of_their_own(adb: FakeAdb, model: Path) -> None:
    record = run(adb, model, is_profiled=True, rounds=2)
    assert adb.calls.count("enable_op_profiling") == 1
    profile = Profile.from_json(record.rows[0].processes[0].facts["profile"])
    assert [operator.name for operator in profile.operators][:2] == ["CONV_2D", "DEPTHWISE_CONV_2D"]
    assert len(record.rows[0].processes) == 2


def test_a_model_that_fails_is_a_row_with_its_reason(adb: FakeAdb, model: Path) -> None:
    source = f"if 'num_threads=2' in str(sys.argv): sys.exit('ERROR: no kernel for op 99')\n{PROGRAM}"
    record = run(adb, model, cell(1), cell(2), source=source, rounds=2)
    assert [row.status for row in record.rows] == [Status.MEASURED, Status.FAILED]
    assert record.rows[1].reason == "benchmark_model ended with 1: ERROR: no kernel for op 99"
    assert adb.calls.count("num_threads=2") == 1, "it would again"


def test_a_process_that_fails_after_others_is_a_doubt_of_theirs(adb: FakeAdb, model: Path, tmp_path: Path) -> None:
    marks = tmp_path / "marks"
    source = (
        f"open({str(marks)!r}, 'a').write('x')\n"
        f"if len(open({str(marks)!r}).read()) == 7: sys.exit('ERROR: no memory')\n{PROGRAM}"
    )
    (row,) = run(adb, model, source=source, rounds=9).rows
    assert (row.status, len(row.processes)) == (Status.MEASURED, 6)
    (doubt,) = [doubt for doubt in row.doubts if doubt.code == "process-failed"]
    assert "ERROR: no memory" in doubt.text


def test_a_program_that_hangs_is_ended_before_another_is_measured(
    adb: FakeAdb, model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """That adb is ended ends nothing over there: it would take the cores that the next one is timed on."""
    monkeypatch.setattr(adb_module, "_GRACE_S", 1.5)
    hanging = f"import os, time\nopen({str(tmp_path / 'pid')!r}, 'w').write(str(os.getpid()))\ntime.sleep(60)\n"
    source = (
        f"if 'num_threads=2' in str(sys.argv):\n    {hanging.strip().replace(chr(10), chr(10) + '    ')}\n{PROGRAM}"
    )
    record = run(adb, model, cell(2), cell(1), source=source, rounds=1, seconds=0.01)
    hung, measured = record.rows
    assert hung.status is Status.FAILED
    assert "didn't finish" in hung.reason
    assert measured.status is Status.MEASURED
    calls = adb.calls.splitlines()
    first, second = (next(i for i, line in enumerate(calls) if f"--num_threads={n}" in line) for n in (2, 1))
    assert any("pkill" in line for line in calls[first:second])
    assert has_ended(int((tmp_path / "pid").read_text()))


def test_a_device_that_talks_without_end_fails_the_row(
    adb: FakeAdb, model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(adb_device, "_MOST_SAID_BYTES", 2 << 20)
    source = "import time\nsys.stdout.write('x' * (3 << 20))\nsys.stdout.flush()\ntime.sleep(60)"
    record = run(adb, model, source=source, rounds=1)
    assert record.rows[0].status is Status.FAILED
    assert "the device talks without end" in record.rows[0].reason


def test_an_exit_code_that_is_none_is_a_known_error(adb: FakeAdb, model: Path) -> None:
    """Its shell is gone before it could tell one, and the program says what it would have said."""
    source = "import os\nprint('mnbench-code:' + '9' * 5000, flush=True)\nos.kill(os.getppid(), 9)"
    with pytest.raises(InputError, match="adb failed"):
        run(adb, model, source=source, rounds=1)


def test_a_gpu_that_takes_nothing_is_no_gpu_row(adb: FakeAdb, model: Path) -> None:
    record = run(adb, model, cell(1, device=Device.GPU))
    assert record.rows[0].status is Status.FAILED
    assert "it ran on the CPU" in record.rows[0].reason
    assert "--use_gpu=true" in adb.calls


def test_a_gpu_row(adb: FakeAdb, model: Path) -> None:
    said = "Explicitly applied GPU delegate, and the model graph will be completely executed by the delegate."
    source = f"print({benchmark_log(settings=('Use gpu: [1]',), said=(said,))!r})"
    record = run(adb, model, cell(1, device=Device.GPU), source=source, rounds=1)
    assert record.rows[0].status is Status.MEASURED
    assert record.rows[0].processes[0].facts["delegates"] == ["GPU"]


@pytest.mark.slow
def test_control_c_keeps_what_there_is_and_leaves_nothing_there(adb: FakeAdb, model: Path, tmp_path: Path) -> None:
    marks = tmp_path / "marks"
    source = (
        "import os, time\n"
        f"count = len(open({str(marks)!r}, 'a+').write('x') and open({str(marks)!r}).read())\n"
        "if count == 2:\n"
        f"    open({str(tmp_path / 'pid')!r}, 'w').write(str(os.getpid()))\n"
        f"    time.sleep(60)\n{PROGRAM}"
    )

    def interrupt() -> None:
        end = time.monotonic() + 20
        while not (tmp_path / "pid").exists() and time.monotonic() < end:
            time.sleep(0.02)
        time.sleep(0.1)
        signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGINT)

    threading.Thread(target=interrupt).start()
    record = run(adb, model, source=source)
    assert not record.is_complete
    assert len(record.rows[0].processes) == 1
    assert list(adb.device.iterdir()) == []
    assert has_ended(int((tmp_path / "pid").read_text()))


@pytest.mark.parametrize("place", ["before", "after"])
def test_a_device_that_goes_keeps_what_was_measured(adb: FakeAdb, model: Path, tmp_path: Path, place: str) -> None:
    """In the third round the cable comes loose: while a process runs, or as it ends."""
    trouble = f"open({str(adb.home / 'trouble')!r}, 'w').write('error: device offline')\n"
    marks = tmp_path / "marks"
    source = (
        f"open({str(marks)!r}, 'a').write('x')\n"
        f"is_third = len(open({str(marks)!r}).read()) == 3\n"
        + (f"if is_third:\n    {trouble}    sys.exit(1)\n" if place == "before" else "")
        + PROGRAM
        + (f"if is_third:\n    {trouble}" if place == "after" else "")
    )
    record = run(adb, model, source=source)
    assert not record.is_complete
    assert [process.round for process in record.rows[0].processes][:2] == [0, 1]
    (lost,) = [doubt for doubt in record.doubts if doubt.code == DEVICE_LOST]
    assert "the device is offline" in lost.text
    error = what_ended(record)
    assert isinstance(error, EngineError)
    assert "the device is offline" in str(error)
    write_record(record, tmp_path / "record.json")
    assert read_record(tmp_path / "record.json") == record


def test_a_model_that_goes_meanwhile_costs_no_record(adb: FakeAdb, model: Path) -> None:
    record = run(adb, model, source=f"import os\n{PROGRAM}os.unlink({str(model)!r})", rounds=1)
    assert record.rows[0].status is Status.MEASURED
    assert record.rows[0].size_bytes is None


def test_a_device_that_goes_before_anything_was_measured_is_an_error(adb: FakeAdb, model: Path) -> None:
    trouble = f"open({str(adb.home / 'trouble')!r}, 'w').write('error: device offline')\nsys.exit(1)\n"
    with pytest.raises(InputError, match="the device is offline"):
        run(adb, model, source=trouble)


def has_ended(process: int) -> bool:
    end = time.monotonic() + 20
    while time.monotonic() < end:
        try:
            os.kill(process, 0)
        except ProcessLookupError:
            return True
        time.sleep(0.05)
    return False


@pytest.mark.parametrize(
    ("trouble", "what", "hint"),
    [
        ("adb: no devices/emulators found", "no Android device is connected", "USB debugging"),
        ("adb: more than one device/emulator", "several Android devices are connected", "--on adb:SERIAL"),
        ("adb: device unauthorized.\nThis adb server's $ADB_VENDOR_KEYS is not set", "doesn't trust", "Allow USB"),
        ("adb: device offline", "the device is offline", "adb reconnect"),
        ("adb: failed to start daemon", "adb failed: adb: failed to start daemon", "adb devices"),
    ],
)
def test_a_device_that_is_not_ready(adb: FakeAdb, model: Path, trouble: str, what: str, hint: str) -> None:
    adb.set(trouble=trouble)
    with pytest.raises(InputError) as caught:
        run(adb, model)
    assert what in str(caught.value)
    assert hint in str(caught.value)


def test_another_serial(adb: FakeAdb, model: Path) -> None:
    order = AdbOrder(benchmark_model=adb.program(PROGRAM), files={cell(): model})
    with pytest.raises(InputError, match="no such device is connected"):
        run_over_adb(AdbTarget("OTHER"), order, watcher=lambda _: None)


def test_no_adb_here(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, model: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(MissingDependencyError, match="no adb on this machine"):
        run_over_adb(AdbTarget(), AdbOrder(benchmark_model=model, files={cell(): model}), watcher=lambda _: None)


def test_an_adb_that_is_no_program(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, model: Path) -> None:
    (tmp_path / "adb").write_text("a text")
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(MissingDependencyError, match="this machine's adb can't be run: Permission denied"):
        run_over_adb(AdbTarget(), AdbOrder(benchmark_model=model, files={cell(): model}), watcher=lambda _: None)


def test_a_device_that_stops_taking_a_file(adb: FakeAdb, model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(adb_device, "_PUSH_S", 0.5)
    adb.set(stalled="")
    with pytest.raises(OutputError) as caught:
        run(adb, model)
    assert "the device didn't take the file in" in str(caught.value)
    assert "adb reconnect" in str(caught.value)
    assert list(adb.device.iterdir()) == []


def test_no_room_there(adb: FakeAdb, model: Path) -> None:
    adb.set(full="")
    with pytest.raises(OutputError, match="No space left"):
        run(adb, model)
    assert list(adb.device.iterdir()) == []


def test_a_program_of_another_processor(adb: FakeAdb, model: Path, tmp_path: Path) -> None:
    foreign = tmp_path / "foreign"
    foreign.write_bytes(b"\x7fELF" + bytes(60))
    order = AdbOrder(benchmark_model=foreign, files={cell(): model})
    with pytest.raises(InputError) as caught:
        run_over_adb(AdbTarget("FAKE-1"), order, watcher=lambda _: None)
    assert "can't run this benchmark_model" in str(caught.value)
    assert "ro.product.cpu.abi" in str(caught.value)


def test_no_program_here(adb: FakeAdb, model: Path, tmp_path: Path) -> None:
    order = AdbOrder(benchmark_model=tmp_path / "none", files={cell(): model})
    with pytest.raises(InputError, match="there is no such file"):
        run_over_adb(AdbTarget("FAKE-1"), order, watcher=lambda _: None)
