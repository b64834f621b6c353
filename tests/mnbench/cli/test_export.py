"""``mnbench export``: a row out of a record, as litert-benchmark writes it."""

import json
from pathlib import Path

import pytest

from mnbench.cell import Cell, Variant, Work
from mnbench.cli.main import main
from mnbench.record import Doubt, Process, Record, Row, Status
from mnbench.record_file import write_record
from support.commands import Cli, in_this_process

pytestmark = pytest.mark.smoke


@pytest.fixture
def cli(capfd: pytest.CaptureFixture[str]) -> Cli:
    return in_this_process(main, capfd)


def row(variant: Variant, median_ns: int) -> Row:
    cell = Cell(work=Work.FORWARD, model="net", engine="litert", variant=variant)
    process = Process(round=0, samples_ns=(median_ns - 1000, median_ns, median_ns + 1000))
    return Row(cell=cell, status=Status.MEASURED, processes=(process,), doubts=(Doubt("hot", "it was hot"),))


def record(tmp_path: Path, *rows: Row) -> Path:
    path = tmp_path / "record.json"
    write_record(Record(device="d", command="", plan="", rows=rows), path)
    return path


FAILED = Row(
    cell=Cell(work=Work.FORWARD, model="net", engine="openvino"), status=Status.MISSING, reason="not installed"
)


def test_the_only_measured_row_needs_no_name(cli: Cli, tmp_path: Path) -> None:
    output = tmp_path / "out.json"
    done = cli("export", record(tmp_path, row(Variant.INT8, 4_000_000), FAILED), "-o", output)
    assert done.code == 0
    assert done.out == f"{output}: net/forward/litert/int8/t1, 4.0 ms\n"
    assert "doubt: it was hot" in done.err
    assert json.loads(output.read_text())["latency"]["median_ms"] == 4.0


def test_of_several_one_is_named(cli: Cli, tmp_path: Path) -> None:
    path = record(tmp_path, row(Variant.INT8, 4_000_000), row(Variant.FLOAT32, 9_000_000), FAILED)
    output = tmp_path / "out.json"
    done = cli("export", path, "-o", output)
    assert done.code == 1
    assert "the record has 2 measured rows" in done.err
    assert "--row net/forward/litert/float32/t1" in done.err
    assert cli("export", path, "--row", "net/forward/litert/float32/t1", "-o", output).code == 0
    assert json.loads(output.read_text())["model"] == "net_float32.tflite"


@pytest.mark.parametrize(
    ("key", "what"),
    [
        ("net/forward/litert/int16/t1", "--row net/forward/litert/int8/t1"),
        ("net/forward/openvino/float32/t1", "is missing: not installed"),
        ("\x1b[2J", r"\x1b[2J"),
    ],
)
def test_a_row_that_is_not_there(cli: Cli, tmp_path: Path, key: str, what: str) -> None:
    path = record(tmp_path, row(Variant.INT8, 4_000_000), FAILED)
    done = cli("export", path, "--row", key, "-o", tmp_path / "out.json")
    assert done.code == 1
    assert what in done.err
    assert "\x1b" not in done.err


def test_a_record_without_a_measured_row(cli: Cli, tmp_path: Path) -> None:
    done = cli("export", record(tmp_path, FAILED), "-o", tmp_path / "out.json")
    assert done.code == 1
    assert "nothing was measured" in done.err


def test_a_file_that_exists_is_not_written_over(cli: Cli, tmp_path: Path) -> None:
    output = tmp_path / "out.json"
    output.write_text("mine")
    path = record(tmp_path, row(Variant.INT8, 4_000_000))
    assert cli("export", path, "-o", output).code == 1
    assert output.read_text() == "mine"
    assert cli("export", path, "-o", output, "--force").code == 0


def test_a_file_that_is_no_record(cli: Cli, tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_text("{}")
    assert "no result of mnbench" in cli("export", path, "-o", tmp_path / "out.json").err
