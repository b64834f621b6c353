"""``mnbench peers`` as it is typed: what is said, and the exit code."""

import json
import os
from pathlib import Path

import pytest

from mnbench.cli.main import main
from support.commands import Cli, in_this_process
from support.pretended_python import PretendedPython, pretend

pytestmark = [
    pytest.mark.smoke,
    pytest.mark.skipif(os.name != "posix", reason="the pretended Python is a script with a first line for it"),
]


@pytest.fixture
def mnbench(capfd: pytest.CaptureFixture[str]) -> Cli:
    return in_this_process(main, capfd)


@pytest.fixture
def pretended(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> PretendedPython:
    return pretend(monkeypatch, tmp_path)


def test_install_tells_its_way_on_stderr_and_the_disk_on_stdout(mnbench: Cli, pretended: PretendedPython) -> None:
    done = mnbench("peers", "install", "mnn")
    assert done.code == 0
    assert "mnn: Collecting pretended==1.0" in done.err
    assert " MB in " in done.out


def test_install_can_leave_the_converters_out(mnbench: Cli, pretended: PretendedPython) -> None:
    assert mnbench("peers", "install", "onnxruntime", "--runtime-only").code == 0
    state = json.loads(mnbench("peers", "list", "--json").out)
    (peer,) = (each for each in state["peers"] if each["name"] == "onnxruntime")
    assert peer["environments"]["onnxruntime"]["is_current"]
    assert peer["environments"]["tf2onnx"] is None
    assert not peer["is_installed"]


def test_list_shows_what_is_there_what_it_runs_and_why_no_more(mnbench: Cli, pretended: PretendedPython) -> None:
    pretended.install("openvino", {"openvino": "2026.4.1"})
    out = mnbench("peers", "list").out
    assert "openvino        installed: 2026.4.1, 1 MB" in out
    assert "onnxruntime     not installed, about 180 MB" in out
    assert "no int8: ncnn's quantizing programs, ncnn2table and ncnn2int8, are in none of its packages" in out
    assert "executorch      can't be installed" in out
    assert "has no option for threads" in out


def test_all_installs_every_peer_that_can_be(mnbench: Cli, pretended: PretendedPython) -> None:
    assert mnbench("peers", "install", "all").code == 0
    state = json.loads(mnbench("peers", "list", "--json").out)
    assert [each["name"] for each in state["peers"] if not each["is_installed"]] == ["executorch"]


def test_remove_gives_back(mnbench: Cli, pretended: PretendedPython) -> None:
    pretended.install("mnn", {"mnn": "3.6.1"})
    done = mnbench("peers", "remove", "mnn")
    assert (done.code, done.out) == (0, "mnn: 0 MB given back\n")
    assert mnbench("peers", "remove", "mnn").code == 1


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (("install", "mn"), 1, 'no peer is called "mn"'),
        (("install", "executorch"), 1, "PyTorch alone"),
        (("remove", "tf2onx"), 1, 'did you mean "tf2onnx"?'),
        (("install",), 2, "Missing argument"),
        (("instal", "mnn"), 2, "No such command"),
    ],
)
def test_mistakes_are_told(
    mnbench: Cli, pretended: PretendedPython, arguments: tuple[str, ...], code: int, words: str
) -> None:
    done = mnbench("peers", *arguments)
    assert done.code == code
    assert words in done.err
    assert "Traceback" not in done.err


def test_pips_failure_is_exit_code_1_with_its_words(mnbench: Cli, pretended: PretendedPython) -> None:
    pretended.order(pip="dies")
    done = mnbench("peers", "install", "mnn")
    assert done.code == 1
    assert "No matching distribution found" in done.err


@pytest.mark.parametrize("verb", ["install", "remove"])
def test_no_name_counts_before_all_are_known(mnbench: Cli, pretended: PretendedPython, verb: str) -> None:
    pretended.install("openvino", {"openvino": "2026.4.1"})
    before = mnbench("peers", "list", "--json").out
    done = mnbench("peers", verb, "openvino" if verb == "remove" else "mnn", "openvin")
    assert done.code == 1
    assert 'did you mean "openvino"?' in done.err
    assert mnbench("peers", "list", "--json").out == before
