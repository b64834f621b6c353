"""Runs the user's ``benchmark_model`` on an Android device through adb, in rounds of fresh processes."""

import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from mnbench.cell import Cell, Device
from mnbench.doubts import doubts_of_run
from mnbench.interop.benchmark_model import BenchmarkLog, read_benchmark_model
from mnbench.interop.log_rows import process_of_log, row_of_processes
from mnbench.reasons import one_line
from mnbench.record import Doubt, MeasuredModel, Process, Record, Row, Status
from mnbench.remote.adb_device import AdbDevice
from mnbench.remote.android import read_android_conditions, read_android_facts
from mnbench.remote.target import AdbTarget
from mninfer.errors import EngineError, InputError, MnError

__all__ = ["DEVICE_LOST", "AdbOrder", "run_over_adb"]

DEVICE_LOST = "device-lost"

_LEAST_RUNS = 10
_WARM_UP_S = 0.3
_GRACE_S = 120.0  # beside its runs a process loads, prepares, and on slow phones does each ten times at the least
_NOT_RUNNABLE = (126, 127)


@dataclass(frozen=True, slots=True, kw_only=True)
class AdbOrder:
    """What to measure: ``files`` says of each cell (engine "benchmark_model") its ``.tflite``."""

    benchmark_model: Path
    files: Mapping[Cell, Path]
    models: tuple[MeasuredModel, ...] = ()
    rounds: int = 5
    seconds: float = 2.0
    is_profiled: bool = False
    command: str = ""
    plan: str = ""


@dataclass(slots=True)
class _Found:
    """What a cell has so far."""

    processes: list[Process] = field(default_factory=list)
    reason: str = ""


@dataclass(frozen=True, slots=True)
class _Place:
    """The device, our folder there, the program in it, and each file in it."""

    device: AdbDevice
    folder: str
    program: str
    files: Mapping[Path, str]


@dataclass(frozen=True, slots=True)
class _Ending:
    """How far it came; ``after``: the device then, if it was there; ``lost`` says what ended it, if the user didn't."""

    is_complete: bool
    after: Mapping[str, Any]
    lost: tuple[Doubt, ...] = ()


def run_over_adb(target: AdbTarget, order: AdbOrder, *, watcher: Callable[[str], None]) -> Record:
    """Measure ``order`` on ``target``; the record's origin is "benchmark_model".

    On Control-C the record of what has been measured is returned, ``is_complete`` False; and so it is where the device
    goes meanwhile, which is a doubt of the record, ``DEVICE_LOST``.

    Raises:
        MissingDependencyError: there is no adb here.
        InputError: no such device, it is not authorized, or the program doesn't run there.
        OutputError: the device has no room.
    """
    device = AdbDevice(target)
    began, started = time.monotonic(), datetime.now(UTC).isoformat(timespec="seconds")
    before = read_android_facts(device)
    found = {cell: _Found() for cell in order.files}
    with device.folder() as folder:
        ending = _measured_until(_send(device, folder, order, watcher), order, found, watcher)
    rows = tuple(_row(cell, each, order.files[cell]) for cell, each in found.items())
    machine = {"before": before, **ending.after}
    return Record(
        device=str(before["product"] or before["cpu"]["model"] or "Android device"),
        command=order.command,
        plan=order.plan,
        rows=rows,
        models=order.models,
        machine=machine,
        doubts=(*ending.lost, *doubts_of_run(machine, rows, is_complete=ending.is_complete or bool(ending.lost))),
        is_complete=ending.is_complete,
        origin="benchmark_model",
        started=started,
        elapsed_s=round(time.monotonic() - began, 1),
    )


def _measured_until(
    place: _Place, order: AdbOrder, found: Mapping[Cell, _Found], watcher: Callable[[str], None]
) -> _Ending:
    """Measure to the end, or to what ends it. Raise that where there is nothing yet that would be lost."""
    is_complete = False
    try:
        try:
            _measure(place, order, found, watcher)
            is_complete = True
        except KeyboardInterrupt:
            if not _has_any(found):
                raise
        return _Ending(is_complete, {"after": read_android_facts(place.device)})
    except MnError as error:
        if not _has_any(found):
            raise
        return _Ending(False, {}, (Doubt("device-lost", f"the run ended before its time: {one_line(error)}"),))


def _has_any(found: Mapping[Cell, _Found]) -> bool:
    return any(each.processes for each in found.values())


def _send(device: AdbDevice, folder: str, order: AdbOrder, watcher: Callable[[str], None]) -> _Place:
    """The program and every file, under names of ours: theirs may hold what a shell reads."""
    watcher(f"sending benchmark_model to {device.target}")
    program = f"{folder}/benchmark_model"
    device.push(order.benchmark_model, program, is_program=True)
    names = {path: f"{folder}/{index}.tflite" for index, path in enumerate(dict.fromkeys(order.files.values()))}
    for path, name in names.items():
        watcher(f"sending {path.name} to {device.target}")
        device.push(path, name)
    return _Place(device, folder, program, names)


def _measure(place: _Place, order: AdbOrder, found: Mapping[Cell, _Found], watcher: Callable[[str], None]) -> None:
    """Round for round, every other one backwards, so that a drift falls on all alike."""
    cells = tuple(order.files)
    for round_ in range(order.rounds):
        for cell in cells if round_ % 2 == 0 else cells[::-1]:
            if not found[cell].reason:
                watcher(f"round {round_ + 1} of {order.rounds}: {cell.key}")
                _measure_once(place, order, cell, found[cell], round_)
    if order.is_profiled:
        for cell in cells:
            if found[cell].processes:
                watcher(f"operators of {cell.key}")
                _profile(place, order, cell, found[cell])


def _measure_once(place: _Place, order: AdbOrder, cell: Cell, found: _Found, round_: int) -> None:
    before = read_android_conditions(place.device)
    try:
        log = _run(place, order, cell)
    except EngineError as error:
        found.reason = error.what
        return
    conditions = {"before": before, "after": read_android_conditions(place.device)}
    found.processes.append(process_of_log(log, round_, conditions=conditions))


def _profile(place: _Place, order: AdbOrder, cell: Cell, found: _Found) -> None:
    """A process of its own, since timing operators takes time: its operators go to the first process's facts."""
    try:
        facts: Mapping[str, Any] = process_of_log(_run(place, order, cell, "--enable_op_profiling=true"), 0).facts
        told = {"profile": facts["profile"]} if "profile" in facts else {"profile_reason": "it told no operators"}
    except EngineError as error:
        told = {"profile_reason": error.what}
    first = found.processes[0]
    found.processes[0] = replace(first, facts={**first.facts, **told})


def _run(place: _Place, order: AdbOrder, cell: Cell, *more: str) -> BenchmarkLog:
    """One process. Raise EngineError where the model can't be run, InputError where the program can't."""
    words = [place.program, *_arguments(place.files[order.files[cell]], cell, order.seconds), *more]
    try:
        answer = place.device.shell(*words, seconds=_GRACE_S + 20 * order.seconds)
    except EngineError:
        place.device.end_what_runs(place.folder)  # it would take the cores of whatever is measured next
        raise
    if answer.code in _NOT_RUNNABLE:
        raise InputError(
            f"the device can't run this benchmark_model: {answer.last_line}",
            where=str(order.benchmark_model),
            hints="it has to be built for the device: adb shell getprop ro.product.cpu.abi",
        )
    try:
        (log,) = read_benchmark_model(answer.text)
    except (InputError, ValueError) as error:
        raise EngineError(f"benchmark_model ended with {answer.code}: {answer.last_line}") from error
    if cell.device is Device.GPU and ("GPU" in log.refused or "GPU" not in log.delegates):
        raise EngineError("the GPU delegate took nothing of the model: it ran on the CPU")
    return log


def _arguments(graph: str, cell: Cell, seconds: float) -> Iterable[str]:
    """The program's own words (tensorflow/lite/tools/benchmark/README.md)."""
    yield f"--graph={graph}"
    yield f"--num_runs={_LEAST_RUNS}"
    yield f"--min_secs={seconds:g}"
    yield f"--warmup_min_secs={_WARM_UP_S:g}"
    if cell.threads is not None:
        yield f"--num_threads={cell.threads}"
    if cell.device is Device.GPU:
        yield "--use_gpu=true"
    elif not cell.use_xnnpack:
        yield "--use_xnnpack=false"  # left out, the program does what applications get


def _row(cell: Cell, found: _Found, file: Path) -> Row:
    size = file.stat().st_size if file.is_file() else None  # hours later it may be gone, and costs no record
    if found.processes:
        return row_of_processes(cell, found.processes, size, reason=found.reason)
    status = Status.FAILED if found.reason else Status.PENDING
    return Row(cell=cell, status=status, reason=found.reason, size_bytes=size)
