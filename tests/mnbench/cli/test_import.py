"""``mnbench import``: files by other programs in, a record out, and what is told when one is none."""

import json
from pathlib import Path

import pytest

from mnbench.cli.main import main
from mnbench.record_file import read_record
from support.benchmark_logs import benchmark_log, old_log
from support.commands import Cli, in_this_process

pytestmark = pytest.mark.smoke

LITERT = {
    "model": "net_int8.tflite",
    "model_size_mb": 4.28,
    "accelerators": ["CPU"],
    "signature": "serving_default",
    "fully_accelerated": True,
    "num_threads": 2,
    "latency": dict.fromkeys(
        ("init_ms", "warmup_first_ms", "warmup_avg_ms", "avg_ms", "min_ms", "max_ms", "median_ms", "std_ms", "p5_ms"),
        4.0,
    )
    | {"num_warmup_runs": 5, "num_runs": 30, "p95_ms": 5.0},
    "throughput_mb_s": 136.4,
}


@pytest.fixture
def cli(capfd: pytest.CaptureFixture[str]) -> Cli:
    return in_this_process(main, capfd)


@pytest.fixture
def log(tmp_path: Path) -> Path:
    path = tmp_path / "log.txt"
    path.write_text(benchmark_log() * 2)
    return path


def test_logs_become_a_record(cli: Cli, log: Path, tmp_path: Path) -> None:
    output = tmp_path / "record.json"
    done = cli("import", log, "--device-name", "Pixel 8", "-o", output)
    assert done.code == 0
    assert done.out == f"{output}: 2 runs of benchmark_model in 1 row\n"
    assert "2 processes; an interval wants 5 or more" in done.err
    record = read_record(output)
    assert record.device == "Pixel 8"
    assert record.origin == "benchmark_model"
    assert record.command == "mnbench import log.txt -o record.json"
    assert [row.cell.key for row in record.rows] == ["mobilenet_v1_1.0_224/forward/benchmark_model/int8/t4"]
    assert [model.name for model in record.models] == ["mobilenet_v1_1.0_224"]


def test_files_of_both_programs_become_one_record(cli: Cli, log: Path, tmp_path: Path) -> None:
    result = tmp_path / "result.json"
    result.write_text(json.dumps(LITERT))
    output = tmp_path / "record.json"
    assert cli("import", log, result, "--device-name", "x", "-o", output).code == 0
    record = read_record(output)
    assert record.origin == "benchmark_model and litert-benchmark"
    assert [row.cell.key for row in record.rows] == [
        "mobilenet_v1_1.0_224/forward/benchmark_model/int8/t4",
        "net/forward/litert/int8/t2",
    ]


@pytest.mark.parametrize("encoding", ["utf-16", "utf-8-sig"])
def test_a_log_as_windows_writes_it(cli: Cli, tmp_path: Path, encoding: str) -> None:
    log, output = tmp_path / "log.txt", tmp_path / "record.json"
    log.write_bytes(old_log().replace("\n", "\r\n").encode(encoding))
    assert cli("import", log, "--device-name", "x", "-o", output).code == 0
    assert read_record(output).rows[0].processes[0].samples_ns == (66_767_600,)


def test_the_model_and_its_variant_can_be_told(cli: Cli, tmp_path: Path) -> None:
    log, output = tmp_path / "log.txt", tmp_path / "record.json"
    log.write_text(benchmark_log(graph="C:\\models\\net.tflite"))
    told = cli("import", log, "--device-name", "x", "-o", output)
    assert told.code == 1
    assert 'nothing tells which variant "net" is' in told.err
    assert "--variant" in told.err
    done = cli("import", log, "--device-name", "x", "-o", output, "--variant", "fp16", "--model", "my net")
    assert done.code == 0
    assert read_record(output).rows[0].cell.key == "my net/forward/benchmark_model/fp16/t4"


def test_a_file_that_exists_is_not_written_over(cli: Cli, log: Path, tmp_path: Path) -> None:
    output = tmp_path / "record.json"
    output.write_text("mine")
    assert cli("import", log, "--device-name", "x", "-o", output).code == 1
    assert output.read_text() == "mine"
    assert cli("import", log, "--device-name", "x", "-o", output, "--force").code == 0


@pytest.mark.parametrize(
    ("content", "what"),
    [
        (b"", "no output of benchmark_model"),
        (b"hello", "no output of benchmark_model"),
        (b"\x00\xff\xfe", "no output of benchmark_model"),
        (b"{", "not JSON"),
        (b"{}", "no result that is known"),
        (b'{"kind": "mnbench", "schema": 1}', "a result of mnbench already"),
        (b'{"latency": 1, "accelerators": 2}', '"accelerators" is 2'),
        (b'{"a":' * 5000, "not JSON"),
        (b"Inference timings in us: Init: 1, Inference (avg): 0", "took 0 us"),
    ],
)
def test_a_file_that_is_no_result(cli: Cli, tmp_path: Path, content: bytes, what: str) -> None:
    path = tmp_path / "file"
    path.write_bytes(content)
    done = cli("import", path, "--device-name", "x", "-o", tmp_path / "record.json")
    assert done.code == 1
    assert what in done.err
    assert f"where: {path}" in done.err
    assert not (tmp_path / "record.json").exists()


def test_a_file_that_is_not_there(cli: Cli, log: Path, tmp_path: Path) -> None:
    done = cli("import", tmp_path / "logs.txt", "--device-name", "x", "-o", tmp_path / "record.json")
    assert done.code == 1
    assert f'did you mean "{log}"?' in done.err
    assert cli("import", tmp_path, "--device-name", "x", "-o", tmp_path / "record.json").code == 1


def test_usage(cli: Cli, log: Path) -> None:
    assert cli("import").code == 2
    assert cli("import", log, "-o", "x").code == 2
    assert "int8" in cli("import", log, "-o", "x", "--device-name", "x", "--variant", "int9").err


def test_a_file_that_is_given_twice_is_no_second_run(cli: Cli, log: Path, tmp_path: Path) -> None:
    """Two processes that agree to the last digit would make an interval of nothing."""
    again = tmp_path / "again.txt"
    again.symlink_to(log)
    for other in (log, tmp_path / "." / log.name, again):
        done = cli("import", log, other, "--device-name", "Pixel 8", "-o", tmp_path / "record.json")
        assert done.code == 1
        assert "the file is given twice" in done.err
    assert not (tmp_path / "record.json").exists()


@pytest.mark.parametrize("option", ["--device-name", "--model"])
def test_an_empty_name_is_a_usage_error(cli: Cli, log: Path, tmp_path: Path, option: str) -> None:
    done = cli("import", log, "--device-name", "Pixel 8", option, "", "-o", tmp_path / "record.json")
    assert done.code == 2
    assert f"{option} is given, and empty" in done.err
