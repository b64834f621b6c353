"""``mnbench run --on DEVICE``: the plan's cells measured there, the record brought here, with why it isn't all."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from mnbench.catalogue import ENGINES, EngineKind
from mnbench.cell import Cell, Work
from mnbench.cli.listed import refuse_empty
from mnbench.cli.run_progress import RunProgress
from mnbench.cli.saturating import is_saturating
from mnbench.plan import Plan, budget_of
from mnbench.preparing.bundle import file_key
from mnbench.record import Record, Row, Status
from mnbench.remote.target import AdbTarget, SshTarget, parse_target
from mninfer.errors import EngineError, InputError

if TYPE_CHECKING:
    from mnbench.preparing import Bundle

__all__ = ["check_target", "measure_there", "what_ended"]

_PEERS_STAY = "other runtimes are measured on the machine that they are installed on, without --on"
_FLATBUFFERS_ALONE = "benchmark_model runs flatbuffers, forward, and nothing else"
_FOR_BENCHMARK_MODEL = (EngineKind.FLATBUFFER, EngineKind.DEVICE)


def check_target(options: Mapping[str, Any]) -> SshTarget | AdbTarget | None:
    """The device that --on names; a UsageError for what goes with another kind of device."""
    target = None if options["target"] is None else parse_target(options["target"])
    refuse_empty("--remote-python", options["remote_python"])
    if options["remote_python"] is not None and not isinstance(target, SshTarget):
        raise click.UsageError("--remote-python is what runs on another machine: give --on ssh:HOST, too")
    if isinstance(target, AdbTarget) != (options["benchmark_model"] is not None):
        raise click.UsageError("--on adb and --benchmark-model FILE belong together: it is what runs there")
    if target is not None and is_saturating(options):
        raise click.UsageError(
            "the batch that saturates a device is found on this one alone: --batch 1,32, or without --on"
        )
    if target is not None and options["is_resumed"]:
        raise click.UsageError("--resume goes on with a run on this device: leave --on out")
    return target


def measure_there(
    target: SshTarget | AdbTarget,
    plan: Plan,
    bundles: "Mapping[str, Bundle]",
    options: Mapping[str, Any],
    progress: RunProgress,
) -> tuple[Record, BaseException | None]:
    """The record of the other device, and what ended it before its time, if anything did.

    What of the plan can't run there is a row that says so. Raise MnError where it can't be reached, or has nothing.
    """
    if isinstance(target, SshTarget):
        return _over_ssh(target, plan, bundles, options, progress)
    return _over_adb(target, plan, bundles, options, progress)


def _over_ssh(
    target: SshTarget,
    plan: Plan,
    bundles: "Mapping[str, Bundle]",
    options: Mapping[str, Any],
    progress: RunProgress,
) -> tuple[Record, BaseException | None]:
    from mnbench.remote.ssh import EndedEarlyError, run_over_ssh

    if options["engines"]:  # by name; of a preset's the others are measured
        _refuse_peers(plan)
    folders = [bundle.folder for bundle in bundles.values()]
    python = options["remote_python"] or "python3"
    try:
        record = run_over_ssh(target, _arguments(options), folders, watcher=progress.stage, python=python)
        ending = what_ended(record)
    except EndedEarlyError as error:
        record, ending = error.record, error
    return _without_peers(record), ending


def _without_peers(record: Record) -> Record:
    """The other machine's record, in which other runtimes say that they weren't sent, not what they lack there."""
    told = (_missing(row.cell, _PEERS_STAY) if _is_peer(row.cell) and not row.processes else row for row in record.rows)
    return replace(record, rows=tuple(told))


def _over_adb(
    target: AdbTarget,
    plan: Plan,
    bundles: "Mapping[str, Bundle]",
    options: Mapping[str, Any],
    progress: RunProgress,
) -> tuple[Record, BaseException | None]:
    from mnbench.remote.adb import AdbOrder, run_over_adb

    files = _files(plan, bundles)
    order = AdbOrder(
        benchmark_model=Path(options["benchmark_model"]),
        files=files,
        models=tuple(bundle.model for bundle in bundles.values()),
        rounds=plan.rounds,
        seconds=max(budget_of(cell, plan.pace).seconds for cell in files),
        is_profiled=options["is_profiled"],
        plan=plan.digest,
    )
    record = run_over_adb(target, order, watcher=progress.stage)
    return _with_rows(record, (_unrun(cell, bundles) for cell in plan.cells)), what_ended(record)


def what_ended(record: Record) -> BaseException | None:
    """Why another device's record isn't complete: the device went, or Control-C; None where it is."""
    from mnbench.remote.adb import DEVICE_LOST

    if record.is_complete:
        return None
    lost = next((doubt for doubt in record.doubts if doubt.code == DEVICE_LOST), None)
    return KeyboardInterrupt() if lost is None else EngineError(lost.text)


def _with_rows(record: Record, rows: Iterable[Row]) -> Record:
    """The record and, behind its own, the rows of cells that it hasn't."""
    told = {row.cell.key for row in record.rows}
    more = {row.cell.key: row for row in rows if row.cell.key not in told}
    return replace(record, rows=(*record.rows, *more.values()))


def _missing(cell: Cell, reason: str) -> Row:
    return Row(cell=cell, status=Status.MISSING, reason=reason)


def _is_peer(cell: Cell) -> bool:
    return cell.engine in ENGINES and ENGINES[cell.engine].kind is EngineKind.PEER


def _refuse_peers(plan: Plan) -> None:
    """Raise InputError where others' runtimes are wanted: their environments aren't sent."""
    peers = dict.fromkeys(cell.engine for cell in plan.cells if _is_peer(cell))
    if peers:
        raise InputError(
            f"other runtimes are measured on the machine that they are installed on: {', '.join(peers)}",
            hints=(
                f"there: mnbench peers install {' '.join(peers)}, and mnbench run without --on",
                "--engines litert, which needs nothing but what runs there",
            ),
        )


def _arguments(options: Mapping[str, Any]) -> list[str]:
    """The options of a run as the other device gets them, where the models lie elsewhere."""
    arguments = ["--preset", options["preset"], "--rounds", str(options["rounds"]), "--pace", str(options["pace"])]
    for name in ("engines", "devices", "threads", "batch", "variants", "works"):
        arguments += [f"--{name}", options[name]] if options[name] else []
    return arguments + (["--profile"] if options["is_profiled"] else [])


def _files(plan: Plan, bundles: "Mapping[str, Bundle]") -> dict[Cell, Path]:
    """The flatbuffers of the plan, each as benchmark_model runs it."""
    found = {_as_run_there(cell): bundles[cell.model].file_for(cell) for cell in plan.cells if _is_for_adb(cell)}
    files = {cell: file for cell, file in found.items() if file is not None}
    if not files:
        raise InputError(
            "there is nothing that benchmark_model could run: it takes flatbuffers, forward",
            hints="--engines benchmark_model --variants float32,int8",
        )
    return files


def _is_for_adb(cell: Cell) -> bool:
    return ENGINES[cell.engine].kind in _FOR_BENCHMARK_MODEL and cell.work is Work.FORWARD and bool(cell.threads)


def _as_run_there(cell: Cell) -> Cell:
    return replace(cell, engine="benchmark_model")


def _unrun(cell: Cell, bundles: "Mapping[str, Bundle]") -> Row:
    """Why a cell of the plan isn't among those that benchmark_model has run."""
    if not _is_for_adb(cell):
        return _missing(cell, _FLATBUFFERS_ALONE)
    key = file_key(cell.variant, cell.batch)
    reason = bundles[cell.model].missing.get(key, "it was not prepared")
    return Row(cell=_as_run_there(cell), status=Status.FAILED, reason=f"there is no {key} of {cell.model}: {reason}")
