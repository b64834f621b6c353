"""``mnbench plot``: each kind and format, and an exit code and a message for whatever is wrong."""

from pathlib import Path
from xml.etree import ElementTree

import pytest

from mnbench.cli.main import main
from mnbench.record_file import write_record
from support.commands import Cli, in_this_process
from support.profiled import profiled_record
from support.records import pi_record

pytestmark = pytest.mark.smoke


@pytest.fixture
def cli(capfd: pytest.CaptureFixture[str]) -> Cli:
    return in_this_process(main, capfd)


@pytest.fixture
def result(tmp_path: Path) -> Path:
    path = tmp_path / "result.json"
    write_record(profiled_record(), path)
    return path


@pytest.mark.parametrize("kind", ["latency", "pareto", "threads", "operators", "parts"])
def test_each_kind_as_svg(cli: Cli, result: Path, tmp_path: Path, kind: str) -> None:
    target = tmp_path / "plot.svg"
    done = cli("plot", result, "--kind", kind, "-o", target)
    assert (done.code, done.out, done.err) == (0, f"{target}\n", "")
    assert ElementTree.fromstring(target.read_bytes()).tag.endswith("svg")


def test_a_png_is_the_default(cli: Cli, result: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("matplotlib")
    monkeypatch.chdir(tmp_path)
    assert cli("plot", result).code == 0
    assert (tmp_path / "latency.png").read_bytes().startswith(b"\x89PNG")


def test_rows_can_be_chosen_and_the_scale(cli: Cli, result: Path, tmp_path: Path) -> None:
    target = tmp_path / "plot.svg"
    done = cli("plot", result, "--only", "*/forward/litert/*", "--scale", "log", "-o", target)
    assert done.code == 0
    assert b"LiteRT" in target.read_bytes()
    assert b"OpenVINO" not in target.read_bytes()


def test_an_accuracy_can_be_stated(cli: Cli, result: Path, tmp_path: Path) -> None:
    target = tmp_path / "plot.svg"
    arguments = ["--kind", "pareto", "--only", "*/int8/*", "--only", "*/float32/*", "-o", target]
    stated = ["--top1", "mobilenet_v2_*=71.8", "--top1", "mobilenet_v1_1.0_224/int8=70.6±0.4"]
    assert cli("plot", result, *arguments, *stated).code == 0
    text = target.read_text(encoding="utf-8")
    assert "71.8 ± 0.0 % top-1" in text
    assert "70.6 ± 0.4 % top-1" in text


def test_several_devices_come_into_one_picture(cli: Cli, result: Path, tmp_path: Path) -> None:
    other, target = tmp_path / "pi.json", tmp_path / "both.svg"
    write_record(pi_record(), other)
    assert cli("plot", result, other, "-o", target).code == 0
    text = target.read_text(encoding="utf-8")
    assert "Raspberry Pi 5" in text
    assert "Xeon" in text


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["-o", "plot.jpg"], 2, '"plot.jpg" is neither a .png nor a .svg'),
        (["-o", ""], 2, '"" is neither'),
        (["--kind", "paretto"], 2, 'Did you mean "pareto"?'),
        (["--scale", "logg"], 2, 'Did you mean "log"?'),
        (["--only", "nothing", "-o", "x.svg"], 1, 'no row fits "nothing"'),
        (["--only", "*/import/*", "--kind", "threads", "-o", "x.svg"], 1, "no row was measured with several numbers"),
        (["--top1", "v1", "-o", "x.svg"], 1, '"v1" states no accuracy'),
        (["--top1", "mobilenet_v1_1.0_225=70", "-o", "x.svg"], 1, 'did you mean "mobilenet_v1_1.0_224'),
        (["-o", "result.json.svg"], 1, "the output exists already"),
        (["-o", "missing/plot.svg"], 1, "make the folder first"),
    ],
)
def test_what_is_wrong_is_told(
    cli: Cli,
    result: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    arguments: list[str],
    code: int,
    message: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("result.json.svg").write_text("kept", encoding="utf-8")
    done = cli("plot", result, *arguments)
    assert done.code == code
    assert message in done.err
    assert "Traceback" not in done.err
    assert Path("result.json.svg").read_text(encoding="utf-8") == "kept"
    assert not Path("x.svg").exists()


def test_force_replaces(cli: Cli, result: Path, tmp_path: Path) -> None:
    target = tmp_path / "plot.svg"
    target.write_text("old", encoding="utf-8")
    assert cli("plot", result, "-o", target, "--force").code == 0
    assert target.read_bytes().startswith(b"<?xml")


def test_what_is_no_result_is_told(cli: Cli, tmp_path: Path) -> None:
    path = tmp_path / "other.json"
    path.write_text("{}", encoding="utf-8")
    done = cli("plot", path, "-o", tmp_path / "plot.svg")
    assert done.code == 1
    assert "no result of mnbench" in done.err
    assert cli("plot", tmp_path / "none.json", "-o", tmp_path / "plot.svg").code == 1
    assert cli("plot").code == 2
