"""Files by strangers, each field in turn given what nobody writes: exit code 0 or 1, never a traceback.

Records, bundles, logs of benchmark_model and results of litert-benchmark go through the commands that read them, in
this process, so that whatever is raised is raised here. What ``import`` writes can be read back in every case.
"""

import copy
import json
import random
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mnbench.cli.main import main
from mnbench.preparing import prepare
from mnbench.record import Record
from mnbench.record_file import encode_record, read_record
from support.benchmark_logs import benchmark_log, operator_tables
from support.networks import shapes_int8
from support.records import pi_record, workstation_record

Place = tuple[str | int, ...]
HOSTILE: Sequence[Any] = (
    None, True, 0, -1, 1, 10**400, 2**63, 2**63 - 1, -(2**63), 1e308, -1e308, 1e-320, 0.5,
    "", "x" * 5000, "../../etc", "\x1b[2J\n\0", "\ud800", "<script>", "=1+1", [], [[]], [1], ["a"], {},
    {"a": {"b": []}},
)  # fmt: skip
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


def places(value: Any, so_far: Place = ()) -> Iterator[Place]:
    """Every field, and of a list its first item and the whole: the others are alike."""
    yield so_far
    if isinstance(value, dict):
        for key, item in value.items():
            yield from places(item, (*so_far, key))
    elif isinstance(value, list) and value:
        yield from places(value[0], (*so_far, 0))


def changed(value: Any, place: Place, new: Any) -> Any:
    """A copy with ``new`` at ``place``; at no place at all, ``new`` itself."""
    if not place:
        return new
    found = copied = copy.deepcopy(value)
    for key in place[:-1]:
        found = found[key]
    found[place[-1]] = new
    return copied


def ends_well(*arguments: object) -> int:
    """Run ``mnbench``; what it doesn't know as an error is raised here, and a usage error would be this test's."""
    code = main([str(argument) for argument in arguments])
    assert code in (0, 1, 3), arguments
    return code


def small_record() -> Record:
    """A few rows of every kind."""
    record = workstation_record()
    chosen = {row.cell.engine + row.cell.work + row.status: row for row in record.rows}
    return Record.from_json({**record.to_json(), "rows": [row.to_json() for row in chosen.values()]})


VALUE = small_record().to_json()
PLACES = [
    *places({**VALUE, "rows": []}),
    *(place for row in range(len(VALUE["rows"])) for place in places(VALUE["rows"][row], ("rows", row))),
]


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("sound") / "pi.json"
    path.write_bytes(encode_record(pi_record()))
    return path


def show(path: Path, sound: Path, output: Path) -> None:
    """Every command that reads a record, on one that is well-formed."""
    for layout in ("2017", "full"):
        for form in ("text", "csv", "html", "md"):
            ends_well("table", path, "--layout", layout, "--format", form)
    ends_well("compare", path, sound, "--allow-unlike-machines")
    ends_well("compare", path, path)
    ends_well("report", path, sound, "-o", output / "page.html", "--force")
    for kind in ("latency", "pareto", "threads", "operators", "parts"):
        ends_well("plot", path, "--kind", kind, "-o", output / "plot.svg", "--force")
    record = read_record(path)
    for row in record.rows[:3]:
        ends_well("export", path, "--row", row.cell.key, "-o", output / "litert.json", "--force")


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(place=st.sampled_from(PLACES), new=st.sampled_from(HOSTILE))
def test_a_record_with_a_hostile_field(tmp_path: Path, sound: Path, place: Place, new: Any) -> None:
    pytest.importorskip("matplotlib")
    path = tmp_path / "hostile.json"
    path.write_text(json.dumps(changed(VALUE, place, new)))
    if ends_well("table", path, "--layout", "full") == 0:
        show(path, sound, tmp_path)


def test_every_field_of_a_record_is_read_or_refused(tmp_path: Path) -> None:
    path = tmp_path / "hostile.json"
    accepted = 0
    drawn = random.Random(0)
    for place in PLACES:
        path.write_text(json.dumps(changed(VALUE, place, drawn.choice(HOSTILE))))
        accepted += ends_well("table", path, "--layout", "full", "--format", "csv") == 0
    assert accepted, "facts may be anything"


def test_every_field_of_litert_benchmarks_result(tmp_path: Path) -> None:
    path, output = tmp_path / "result.json", tmp_path / "record.json"
    for place in places(LITERT):
        for new in HOSTILE:
            path.write_text(json.dumps(changed(LITERT, place, new)))
            check_import(path, output)


@pytest.mark.parametrize("number", ["-5", "0", "1e306", "nan", "9" * 5000, "x"])
def test_every_number_of_a_log(tmp_path: Path, number: str) -> None:
    said = (
        "Replacing 29 out of 31 node(s) with delegate (TfLiteXNNPackDelegate) node, yielding 2 partitions.",
        "Overall peak memory footprint (MB) via periodic monitoring: 71.25",
    )
    path, output = tmp_path / "log.txt", tmp_path / "record.json"
    text = benchmark_log(median_us=13400, tables=operator_tables(), said=said)
    for start, end in numbers(text):
        path.write_text(text[:start] + number + text[end:])
        check_import(path, output)


def numbers(text: str) -> list[tuple[int, int]]:
    return [match.span() for match in re.finditer(r"(?<![\w.])\d+(?:\.\d+)?(?:e\+\d+)?", text)]


def check_import(path: Path, output: Path) -> None:
    """It is refused and nothing written, or what is written can be read, and shown."""
    output.unlink(missing_ok=True)
    code = ends_well("import", path, "--device-name", "x", "--variant", "int8", "-o", output)
    assert output.exists() == (code == 0)
    if code == 0:
        read_record(output)
        assert ends_well("table", output, "--layout", "full") == 0


@pytest.fixture(scope="module")
def bundle_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("bundle")
    (folder / "net.tflite").write_bytes(shapes_int8())
    (bundle,) = prepare([str(folder / "net.tflite")], folder=folder / "made")
    return bundle.folder


def test_every_field_of_a_bundle(bundle_folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    page = bundle_folder / "bundle.json"
    value = json.loads(page.read_text())
    value["model"]["accuracy"] = {"int8": {"top1_percent": 70.0, "standard_error": 1.0, "n": 9, "source": "x"}}
    verification = {"agreement": 0.9, "sqnr_db": 20.0, "num_pictures": 64, "failures": ["far"]}
    value["model"]["files"]["int8"]["verification"] = verification
    drawn = random.Random(0)
    for place in places(value):
        for new in drawn.sample(HOSTILE, 4):
            page.write_text(json.dumps(changed(value, place, new)))
            ends_well("prepare", "--models", bundle_folder)
            ends_well("plan", "--models", bundle_folder, "--preset", "quick")
    page.write_text(json.dumps(value))
    capsys.readouterr()
    assert ends_well("prepare", "--models", bundle_folder) == 0
    assert "top-1 70.0 ± 1.0 %; same best class of 90%, 20 dB over 64 pictures; far" in capsys.readouterr().out
