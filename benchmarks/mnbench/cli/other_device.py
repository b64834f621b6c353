"""``mnbench run --on DEVICE``: the plan's cells measured there, the record brought here."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from mnbench.catalogue import EngineKind, engine_entry
from mnbench.cell import Cell, Work
from mnbench.cli.run_progress import RunProgress
from mnbench.cli.saturating import is_saturating
from mnbench.plan import Plan, budget_of
from mnbench.remote.target import AdbTarget, SshTarget, parse_target
from mninfer.errors import EngineError, InputError

if TYPE_CHECKING:
    from mnbench.preparing import Bundle
    from mnbench.record import Record

__all__ = ["check_target", "measure_there", "what_ended"]


def check_target(options: Mapping[str, Any]) -> SshTarget | AdbTarget | None:
    """The device that --on names; a UsageError for what goes with another kind of device."""
    target = None if options["target"] is None else parse_target(options["target"])
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
) -> "Record":
    """The record of the other device. Raise MnError where it can't be reached, or can't run."""
    if isinstance(target, SshTarget):
        from mnbench.remote.ssh import run_over_ssh

        if options["engines"]:  # by name; a preset takes what there is
            _refuse_peers(plan)
        folders = [bundle.folder for bundle in bundles.values()]
        python = options["remote_python"] or "python3"
        return run_over_ssh(target, _arguments(options), folders, watcher=progress.stage, python=python)
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
    return run_over_adb(target, order, watcher=progress.stage)


def what_ended(record: "Record") -> BaseException:
    """Why another device's record isn't complete: the device went, or Control-C."""
    from mnbench.remote.adb import DEVICE_LOST

    lost = next((doubt for doubt in record.doubts if doubt.code == DEVICE_LOST), None)
    return KeyboardInterrupt() if lost is None else EngineError(lost.text)


def _refuse_peers(plan: Plan) -> None:
    """Raise InputError where others' runtimes are wanted: their environments aren't sent."""
    peers = dict.fromkeys(cell.engine for cell in plan.cells if engine_entry(cell.engine).kind is EngineKind.PEER)
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
    files = {}
    for cell in plan.cells:
        kind = engine_entry(cell.engine).kind
        if kind in (EngineKind.FLATBUFFER, EngineKind.DEVICE) and cell.work is Work.FORWARD and cell.threads:
            file = bundles[cell.model].file_for(cell)
            if file is not None:
                files[replace(cell, engine="benchmark_model")] = file
    if not files:
        raise InputError(
            "there is nothing that benchmark_model could run: it takes flatbuffers, forward",
            hints="--engines benchmark_model --variants float32,int8",
        )
    return files
