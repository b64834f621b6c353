"""--resume: which options it takes over, and what it doesn't go on with."""

from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import click
import pytest

from mnbench.cell import Cell, Work
from mnbench.cli.going_on import check_plan, check_same_run, how_to_go_on, with_options_of
from mnbench.cli.run import command
from mnbench.record import MeasuredModel, Process, Record, Row, Status
from mninfer.errors import InputError

pytestmark = pytest.mark.smoke

FACTS = {
    "cpu": {"model": "Xeon", "cores_usable": 4},
    "packages": {"ai-edge-litert": "2.1.0", "numpy": "2.4.0"},
    "environments": {"onnxruntime": "1.22.0"},
    "python": "CPython 3.12.1",
}
FILES = {"float32": {"sha256": "aa"}, "int8": {"sha256": "bb"}}
MODEL = MeasuredModel(name="m", title="M", weights="", input_shape=(8, 8, 3), files=FILES)
RECORD = Record(
    device="d",
    command="mnbench run --models net.tflite --engines litert --rounds 7 --device-name 'a board' -o r.json --force",
    plan="abc",
    rows=(),
    models=(MODEL,),
    machine={"before": FACTS, "after": FACTS},
)


@dataclass
class FakeBundle:
    model: MeasuredModel


def options(record: Record, *words: str) -> dict[str, Any]:
    with command.make_context("run", list(words)) as context:
        assert isinstance(context, click.Context)
        return with_options_of(record, context)


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "net.tflite").write_bytes(b"")
    return tmp_path


@pytest.mark.usefixtures("here")
def test_the_options_of_then_are_taken_and_those_that_are_given_win() -> None:
    taken = options(RECORD, "--resume", "-o", "s.json", "--engines", "tensorflow")
    assert taken["models"] == ("net.tflite",)
    assert taken["rounds"] == 7
    assert taken["device_name"] is None, "the record's device stays what it is, whatever its command says"
    assert taken["engines"] == "tensorflow"
    assert taken["output"] == "s.json"
    assert taken["force"] is False
    assert taken["preset"] == "table"


def test_a_file_that_is_not_here_is_asked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InputError, match=r'measured "net\.tflite", which is not here') as caught:
        options(RECORD, "--resume")
    assert caught.value.hints == ("say where it is: --models FOLDER/net.tflite",)
    assert options(RECORD, "--resume", "--models", "/a/net.tflite")["models"] == ("/a/net.tflite",)


@pytest.mark.usefixtures("here")
def test_a_folder_that_is_not_here_is_asked_for_with_all_the_models() -> None:
    """A folder by its name alone would be taken for a network's name."""
    several = replace(RECORD, command="mnbench run --models net.tflite --models my/ --models mobilenet_v1")
    with pytest.raises(InputError, match='measured "my/", which is not here') as caught:
        options(several, "--resume")
    hint = "say where it is: --models net.tflite --models FOLDER/my/ --models mobilenet_v1"
    assert caught.value.hints == (hint,)
    Path("my").mkdir()
    assert options(several, "--resume")["models"] == ("net.tflite", "my/", "mobilenet_v1")


@pytest.mark.parametrize(
    "line",
    [
        "",
        "mnbench run 'no end",
        "mnbench table x.json",
        "mnbench run --help",
        "mnbench run --rounds many --on ssh --preset none",
        "mnbench run --no-such-option",
        "rm -rf x",
    ],
)
def test_a_command_line_that_is_none_is_as_if_there_were_none(line: str) -> None:
    taken = options(replace(RECORD, command=line), "--resume", "--rounds", "3")
    assert (taken["rounds"], taken["preset"], taken["models"], taken["target"]) == (3, "table", (), None)


def test_the_same_plan_on_the_same_is_gone_on_with() -> None:
    check_plan(RECORD, "abc", "r.json")
    check(RECORD)
    check(replace(RECORD, machine={}))


def test_another_plan_is_refused() -> None:
    with pytest.raises(InputError, match="another plan") as caught:
        check_plan(RECORD, "abd", "r.json")
    assert caught.value.where == "r.json"


def check(record: Record, **facts: Any) -> None:
    bundles: Any = {"m": FakeBundle(MODEL)}
    check_same_run(record, bundles, {**FACTS, **facts}, "r.json")


def with_files(**files: Any) -> Callable[[], None]:
    return lambda: check(replace(RECORD, models=(replace(MODEL, files=files),)))


@pytest.mark.parametrize(
    ("attempt", "words"),
    [
        (with_files(float32={"sha256": "cc"}), "m float32 is another file"),
        (lambda: check(RECORD, cpu={"model": "Cortex-A76", "cores_usable": 4}), 'CPU "Xeon" and "Cortex-A76"'),
        (lambda: check(RECORD, packages={"ai-edge-litert": "2.2.0"}), "ai-edge-litert 2.1.0 -> 2.2.0"),
        (lambda: check(RECORD, python="CPython 3.13.0"), r"CPython 3\.12\.1 -> CPython 3\.13\.0"),
        (lambda: check(RECORD, environments={"onnxruntime": "1.23.0"}), "onnxruntime 1.22.0 -> 1.23.0"),
    ],
)
def test_what_would_be_mixed_is_refused(attempt: Callable[[], None], words: str) -> None:
    with pytest.raises(InputError, match=words) as caught:
        attempt()
    assert caught.value.where == "r.json"
    assert "-o FILE" in caught.value.hints[0]


def test_a_wheel_that_told_no_digest_yet_is_gone_on_with() -> None:
    facts = {**FACTS, "packages": {"mnkit": "0.1.0.dev0"}}
    older = replace(RECORD, machine={"before": facts, "after": facts})
    check(older, packages={"mnkit": "0.1.0.dev0+source.1b2c3d4e5f60"})
    with pytest.raises(InputError, match="mnkit"):
        check(older, packages={"mnkit": "0.2.0.dev0+source.1b2c3d4e5f60"})


@pytest.mark.parametrize(("engine", "is_refused"), [("mninfer", True), ("litert", False)])
def test_a_decoder_that_came_along_changes_what_mninfer_runs_on(engine: str, is_refused: bool) -> None:
    cell = Cell(work=Work.PHOTO_TO_LABEL if engine == "mninfer" else Work.FORWARD, model="m", engine=engine)
    row = Row(cell=cell, status=Status.MEASURED, processes=(Process(round=0, samples_ns=(1,)),))
    with pytest.raises(InputError, match="none -> simplejpeg") if is_refused else nullcontext():
        check(replace(RECORD, rows=(row,)), packages={**FACTS["packages"], "simplejpeg": "1.8.2"})


def test_a_form_that_came_along_since_then_is_no_change() -> None:
    with_files(float32={"sha256": "aa"})()
    with_files(float32={"sha256": "aa"}, int16x8={"sha256": "dd"})()


def test_how_to_go_on_names_the_models_that_lie_elsewhere() -> None:
    told = how_to_go_on({"output": "my r.json", "models": ("mobilenet_v1", "/a b/net.h5", "here.tflite")})
    assert (
        told == "mnbench run --resume -o 'my r.json' --models mobilenet_v1 --models '/a b/net.h5' --models here.tflite"
    )
    assert how_to_go_on({"output": "r.json", "models": ("here.tflite",)}) == "mnbench run --resume -o r.json"
