"""``mnbench run``: measure here or on another device, and write the record."""

from collections.abc import Collection
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import click

from mnbench.catalogue import EngineKind, engine_entry
from mnbench.cell import Work
from mnbench.cli.going_on import check_plan, check_same_run, how_to_go_on, with_options_of
from mnbench.cli.listed import refuse_empty
from mnbench.cli.other_device import check_target, measure_there
from mnbench.cli.record_place import check_place, kept_elsewhere, write_or_keep
from mnbench.cli.recorded_command import recorded_command
from mnbench.cli.request import Request, plan_options, requested
from mnbench.cli.results import DEFAULT_RESULT
from mnbench.cli.run_progress import RunProgress
from mnbench.cli.saturating import settled_batches
from mnbench.cli.stopping import stopped_later, stopped_like_control_c
from mnbench.record_file import read_record, write_record
from mninfer.cli.options import examples
from mninfer.cli.output import note, say
from mninfer.errors import MnError, OutputError

if TYPE_CHECKING:
    from mnbench.preparing import Bundle
    from mnbench.record import Record

__all__ = ["command"]


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
@click.option("--resume", "is_resumed", is_flag=True, help="Go on with the run of -o FILE, with its options.")
@click.option("--force", is_flag=True, help="Write over a file that exists.")
@click.option(
    "--strict", "is_strict", is_flag=True, help="Exit code 1 where a row failed, or one of --engines is missing."
)
@click.option("--profile", "is_profiled", is_flag=True, help="Also the time of every operator of a flatbuffer.")
@click.option("--device-name", metavar="NAME", help="What tables call this device. Default: its CPU or board.")
@click.option("--on", "target", metavar="DEVICE", help="Another device: ssh:[USER@]HOST[:PORT], or adb[:SERIAL].")
@click.option("--remote-python", metavar="PYTHON", help="With --on ssh: the Python there. Default: python3.")
@click.option("--benchmark-model", metavar="FILE", help="With --on adb: TFLite's benchmark_model for that device.")
@click.pass_context
@stopped_like_control_c()
def command(context: click.Context, /, **options: Any) -> int:
    """Measure MobileNets here, in fresh processes and interleaved rounds, and write every sample down.

    \b
    The exit code is
      0  done; rows that could not be measured say why: failed (--strict: 1), or missing, as what
         is not installed, not sent, or not done by that engine (--strict: 1 if --engines names it)
      1  a known error, told with what to try
      2  usage
      130  interrupted: what there was is written; mnbench run --resume -o FILE goes on
    """  # noqa: D301 -- click's own mark for a block that is not to be wrapped
    output = options["output"]
    refuse_empty("--device-name", options["device_name"])
    target = check_target(options)
    previous = _previous(options)
    progress = RunProgress()
    ending: BaseException | None = None
    try:
        if previous is not None:
            options = with_options_of(previous, context)
        options = settled_batches(options, previous, progress)
        request = requested(options)
        if previous is not None:
            check_plan(previous, request.plan.digest, output)
        bundles = _bundles(request, progress)
        if target is None:
            record = _here(request, bundles, options, previous, progress)
        else:
            record, ending = measure_there(target, request.plan, bundles, options, progress)
            record = replace(record, device=options["device_name"] or record.device, command=recorded_command(context))
            with stopped_later():
                write_or_keep(record, output, force=options["force"])
    finally:
        progress.clear()
    if ending is not None:
        note(f"{output}: what was measured until then")
        raise ending
    return _told(record, output, request.engines, is_strict=options["is_strict"])


def _previous(options: dict[str, Any]) -> "Record | None":
    """The record to go on with, without --resume None; once it is sure that the output can be written."""
    previous = read_record(options["output"]) if options["is_resumed"] else None
    check_place(options["output"], force=options["force"] or previous is not None)
    return previous


def _here(
    request: Request,
    bundles: "dict[str, Bundle]",
    options: dict[str, Any],
    previous: "Record | None",
    progress: RunProgress,
) -> "Record":
    from mnbench.device_name import device_name
    from mnbench.machine import read_facts
    from mnbench.running import RunConfig, run_plan

    facts = read_facts()
    if previous is not None:
        check_same_run(previous, bundles, facts, options["output"])
    config = RunConfig(
        plan=request.plan,
        bundles=bundles,
        device=options["device_name"] or (previous.device if previous else device_name(facts)),
        command=previous.command if previous else recorded_command(click.get_current_context()),
        is_profiled=options["is_profiled"],
    )
    saver = _Saver(options["output"], is_ours=options["force"] or previous is not None)
    try:
        return run_plan(config, save=saver, watcher=progress, previous=previous)
    except KeyboardInterrupt:
        progress.clear()
        done = f"{saver.num_processes} of {request.plan.num_processes} processes"
        note(f"{options['output']}: {done}; to go on: {how_to_go_on(options)}")
        raise
    except OutputError as error:
        if saver.unsaved is None:
            raise
        raise kept_elsewhere(saver.unsaved, error) from error


class _Saver:
    """Writes the record as it grows: over nobody's file the first time, over our own from then on.

    ``unsaved`` is the record that its place didn't take.
    """

    def __init__(self, path: str, *, is_ours: bool) -> None:
        self._path = path
        self._is_ours = is_ours
        self.num_processes = 0
        self.unsaved: Record | None = None

    def __call__(self, record: "Record") -> None:
        self.unsaved = record
        write_record(record, self._path, force=self._is_ours, is_synced=record.is_complete)
        self.unsaved = None
        self._is_ours = True
        self.num_processes = sum(len(row.processes) for row in record.rows)


def _bundles(request: Request, progress: RunProgress) -> "dict[str, Bundle]":
    from mnbench.preparing import prepare

    cells = request.plan.cells
    of_files = [cell for cell in cells if engine_entry(cell.engine).kind is not EngineKind.KERAS]
    bundles = prepare(
        request.models,
        variants={cell.variant for cell in cells},
        batches={cell.batch for cell in cells},
        flatbuffers={(cell.variant, cell.batch) for cell in of_files if cell.work is not Work.IMPORT},
        watcher=progress.stage,
    )
    return {bundle.model.name: bundle for bundle in bundles}


def _told(record: "Record", output: str, engines: Collection[str], *, is_strict: bool) -> int:
    """Say what came of it: each row that failed, or is missing of ``engines``, asked for by name; others as a count."""
    from mnbench.record import Status

    bad = [row for row in record.rows if row.status is not Status.MEASURED]
    num_measured = len(record.rows) - len(bad)
    say(f"{output}: {num_measured} of {len(record.rows)} rows measured; mnbench table {output} shows them")
    absent = [row for row in bad if num_measured and row.status is Status.MISSING and row.cell.engine not in engines]
    for row in bad:
        if row not in absent:
            note(f"{row.status}: {row.cell.key}: {row.reason}")
    if absent:
        names = ", ".join(dict.fromkeys(row.cell.engine for row in absent))
        note(f"missing: {len(absent)} of the preset's rows ({names}); the table says why")
    if not num_measured:
        raise MnError("nothing could be measured", where=output, hints="each row's reason stands above")
    return 1 if is_strict and len(bad) > len(absent) else 0
