"""``mnbench run``: measure here or on another device, and write the record."""

import shlex
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from mnbench.cli.request import Request, plan_options, requested
from mnbench.cli.run_progress import RunProgress
from mninfer.cli.options import examples
from mninfer.cli.output import note, say
from mninfer.errors import InputError, MnError
from mninfer.files import refuse_existing

if TYPE_CHECKING:
    from mnbench.preparing import Bundle
    from mnbench.record import Record

__all__ = ["DEFAULT_RESULT", "command"]

DEFAULT_RESULT = "mnbench.json"


@click.command(
    "run",
    epilog=examples(
        "mnbench run --preset quick -o pi5.json",
        "mnbench run --models mobilenet_int8.tflite --threads 1,2,4",
        "mnbench run --engines litert,onnxruntime,openvino --models model.keras -o peers.json",
        "mnbench run --on ssh:pi@raspberrypi.local -o pi5.json",
        "mnbench run --resume -o pi5.json",
    ),
)
@plan_options
@click.option(
    "-o", "--output", metavar="FILE", default=DEFAULT_RESULT, show_default=True, help="The record of the run, as JSON."
)
@click.option("--resume", "is_resumed", is_flag=True, help="Go on with a run that was interrupted: -o names its file.")
@click.option("--force", is_flag=True, help="Write over a file that exists.")
@click.option("--strict", "is_strict", is_flag=True, help="Exit code 1 where a row could not be measured.")
@click.option("--profile", "is_profiled", is_flag=True, help="Also the time of every operator of a flatbuffer.")
@click.option("--device-name", metavar="NAME", help="What tables call this device. Default: its CPU or board.")
@click.option("--on", "target", metavar="DEVICE", help="Another device: ssh:[USER@]HOST[:PORT], or adb[:SERIAL].")
@click.option("--benchmark-model", metavar="FILE", help="With --on adb: TFLite's benchmark_model for that device.")
def command(**options: Any) -> int:
    """Measure MobileNets here, in fresh processes and interleaved rounds, and write every sample down.

    \b
    The exit code is
      0  done; rows that could not be measured say why (--strict: 1)
      1  a known error, told with what to try
      2  usage
      130  interrupted: what there was is written; --resume goes on
    """  # noqa: D301 -- click's own mark for a block that is not to be wrapped
    output = options["output"]
    previous = _previous(options)
    request = requested(options)
    if previous is not None and previous.plan != request.plan.digest:
        raise InputError(
            "the file's run had another plan, so it can't go on with this one",
            where=output,
            hints=("the same options as then", "another file: -o FILE"),
        )
    progress = RunProgress()
    try:
        if options["target"] is not None:
            record = _on_other_device(request, options, progress)
        else:
            record = _here(request, options, previous, progress)
    finally:
        progress.clear()
    return _told(record, output, is_strict=options["is_strict"])


def _previous(options: dict[str, Any]) -> "Record | None":
    """The record to go on with; without --resume, None, once it is sure that the output may be written."""
    from mnbench.record_file import read_record

    output = options["output"]
    if options["is_resumed"]:
        if options["target"] is not None:
            raise click.UsageError("--resume goes on with a run on this device: leave --on out")
        return read_record(output)
    refuse_existing(output, force=options["force"])
    return None


def _here(request: Request, options: dict[str, Any], previous: "Record | None", progress: RunProgress) -> "Record":
    from mnbench.device_name import device_name
    from mnbench.machine import read_facts
    from mnbench.running import run_plan

    bundles = _bundles(request, progress)
    return run_plan(
        request.plan,
        bundles,
        device=options["device_name"] or device_name(read_facts()),
        command=_command_line(),
        save=_Saver(options["output"], is_ours=options["force"] or previous is not None),
        watcher=progress,
        previous=previous,
        is_profiled=options["is_profiled"],
    )


class _Saver:
    """Writes the record as it grows: over nobody's file the first time, over our own from then on."""

    def __init__(self, path: str, *, is_ours: bool) -> None:
        self._path = path
        self._is_ours = is_ours

    def __call__(self, record: "Record") -> None:
        from mnbench.record_file import write_record

        write_record(record, self._path, force=self._is_ours, is_synced=record.is_complete)
        self._is_ours = True


def _bundles(request: Request, progress: RunProgress) -> "dict[str, Bundle]":
    from mnbench.preparing import prepare

    cells = request.plan.cells
    bundles = prepare(
        request.models,
        variants={cell.variant for cell in cells},
        batches={cell.batch for cell in cells},
        watcher=progress.stage,
    )
    return {bundle.model.name: bundle for bundle in bundles}


def _on_other_device(request: Request, options: dict[str, Any], progress: RunProgress) -> "Record":
    from mnbench.record_file import write_record
    from mnbench.remote.target import SshTarget, parse_target

    target = parse_target(options["target"])
    bundles = _bundles(request, progress)
    if isinstance(target, SshTarget):
        from mnbench.remote.ssh import run_over_ssh

        record = run_over_ssh(
            target, _arguments(options), [bundle.folder for bundle in bundles.values()], watcher=progress.stage
        )
    else:
        from mnbench.remote.adb import run_over_adb

        record = run_over_adb(target, request.plan, bundles, options["benchmark_model"], watcher=progress.stage)
    record = replace(record, device=options["device_name"] or record.device, command=_command_line())
    write_record(record, options["output"], force=options["force"])
    return record


def _arguments(options: dict[str, Any]) -> list[str]:
    """The options of a run as the other device gets them, where the models lie elsewhere."""
    arguments = ["--preset", options["preset"], "--rounds", str(options["rounds"]), "--pace", str(options["pace"])]
    for name in ("engines", "threads", "batch", "variants", "works"):
        arguments += [f"--{name}", options[name]] if options[name] else []
    return arguments + (["--profile"] if options["is_profiled"] else [])


def _command_line() -> str:
    """What was typed, without the folders that only this machine has."""
    words = [Path(word).name if "/" in word and not word.startswith("ssh:") else word for word in sys.argv[1:]]
    return shlex.join(["mnbench", *words])


def _told(record: "Record", output: str, *, is_strict: bool) -> int:
    from mnbench.record import Status

    bad = [row for row in record.rows if row.status is not Status.MEASURED]
    num_measured = len(record.rows) - len(bad)
    say(f"{output}: {num_measured} of {len(record.rows)} rows measured; mnbench table {output} shows them")
    for row in bad:
        note(f"{row.status}: {row.cell.key}: {row.reason}")
    if len(bad) == len(record.rows):
        raise MnError("nothing could be measured", where=output, hints="each row's reason stands above")
    return 1 if bad and is_strict else 0
