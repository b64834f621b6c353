"""``mnbench report``: a page, and an exit code and a message for whatever is wrong."""

from pathlib import Path

import pytest

from mnbench.cli.main import main
from mnbench.record_file import write_record
from support.commands import Cli, in_this_process
from support.records import pi_record, workstation_record

pytestmark = pytest.mark.smoke


@pytest.fixture
def cli(capfd: pytest.CaptureFixture[str]) -> Cli:
    return in_this_process(main, capfd)


@pytest.fixture
def results(tmp_path: Path) -> list[Path]:
    paths = [tmp_path / "pi.json", tmp_path / "workstation.json"]
    for path, record in zip(paths, (pi_record(), workstation_record()), strict=True):
        write_record(record, path)
    return paths


def test_it_writes_a_page_of_all_results(cli: Cli, results: list[Path], tmp_path: Path) -> None:
    target = tmp_path / "page.html"
    done = cli("report", *results, "-o", target, "--title", "Ours & <theirs>")
    assert (done.code, done.out, done.err) == (0, f"{target}\n", "")
    text = target.read_text(encoding="utf-8")
    assert text.startswith("<!DOCTYPE html>")
    assert "<title>Ours &amp; &lt;theirs&gt;</title>" in text
    assert "Raspberry Pi 5" in text
    assert "ONNX Runtime" in text


def test_what_is_drawn_can_be_chosen_and_tables_have_all(cli: Cli, results: list[Path], tmp_path: Path) -> None:
    target = tmp_path / "page.html"
    assert cli("report", results[1], "-o", target, "--only", "*/litert/*").code == 0
    pictures = "".join(part.partition("</svg>")[0] for part in target.read_text(encoding="utf-8").split("<svg")[1:])
    assert "LiteRT" in pictures
    assert "ONNX Runtime" not in pictures
    assert "ONNX Runtime" in target.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        ([], 2, "Missing option '-o'"),
        (["-o", ""], 2, "-o is given, and empty"),
        (["-o", "kept.html"], 1, "the output exists already"),
        (["-o", "page.html", "--only", "nothing"], 1, 'no row fits "nothing"'),
    ],
)
def test_what_is_wrong_is_told(
    cli: Cli,
    results: list[Path],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    arguments: list[str],
    code: int,
    message: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("kept.html").write_text("kept", encoding="utf-8")
    done = cli("report", results[0], *arguments)
    assert done.code == code
    assert message in done.err
    assert "Traceback" not in done.err
    assert Path("kept.html").read_text(encoding="utf-8") == "kept"
    assert not Path("page.html").exists()


def test_a_result_that_is_none_is_told(cli: Cli, tmp_path: Path) -> None:
    path = tmp_path / "other.json"
    path.write_text("[]", encoding="utf-8")
    done = cli("report", path, "-o", tmp_path / "page.html")
    assert done.code == 1
    assert not (tmp_path / "page.html").exists()
