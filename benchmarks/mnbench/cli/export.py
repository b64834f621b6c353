"""``mnbench export``: a row of a record as ``litert-benchmark --result_json`` writes it."""

import json
from typing import TYPE_CHECKING

import click

from mninfer.cli.options import examples
from mninfer.cli.output import finite, note, say
from mninfer.errors import InputError
from mninfer.files import refuse_existing, write_atomically

if TYPE_CHECKING:
    from mnbench.record import Record, Row

__all__ = ["command"]

_MOST_SHOWN = 12


@click.command(
    "export",
    epilog=examples(
        "mnbench export pi5.json --row mobilenet_v1_1.0_224/forward/litert/int8/t1 -o litert.json",
        "mnbench export pi5.json -o litert.json",
    ),
)
@click.argument("record", metavar="RECORD")
@click.option("--row", "key", metavar="KEY", help="Which row, by its key. Needed where more than one was measured.")
@click.option("-o", "--output", required=True, metavar="FILE", help="The JSON to write.")
@click.option("--force", is_flag=True, help="Write over FILE if it exists.")
def command(record: str, *, key: str | None, output: str, force: bool) -> int:
    """Write a row as litert-benchmark does, for what reads its results.

    That format has no place for intervals and doubts: the row's doubts are told here, and lost there.
    """
    from mnbench.interop.litert_benchmark import litert_result
    from mnbench.record_file import read_record

    refuse_existing(output, force=force)
    whole = read_record(record)
    row = _chosen(whole, key, record)
    result = litert_result(whole, row)
    write_atomically(output, (json.dumps(finite(result), indent=2) + "\n").encode(), force=force)
    say(f"{output}: {row.cell.key}, {result['latency']['median_ms']} ms")
    for doubt in (*whole.doubts, *row.doubts):
        note(f"doubt: {doubt.text}")
    return 0


def _chosen(record: "Record", key: str | None, where: str) -> "Row":
    from mnbench.record import Status
    from mninfer.near import near_names

    measured = {row.cell.key: row for row in record.rows if row.status is Status.MEASURED}
    if key is None and len(measured) == 1:
        return next(iter(measured.values()))
    if key is None:
        what = f"the record has {len(measured)} measured rows" if measured else "nothing was measured in this record"
        raise InputError(what, where=where, hints=[f"--row {name}" for name in list(measured)[:_MOST_SHOWN]])
    if key in measured:
        return measured[key]
    row = record.row(key)
    if row is not None:
        raise InputError(f'the row "{key}" is {row.status}: {row.reason or "it has no samples"}', where=where)
    near = near_names(key, measured, most=3)
    raise InputError(f'the record has no row "{key}"', where=where, hints=[f"--row {name}" for name in near])
