"""``mnbench import``: results of other programs, as a record like any other."""

import shlex
from pathlib import Path

import click

from mnbench.cell import Variant
from mnbench.cli.listed import refuse_empty
from mninfer.cli.options import NearChoice, examples
from mninfer.cli.output import note, say
from mninfer.files import refuse_existing

__all__ = ["command"]


@click.command(
    "import",
    epilog=examples(
        "mnbench import pixel8.txt --device-name 'Pixel 8' -o pixel8.json",
        "mnbench import run1.json run2.json --device-name 'Pi 5' --variant int8 -o pi5.json",
    ),
)
@click.argument("files", nargs=-1, required=True, metavar="FILE...")
@click.option("-o", "--output", required=True, metavar="RECORD", help="The record to write.")
@click.option("--device-name", required=True, metavar="NAME", help="What tables call the device: the files don't say.")
@click.option("--model", metavar="NAME", help="What tables call the model. Default: its file's name.")
@click.option(
    "--variant",
    type=NearChoice([str(variant) for variant in Variant]),
    help="Which form of the model it was. Default: what its file's name ends in, as NAME_int8.tflite.",
)
@click.option("--force", is_flag=True, help="Write over RECORD if it exists.")
def command(
    files: tuple[str, ...], *, output: str, device_name: str, model: str | None, variant: str | None, force: bool
) -> int:
    """Read the output of benchmark_model, or results of litert-benchmark --result_json, into one record.

    What was measured alike in several runs becomes one row, each run a process of it: five of them make an interval.
    """
    from mnbench.interop.reading import Naming, read_results
    from mnbench.record_file import write_record

    refuse_empty("--device-name", device_name)
    refuse_empty("--model", model)
    refuse_existing(output, force=force)
    naming = Naming(device=device_name, model=model, variant=None if variant is None else Variant(variant))
    record = read_results(files, naming, command=_command_line(files, output))
    write_record(record, output, force=force)
    runs = sum(len(row.processes) for row in record.rows)
    say(f"{output}: {_counted(runs, 'run')} of {record.origin} in {_counted(len(record.rows), 'row')}")
    for row in record.rows:
        for doubt in row.doubts:
            note(f"doubt: {row.cell.key}: {doubt.text}")
    return 0


def _command_line(files: tuple[str, ...], output: str) -> str:
    """As it could be typed again, without the folders that only this machine has."""
    return shlex.join(["mnbench", "import", *(Path(path).name for path in files), "-o", Path(output).name])


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}{'s' * (number != 1)}"
