"""What comes back from another device: with a row for each cell that can't run there, and with what ended it."""

import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from mnbench.cell import Cell, Variant, Work
from mnbench.cli.other_device import measure_there, what_ended
from mnbench.cli.run_progress import RunProgress
from mnbench.plan import Plan
from mnbench.preparing.bundle import Bundle, StoredFile
from mnbench.record import Doubt, MeasuredModel, Process, Record, Row, Status
from mnbench.record_file import encode_record
from mnbench.remote.adb import DEVICE_LOST
from mnbench.remote.target import AdbTarget
from mninfer.errors import EngineError
from support.benchmark_logs import benchmark_log
from support.fake_adb import FakeAdb
from support.loopback_ssh import LoopbackSsh

pytestmark = pytest.mark.smoke

FORWARD = Cell(work=Work.FORWARD, model="m", engine="litert", variant=Variant.INT8)
PEER = replace(FORWARD, engine="openvino")
RECORD = Record(
    device="a board",
    command="mnbench run",
    plan="0",
    rows=(
        Row(cell=FORWARD, status=Status.MEASURED, processes=(Process(round=0, samples_ns=(5, 6, 7)),)),
        Row(cell=replace(PEER, threads=4), status=Status.MISSING, reason="mnbench peers install openvino"),
        Row(cell=replace(PEER, engine="mnn"), status=Status.FAILED, reason="MNN can't run int8"),
    ),
)
OVER_SSH = dict.fromkeys(("engines", "devices", "threads", "batch", "variants", "works", "is_profiled"))


def write(record: Record) -> str:
    return f"open('result.json', 'wb').write({encode_record(record)!r})\n"


def over_ssh(server: LoopbackSsh, python: str) -> tuple[Record, BaseException | None]:
    options = {**OVER_SSH, "preset": "peers", "rounds": 5, "pace": 1.0, "remote_python": python}
    return measure_there(server.target, Plan(cells=(FORWARD, PEER)), {}, options, RunProgress())


def test_other_runtimes_that_a_preset_has_are_rows_that_say_so(
    server: LoopbackSsh, python: str, run_there: Callable[[str], None]
) -> None:
    """Which those are, that machine knows: it has another number of cores."""
    run_there(write(RECORD))
    record, ending = over_ssh(server, python)
    assert ending is None
    assert record.rows[0] == RECORD.rows[0]
    assert [row.cell for row in record.rows] == [row.cell for row in RECORD.rows]
    for row in record.rows[1:]:
        assert row.status is Status.MISSING
        assert "on the machine that they are installed on" in row.reason


def test_a_run_that_dies_there_comes_with_its_record_and_its_reason(
    server: LoopbackSsh, python: str, run_there: Callable[[str], None]
) -> None:
    partial = replace(RECORD, is_complete=False)
    run_there(f"import os, signal\n{write(partial)}os.kill(os.getpid(), signal.SIGKILL)\n")
    record, ending = over_ssh(server, python)
    assert isinstance(ending, EngineError)
    assert "was ended by SIGKILL (as where memory runs out), before its time" in str(ending)
    assert record.rows[0] == RECORD.rows[0]
    assert [doubt.code for doubt in record.doubts] == ["ended-early"]


def small_bundle(folder: Path) -> Bundle:
    data = b"TFL3" * 100
    (folder / "int8.tflite").write_bytes(data)
    return Bundle(
        folder=folder,
        identity="0",
        model=MeasuredModel(name="m", title="M", weights="random", input_shape=(1, 32, 32, 3)),
        photo_file=StoredFile.of("photo.jpg", b""),
        stored={"int8": StoredFile.of("int8.tflite", data)},
        missing={"int16x8": "an operator has no such form"},
    )


def test_what_benchmark_model_does_not_run_is_a_row_that_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    adb = FakeAdb(tmp_path / "adb")
    monkeypatch.setenv("PATH", f"{adb.programs}{os.pathsep}{os.environ['PATH']}")
    training = Cell(work=Work.FORWARD_BACKWARD, model="m", engine="keras-jax", threads=None)
    photo = replace(FORWARD, engine="mninfer", work=Work.PHOTO_TO_LABEL)
    unmade = replace(FORWARD, variant=Variant.INT16X8)
    cells = (FORWARD, replace(FORWARD, engine="tensorflow"), training, PEER, photo, unmade)
    program = adb.program(f"print({benchmark_log(threads=1)!r})")
    record, ending = measure_there(
        AdbTarget("FAKE-1"),
        Plan(cells=cells, rounds=1),
        {"m": small_bundle(tmp_path)},
        {"benchmark_model": str(program), "is_profiled": False},
        RunProgress(),
    )
    assert ending is None
    assert [(row.cell.key, row.status) for row in record.rows] == [
        ("m/forward/benchmark_model/int8/t1", Status.MEASURED),
        (training.key, Status.MISSING),
        (PEER.key, Status.MISSING),
        (photo.key, Status.MISSING),
        ("m/forward/benchmark_model/int16x8/t1", Status.FAILED),
    ]
    assert {row.reason for row in record.rows[1:4]} == {"benchmark_model runs flatbuffers, forward, and nothing else"}
    assert record.rows[4].reason == "there is no int16x8 of m: an operator has no such form"


def test_what_ended_a_run() -> None:
    assert what_ended(RECORD) is None
    assert isinstance(what_ended(replace(RECORD, is_complete=False)), KeyboardInterrupt)
    lost = what_ended(replace(RECORD, is_complete=False, doubts=(Doubt(DEVICE_LOST, "the cable"),)))
    assert isinstance(lost, EngineError)
    assert lost.what == "the cable"
