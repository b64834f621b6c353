"""mnbench run and plan on a small flatbuffer: exit codes, messages, records, interruption."""

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path

import pytest

from mnbench.catalogue import ENGINES
from mnbench.cell import Cell, Work
from mnbench.cli import run as run_module
from mnbench.cli.main import main
from mnbench.record import Process, Record, Row, Status
from mnbench.record_file import read_record
from mninfer.model_file.annotating import annotate
from mninfer.preprocessing import parse_preprocess
from support.commands import Cli, command_line, environment_for, in_this_process
from support.network import float_model, initial_network

ENGINE = "litert" if find_spec("ai_edge_litert") else "tflite-runtime"
FAST = ("--pace", "0.05", "--rounds", "2", "--engines", ENGINE, "--threads", "1")


@pytest.fixture
def cli(capfd: pytest.CaptureFixture[str]) -> Cli:
    return in_this_process(main, capfd)


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("models") / "small.tflite"
    path.write_bytes(small_model(seed=0))
    return path


def small_model(seed: int) -> bytes:
    import mninfer

    data = float_model(initial_network([(8, 2), (16, 1)], 5, seed=seed), (32, 32))
    spec = parse_preprocess("inception", resize="stretch")
    with mninfer.load(data, preprocess="inception", resize="stretch") as loaded:
        return annotate(data, run=loaded.engine.run, preprocess=spec, labels=list("abcde"))


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


@pytest.mark.smoke
def test_a_flatbuffer_is_measured(cli: Cli, model: Path, tmp_path: Path) -> None:
    path = tmp_path / "r.json"
    outcome = cli("run", "--models", model, *FAST, "-o", path, "--device-name", "a device")
    assert outcome.code == 0, outcome.err
    record = read_record(path)
    assert record.is_complete
    assert record.device == "a device"
    assert str(tmp_path) not in json.dumps(record.to_json())
    assert [(row.status, len(row.processes)) for row in record.rows] == [(Status.MEASURED, 2)] * len(record.rows)
    assert {row.cell.model for row in record.rows} == {"small"}
    assert all(row.agreement is not None and row.agreement.is_held for row in record.rows)
    assert f"{len(record.rows)} of {len(record.rows)} rows measured" in outcome.out
    assert "round 2" in outcome.err


def test_from_photo_to_label_and_cold_start(cli: Cli, model: Path, tmp_path: Path) -> None:
    path = tmp_path / "r.json"
    works = ("--engines", "mninfer", "--works", "photo-to-label,cold-start,import", "--variants", "float32")
    outcome = cli("run", "--models", model, "--pace", "0.05", "--rounds", "1", *works, "-o", path)
    assert outcome.code == 0, outcome.err
    rows = {str(row.cell.work): row for row in read_record(path).rows}
    assert set(rows) == {"photo-to-label", "cold-start", "import"}
    assert list(rows["photo-to-label"].processes[0].parts_ns) == ["decode", "preprocess", "invoke", "postprocess"]


def test_a_profile_comes_with_the_first_process(cli: Cli, model: Path, tmp_path: Path) -> None:
    path = tmp_path / "r.json"
    assert cli("run", "--models", model, *FAST, "--profile", "-o", path).code == 0
    first, second = read_record(path).rows[0].processes
    assert first.facts["profile"]["operators"]
    assert "profile" not in second.facts


def test_the_output_is_not_written_over_and_nothing_is_measured_for_it(cli: Cli, model: Path, tmp_path: Path) -> None:
    path = tmp_path / "r.json"
    path.write_text("mine")
    outcome = cli("run", "--models", model, *FAST, "-o", path)
    assert outcome.code == 1
    assert "--force" in outcome.err
    assert path.read_text() == "mine"
    assert cli("run", "--models", model, *FAST, "-o", path, "--force").code == 0
    assert read_record(path).is_complete


@pytest.mark.smoke
@pytest.mark.parametrize("more", [(), ("--on", "ssh:host.invalid")])
def test_a_place_that_takes_no_file_is_told_before_anything_is_made(
    cli: Cli, model: Path, tmp_path: Path, more: tuple[str, ...]
) -> None:
    outcome = cli("run", "--models", model, *FAST, *more, "-o", tmp_path / "results" / "r.json")
    assert outcome.code == 1
    assert "make the folder first" in outcome.err
    assert not (tmp_path / "cache").exists()


@pytest.mark.smoke
def test_a_folder_that_goes_meanwhile_costs_no_record(
    cli: Cli, model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, kept = tmp_path / "stick", tmp_path / "kept"
    folder.mkdir()
    kept.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(kept))
    monkeypatch.setattr(run_module, "check_place", lambda *_, **__: folder.rmdir())
    outcome = cli("run", "--models", model, *FAST, "-o", folder / "r.json")
    assert outcome.code == 1
    assert "the record lies in" in outcome.err
    (path,) = kept.glob("mnbench-*.json")
    assert read_record(path).rows[0].processes


def test_a_missing_engine_is_a_row_and_strict_makes_it_a_failure(cli: Cli, model: Path, tmp_path: Path) -> None:
    absent = "tflite-runtime" if ENGINE == "litert" else "litert"
    options = ("--pace", "0.05", "--rounds", "1", "--engines", f"{ENGINE},{absent}", "--threads", "1")
    path = tmp_path / "r.json"
    outcome = cli("run", "--models", model, *options, "-o", path)
    assert outcome.code == 0
    assert f"missing: small/forward/{absent}" in outcome.err
    assert cli("run", "--models", model, *options, "-o", path, "--force", "--strict").code == 1


LITERT = Cell(work=Work.FORWARD, model="v1", engine="litert")
HERE = Row(cell=LITERT, status=Status.MEASURED, processes=(Process(round=0, samples_ns=(5, 6, 7)),))
NOT_THERE = (
    Row(cell=replace(LITERT, engine="mnn"), status=Status.MISSING, reason="MNN can't run it"),
    Row(cell=replace(LITERT, engine="ncnn"), status=Status.MISSING, reason="ncnn is not installed"),
)
CRASHED = Row(cell=replace(LITERT, threads=2), status=Status.FAILED, reason="killed by SIGSEGV")
OF_THE_PRESET = "missing: 2 of the preset's rows (mnn, ncnn); the table says why"


@pytest.mark.smoke
@pytest.mark.parametrize(
    ("rows", "engines", "code", "told"),
    [
        ((HERE, *NOT_THERE), (), 0, [OF_THE_PRESET]),
        ((HERE, *NOT_THERE, CRASHED), (), 1, [f"failed: {CRASHED.cell.key}: killed by SIGSEGV", OF_THE_PRESET]),
        (
            (HERE, *NOT_THERE),
            ("--engines", "litert,mnn,ncnn"),
            1,
            [
                "missing: v1/forward/mnn/float32/t1: MNN can't run it",
                "missing: v1/forward/ncnn/float32/t1: ncnn is not",
            ],
        ),
        ((HERE,), (), 0, []),
        (NOT_THERE, (), 1, ["missing: v1/forward/mnn", "missing: v1/forward/ncnn", "Error: nothing could be measured"]),
    ],
)
def test_strict_is_about_what_failed_and_what_was_asked_for_by_name(
    cli: Cli,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    rows: tuple[Row, ...],
    engines: tuple[str, ...],
    code: int,
    told: list[str],
) -> None:
    record = Record(device="d", command="mnbench run", plan="0", rows=rows)
    monkeypatch.setattr(run_module, "_bundles", lambda *_: {})
    monkeypatch.setattr(run_module, "_here", lambda *_: record)
    outcome = cli("run", "--preset", "peers", *engines, "--strict", "-o", tmp_path / "r.json")
    assert outcome.code == code, outcome.err
    lines = [line for line in outcome.err.splitlines() if not line.startswith("  ")]
    assert [line[: len(start)] for line, start in zip(lines, told, strict=True)] == told


def test_nothing_measured_is_an_error(cli: Cli, model: Path, tmp_path: Path) -> None:
    absent = "tflite-runtime" if ENGINE == "litert" else "litert"
    outcome = cli("run", "--models", model, "--engines", absent, "--rounds", "1", "-o", tmp_path / "r.json")
    assert outcome.code == 1
    assert "nothing could be measured" in outcome.err


def test_a_flatbuffer_can_not_be_trained(cli: Cli, model: Path, tmp_path: Path) -> None:
    outcome = cli("run", "--models", model, "--engines", "keras-jax", "-o", tmp_path / "r.json")
    assert outcome.code == 1
    assert "nothing to measure" in outcome.err
    assert not (tmp_path / "r.json").exists()


@pytest.mark.smoke
@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--threads", "0"), "--threads"),
        (("--threads", "two"), '"two"'),
        (("--engines", "litter"), 'did you mean "litert"'),
        (("--variants", "int9"), '"int9" is none of'),
        (("--works", "forwards"), 'Did you mean "forward"'),
        (("--rounds", "0"), "--rounds"),
        (("--pace", "nan"), "--pace"),
        (("--preset", "tabel"), 'Did you mean "table"'),
        (("--benchmark-model", "x"), "--on adb"),
        (("--on", "adb"), "--benchmark-model"),
        (("--on", "ssh:pi", "--resume"), "--resume"),
        (("--on", "ssh:pi", "--remote-python", ""), "--remote-python is given, and empty"),
        (("--device-name", ""), "--device-name is given, and empty"),
        (("--engines", ""), "--engines is given, and empty"),
        (("--threads", ","), "--threads is given, and empty"),
        (("--batch", ""), "--batch is given, and empty"),
        (("--variants", " "), "--variants is given, and empty"),
        (("--threads", "1" * 5000), "no whole number from 1 to 4096"),
    ],
)
def test_usage(cli: Cli, model: Path, arguments: tuple[str, ...], words: str) -> None:
    outcome = cli("run", "--models", model, *arguments)
    assert outcome.code == 2, outcome.err
    assert words in outcome.err


@pytest.mark.parametrize("name", ["mobilenet_v9", "none.tflite", "none.h5", "."])
def test_a_model_that_is_none(cli: Cli, tmp_path: Path, name: str) -> None:
    outcome = cli("run", "--models", name, *FAST, "-o", tmp_path / "r.json")
    assert outcome.code == 1
    assert "Traceback" not in outcome.err
    assert not (tmp_path / "r.json").exists()


def test_two_models_of_one_name(cli: Cli, model: Path, tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    other = tmp_path / "other" / "small.tflite"
    other.write_bytes(model.read_bytes())
    outcome = cli("run", "--models", model, "--models", other, *FAST, "-o", tmp_path / "r.json")
    assert outcome.code == 1
    assert 'two models are called "small"' in outcome.err


def test_resume_wants_the_same_plan(cli: Cli, model: Path, tmp_path: Path) -> None:
    path = tmp_path / "r.json"
    assert cli("run", "--models", model, *FAST, "-o", path).code == 0
    before = path.read_bytes()
    outcome = cli("run", "--models", model, *FAST[:-1], "2", "--resume", "-o", path)
    assert outcome.code == 1
    assert "another plan" in outcome.err
    assert "leave the options out" in outcome.err
    assert path.read_bytes() == before
    assert cli("run", "--models", model, *FAST, "--resume", "-o", path).code == 0
    assert cli("run", "--models", model, *FAST, "--resume", "-o", tmp_path / "none.json").code == 1


@pytest.mark.skipif(not hasattr(signal, "SIGINT") or os.name == "nt", reason="sends Control-C")
def test_control_c_keeps_what_there_is_and_resume_goes_on(cli: Cli, model: Path, tmp_path: Path) -> None:
    path = tmp_path / "r.json"
    options = ("--models", str(model), "--engines", ENGINE, "--threads", "1", "--pace", "0.05", "--rounds", "12")
    process = subprocess.Popen(
        command_line("run", *options, "-o", path, package="mnbench"), env=environment_for(), stderr=subprocess.PIPE
    )
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and not path.exists():  # written after the first process
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    _, words = process.communicate(timeout=60)
    assert process.returncode == 130, words
    kept = read_record(path)
    assert not kept.is_complete
    assert number_of_processes(kept) > 0
    done_of_all = f"{number_of_processes(kept)} of {12 * len(kept.rows)} processes"
    how = f"run --resume -o {path} --models {model}"
    assert f"{path}: {done_of_all}; to go on: mnbench {how}" in words.decode()
    resumed = cli(*how.split())
    assert resumed.code == 0, resumed.err
    done = read_record(path)
    assert done.command == kept.command
    assert done.machine["before"] == kept.machine["before"]
    assert done.is_complete
    assert all(len(row.processes) == 12 for row in done.rows)
    assert done.rows[0].processes[0] == kept.rows[0].processes[0]


def number_of_processes(record: Record) -> int:
    return sum(len(row.processes) for row in record.rows)


def test_plan_prints_what_would_run(cli: Cli, model: Path) -> None:
    text = cli("plan", "--models", model, *FAST)
    assert text.code == 0
    assert f"small/forward/{ENGINE}/float32/t1" in text.out
    plan = json.loads(cli("plan", "--models", model, *FAST, "--json").out)
    assert plan["rounds"] == 2
    assert all(cell["model"] == "small" for cell in plan["cells"])


def test_the_quick_plan_of_a_name_needs_nothing_installed(cli: Cli) -> None:
    outcome = cli("plan", "--preset", "quick")
    assert outcome.code == 0
    assert "fresh processes, about" in outcome.out


def test_a_run_leaves_nothing_behind(model: Path, cli: Cli, tmp_path: Path) -> None:
    """No scratch folder, and in the record no place of this machine."""
    before = set(Path(os.environ.get("TMPDIR", "/tmp")).glob("mnbench-*"))
    assert cli("run", "--models", model, *FAST, "-o", tmp_path / "r.json").code == 0
    assert set(Path(os.environ.get("TMPDIR", "/tmp")).glob("mnbench-*")) <= before
    assert sys.executable not in (tmp_path / "r.json").read_text()


def test_a_plan_tells_of_the_batch_that_is_found_later(cli: Cli) -> None:
    outcome = cli("plan", "--preset", "gpu")
    assert outcome.code == 0
    assert "the batch that saturates the device" in outcome.out
    assert "/b1/" not in outcome.out
    assert "saturates" not in cli("plan", "--preset", "gpu", "--batch", "1,8").out
    assert "saturates" not in cli("plan", "--preset", "gpu", "--engines", "litert").out
    assert cli("plan", "--preset", "gpu", "--batch", "saturating,many").code == 2


def test_a_saturating_batch_wants_a_training_framework(cli: Cli, model: Path, tmp_path: Path) -> None:
    outcome = cli("run", "--models", model, *FAST, "--batch", "saturating", "-o", tmp_path / "r.json")
    assert outcome.code == 2
    assert "--engines keras-jax" in outcome.err


def test_resume_refuses_another_file_of_that_name(cli: Cli, model: Path, tmp_path: Path) -> None:
    path, mine = tmp_path / "r.json", tmp_path / "small.tflite"
    mine.write_bytes(model.read_bytes())
    assert cli("run", "--models", mine, *FAST, "-o", path).code == 0
    before = path.read_bytes()
    mine.write_bytes(small_model(seed=1))
    outcome = cli("run", "--models", mine, *FAST, "--resume", "-o", path)
    assert outcome.code == 1
    assert "small float32 is another file" in outcome.err
    assert path.read_bytes() == before


def test_two_bundles_of_one_model_are_refused(cli: Cli, model: Path, tmp_path: Path) -> None:
    """The folders have two names; the model in them has one."""
    assert cli("prepare", "--models", model, "-o", tmp_path / "a").code == 0
    shutil.copytree(tmp_path / "a" / "small", tmp_path / "b")
    outcome = cli("run", "--models", tmp_path / "a" / "small", "--models", tmp_path / "b", *FAST)
    assert outcome.code == 1
    assert 'two models are called "small"' in outcome.err


@pytest.mark.smoke
def test_a_plan_whose_result_nobody_could_read_is_refused(cli: Cli) -> None:
    for command in ("plan", "run"):
        outcome = cli(command, "--preset", "zoo", "--rounds", "1000")
        assert outcome.code == 1
        assert "000 processes are more than a result holds" in outcome.err
        assert "--rounds" in outcome.err


def test_the_command_is_that_of_the_call_not_of_the_process(cli: Cli, model: Path, tmp_path: Path) -> None:
    path = tmp_path / "r.json"
    assert cli("run", "--models", model, *FAST, "-o", path, "--device-name", "Lab/Pi 5").code == 0
    options = f"--models small.tflite --engines {ENGINE} --threads 1 --rounds 2 --pace 0.05"
    assert read_record(path).command == f"mnbench run {options} -o r.json --device-name 'Lab/Pi 5'"
    resumed = cli("run", "--resume", "-o", path, "--models", model)
    assert resumed.code == 0, resumed.err
    assert read_record(path).device == "Lab/Pi 5"


def test_devices_are_an_axis(cli: Cli) -> None:
    options = ("plan", "--preset", "gpu", "--engines", "keras-tensorflow", "--batch", "1")
    gpu, both = cli(*options).out, cli(*options, "--devices", "cpu,gpu").out
    assert all("/gpu/" in line for line in gpu.splitlines()[:-1])
    assert len(both.splitlines()) == 2 * len(gpu.splitlines()) - 1
    assert cli(*options, "--devices", "tpu").code == 2


@pytest.mark.smoke
def test_a_variant_that_a_file_is_not_is_told_with_what_it_is(cli: Cli, model: Path) -> None:
    outcome = cli("plan", "--models", model, "--engines", ENGINE, "--variants", "int8")
    assert outcome.code == 1
    assert '--variants float32: of "small" there is no other' in outcome.err


@pytest.mark.smoke
def test_a_program_for_phones_is_missing_here(cli: Cli, model: Path, tmp_path: Path) -> None:
    outcome = cli("run", "--models", model, "--engines", "benchmark_model", "-o", tmp_path / "r.json")
    assert outcome.code == 1
    assert "missing: small/forward/benchmark_model/float32/t1: benchmark_model runs on Android" in outcome.err
    assert "--on adb --benchmark-model FILE" in outcome.err


def test_help_names_every_engine(cli: Cli) -> None:
    text = "".join(cli("run", "--help").out.split())
    assert all(name in text for name in ENGINES)
