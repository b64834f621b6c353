"""What is written where, what is refused before any work, what is said, and the exit codes."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from mninfer.errors import CalibrationError, KerasFileError, UnsupportedModelError, VariantError
from support.commands import Outcome
from support.conversions import made

pytestmark = pytest.mark.smoke

Cli = Callable[..., Outcome]
NAMES = ("none", "none_unfused", "fp16", "dynamic", "int8", "int8_per_tensor", "int16x8")


def names_in(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_the_file_lies_beside_the_source(cli: Cli, converter: Any, model: Path) -> None:
    outcome = cli("--quantize", "int8", model)
    assert outcome.code == 0
    written = model.with_name("net_int8.tflite")
    assert written.read_bytes() == made().data
    assert outcome.out.startswith(f"{written}: int8, ")
    assert outcome.err == "warning: a thing to know\n"


@pytest.mark.parametrize(
    ("output", "written"),
    [("x.tflite", "x.tflite"), ("there", "there/net_int8.tflite"), ("new/", "new/net_int8.tflite"), ("a/b.x", "a/b.x")],
)
def test_output_is_a_file_or_a_folder(
    cli: Cli, converter: Any, model: Path, monkeypatch: pytest.MonkeyPatch, output: str, written: str
) -> None:
    monkeypatch.chdir(model.parent)
    Path("there").mkdir()
    assert cli(model, "--quantize", "int8", "-o", output).code == 0
    assert Path(written).read_bytes() == made().data


def test_all_variants_and_their_table(cli: Cli, converter: Any, model: Path) -> None:
    outcome = cli("--all", model, "-o", model.parent / "out")
    assert outcome.code == 0
    assert names_in(model.parent / "out") == sorted(f"net_{name}.tflite" for name in NAMES)
    lines = outcome.out.splitlines()
    assert lines[0].split() == ["variant", "size", "agreement", "cosine", "SQNR", "latency", "oldest", "runtime"]
    assert [line.split("  ")[0] for line in lines[1:]] == [name.replace("_", " ") for name in NAMES]
    assert all(" ms " in line for line in lines[1:])
    assert outcome.err.count("a thing to know") == 1


def test_what_exists_is_refused_before_any_work(cli: Cli, converter: Any, model: Path) -> None:
    written = model.with_name("net_int8.tflite")
    written.write_bytes(b"mine")
    for arguments in (("--quantize", "int8"), ("--all",)):
        outcome = cli(model, *arguments)
        assert outcome.code == 1
        assert "the output exists already" in outcome.err
        assert "--force" in outcome.err
    assert not converter.opened
    assert written.read_bytes() == b"mine"
    assert cli(model, "--quantize", "int8", "--force").code == 0
    assert written.read_bytes() == made().data


@pytest.mark.parametrize("option", ["-o", "--report"])
def test_a_place_that_cannot_be_written_is_refused_before_any_work(
    cli: Cli, converter: Any, model: Path, option: str
) -> None:
    outcome = cli(model, option, f"{model}/deep/x.tflite")
    assert outcome.code == 1
    assert "a part of the path is not a folder" in outcome.err
    assert f"where: {model}\n" in outcome.err
    assert not converter.opened


@pytest.mark.parametrize(
    ("name", "message"), [("nett.h5", "did you mean {folder}/net.h5?"), ("", "is a folder, not a file")]
)
def test_a_model_that_is_not_there_is_told_before_keras_starts(
    cli: Cli, converter: Any, model: Path, name: str, message: str
) -> None:
    outcome = cli(model.parent / name)
    assert outcome.code == 1
    assert message.format(folder=model.parent) in outcome.err
    assert not converter.opened


@pytest.mark.parametrize("flags", [(), ("--force",)])
@pytest.mark.parametrize("option", ["-o", "--report"])
def test_the_source_is_never_written_over(cli: Cli, converter: Any, model: Path, option: str, flags: Any) -> None:
    outcome = cli(model, option, model, *flags)
    assert outcome.code == 1
    assert "write over the source" in outcome.err
    assert model.read_bytes() == b"a model"


def test_a_report_of_the_same_name_is_refused(cli: Cli, converter: Any, model: Path, tmp_path: Path) -> None:
    outcome = cli(model, "-o", tmp_path / "x", "--report", tmp_path / "x")
    assert outcome.code == 1
    assert "would be one file" in outcome.err
    (tmp_path / "old.html").write_text("old")
    assert "exists already" in cli(model, "--report", tmp_path / "old.html").err
    assert not converter.opened


def test_what_does_not_hold_is_not_written(cli: Cli, converter: Any, model: Path) -> None:
    converter.fails["int8"] = "SQNR 3.1 dB, below 10 dB"
    good = model.with_name("net_int8.tflite")
    good.write_bytes(b"good")
    outcome = cli("--quantize", "int8", model, "--force")
    assert outcome.code == 3
    assert "SQNR 3.1 dB, below 10 dB" in outcome.err
    assert f"where: {model}" in outcome.err
    assert "try:" in outcome.err
    assert good.read_bytes() == b"good"
    assert names_in(model.parent) == ["net.h5", "net_int8.tflite"]


def test_keep_failed_writes_beside(cli: Cli, converter: Any, model: Path) -> None:
    converter.fails["int8"] = "SQNR 3.1 dB"
    outcome = cli("--quantize", "int8", model, "--keep-failed")
    assert outcome.code == 3
    assert names_in(model.parent) == ["net.h5", "net_int8.failed.tflite"]
    assert f"{model.with_name('net_int8.failed.tflite')}: int8" in outcome.out
    assert "exists already" in cli("--quantize", "int8", model, "--keep-failed").err


def test_one_of_all_that_does_not_hold_leaves_the_others(cli: Cli, converter: Any, model: Path) -> None:
    converter.fails["int8 per tensor"] = "SQNR 3.1 dB"
    outcome = cli("--all", model)
    assert outcome.code == 3
    assert "net_int8.tflite" in names_in(model.parent)
    assert "net_int8_per_tensor.tflite" not in names_in(model.parent)
    assert "int8 per tensor: failed: " in outcome.out


def test_a_variant_that_needs_pictures_is_a_known_error_of_all(cli: Cli, converter: Any, model: Path) -> None:
    converter.fails["int8"] = CalibrationError('no range known for layer "a"', hints="--calibrate FOLDER")
    outcome = cli("--all", model)
    assert outcome.code == 1
    assert 'int8: not made: no range known for layer "a". Try: --calibrate FOLDER' in outcome.out


def test_what_a_stated_runtime_cannot_load_is_marked_and_not_fatal(cli: Cli, converter: Any, model: Path) -> None:
    converter.fails["dynamic"] = VariantError("FULLY_CONNECTED 12 needs 2.18.0")
    outcome = cli("--all", model, "--target-runtime", "2.14")
    assert outcome.code == 0
    assert "dynamic: not made: FULLY_CONNECTED 12 needs 2.18.0" in outcome.out


def test_a_runtime_that_is_stated_excuses_nothing_else(cli: Cli, converter: Any, model: Path) -> None:
    converter.fails["int8"] = UnsupportedModelError("no range is known without data")
    assert cli("--all", model, "--target-runtime", "2.14").code == 1


@pytest.mark.parametrize("option", [("--arch", "mobilenet_v1"), ("--alpha", 0.5), ("--lambda", "x=x/2"), ("--trust",)])
def test_what_is_of_keras_files_is_not_taken_in_vain(
    cli: Cli, converter: Any, tmp_path: Path, option: tuple[object, ...]
) -> None:
    path = tmp_path / "net.tflite"
    path.write_bytes(b"\x1c\0\0\0TFL3")
    outcome = cli(path, *option)
    assert outcome.code == 2
    assert f"MODEL is a .tflite, which has its network in it: leave out {option[0]}" in outcome.err
    assert not converter.opened


def test_a_known_error_says_where(cli: Cli, converter: Any, model: Path) -> None:
    converter.fails["int8"] = KerasFileError("this is no Keras file", hints="another")
    outcome = cli("--quantize", "int8", model)
    assert outcome.code == 1
    assert outcome.err == f"Error: this is no Keras file\n  where: {model}\n  try:   another\n"


def test_explain_prints_the_plan(cli: Cli, converter: Any, model: Path) -> None:
    out = cli("--quantize", "int8", "--explain", model).out
    assert "the plan of int8" in out
    assert "beta ± 6 s, clipped by ReLU6" in out
    assert cli("--all", "--explain", model, "--force").out.count("the plan of int8") == 2


def test_json_of_one(cli: Cli, converter: Any, model: Path) -> None:
    outcome = cli("--quantize", "int8", "--json", model)
    value = json.loads(outcome.out)
    assert value["output"] == str(model.with_name("net_int8.tflite"))
    assert value["schema"] == 1
    assert value["verification"]["passed"] is True
    assert "plan" not in value
    explained = json.loads(cli("--quantize", "int8", "--json", "--explain", model, "--force").out)
    assert explained["plan"]["tensors"][1]["source"] == "batch norm"


def test_json_of_one_that_failed(cli: Cli, converter: Any, model: Path) -> None:
    converter.fails["int8"] = "SQNR 3.1 dB"
    outcome = cli("--quantize", "int8", "--json", model)
    assert outcome.code == 3
    value = json.loads(outcome.out)
    assert value["output"] is None
    assert value["verification"]["failures"] == ["SQNR 3.1 dB"]


def test_json_of_all(cli: Cli, converter: Any, model: Path) -> None:
    converter.fails["int16x8"] = CalibrationError("no range")
    value = json.loads(cli("--all", "--json", model).out)
    assert [each["name"] for each in value["variants"]] == [name.replace("_", " ") for name in NAMES]
    assert value["variants"][4]["report"]["config"]["variant"] == "int8"
    assert value["variants"][4]["latency_ms"] > 0
    assert value["variants"][6]["standing"] == "not made"
    assert value["variants"][6]["report"] is value["variants"][6]["file"] is None


def test_a_report_is_one_page(cli: Cli, converter: Any, model: Path) -> None:
    page = model.with_name("page.html")
    converter.fails["int8 per tensor"] = "SQNR 3.1 dB"
    assert cli("--all", model, "--report", page).code == 3
    text = page.read_text(encoding="utf-8")
    assert text.startswith("<!DOCTYPE html>")
    assert "<title>net</title>" in text
    assert "Inside int8 per tensor" in text


def test_pictures_reach_the_converter(cli: Cli, converter: Any, model: Path, repository: Path) -> None:
    pictures = repository / "tests" / "vectors" / "pictures"
    assert cli("--quantize", "int8", model, "--calibrate", pictures, "--samples", 3, "--seed", 5).code == 0
    ((_, options),) = converter.asked
    assert (len(options["samples"]), options["samples"].seed) == (3, 5)


def test_a_list_of_classes_serves_pictures_in_one_folder(
    cli: Cli, converter: Any, model: Path, repository: Path
) -> None:
    folder = model.parent / "flat"
    folder.mkdir()
    picture = next((repository / "tests/vectors/pictures").glob("*.png")).read_bytes()
    for name in ("1.png", "2.png"):
        (folder / name).write_bytes(picture)
    classes = model.with_name("classes.csv")
    classes.write_text("name,class\n1.png,red fox\n2.png,cat\n", encoding="utf-8")
    assert cli("--quantize", "int8", model, "--evaluate", folder, "--classes-from", classes).code == 0
    ((_, options),) = converter.asked
    assert options["evaluate_on"].labels == ("cat", "red fox")


def test_labelled_pictures_reach_the_converter(cli: Cli, converter: Any, model: Path, repository: Path) -> None:
    folder = model.parent / "labelled"
    for name in ("a", "b"):
        (folder / name).mkdir(parents=True)
        (folder / name / "1.png").write_bytes(next((repository / "tests/vectors/pictures").glob("*.png")).read_bytes())
    assert cli("--quantize", "int8", model, "--evaluate", folder, "--max-drop", 1.5).code == 0
    ((_, options),) = converter.asked
    assert options["evaluate_on"].labels == ("a", "b")
    assert options["max_drop"] == 1.5


def test_all_of_which_nothing_was_written_is_no_success(cli: Cli, converter: Any, model: Path) -> None:
    for name in NAMES:
        converter.fails[name.replace("_", " ")] = VariantError("--batch can't be changed in a finished .tflite")
    outcome = cli("--all", model, "--batch", 4)
    assert outcome.code == 1
    assert outcome.out.count("not made: --batch can't be changed") == len(NAMES)
    assert names_in(model.parent) == ["net.h5"]


@pytest.mark.parametrize("option", ["--labels", "--classes-from", "--calibrate", "--evaluate"])
@pytest.mark.parametrize("output", ["-o", "--report"])
def test_what_another_option_reads_is_never_written_over(
    cli: Cli, converter: Any, model: Path, option: str, output: str
) -> None:
    read = model.with_name("read.txt")
    read.write_text("a\nb\n", encoding="utf-8")
    more = ("--evaluate", model.parent) if option == "--classes-from" else ()
    outcome = cli(model, option, read, *more, output, read, "--force")
    assert outcome.code == 1
    assert f"this would write over what {option} reads" in outcome.err
    assert read.read_text(encoding="utf-8") == "a\nb\n"
    assert not converter.opened


def test_a_report_is_not_written_over_what_failed(cli: Cli, converter: Any, model: Path) -> None:
    outcome = cli(model, "-o", "x.tflite", "--keep-failed", "--report", "x.failed.tflite", "--force")
    assert "would be one file" in outcome.err
    assert outcome.code == 1


@pytest.fixture
def saved_model(tmp_path: Path) -> Path:
    folder = tmp_path / "saved.v2"
    (folder / "variables").mkdir(parents=True)
    for name in ("saved_model.pb", "variables/variables.index"):
        (folder / name).write_bytes(b"mine")
    return folder


def test_a_saved_model_gives_its_name_wherever_it_is_named_from(
    cli: Cli, converter: Any, saved_model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(saved_model)
    assert cli(".", "--quantize", "int8").code == 0
    assert (saved_model.parent / "saved.v2_int8.tflite").is_file()
    (saved_model.parent / "saved.v2_int8.tflite").unlink()
    monkeypatch.chdir(saved_model / "variables")
    outcome = cli("..", "--all", "--json")
    assert outcome.code == 0, outcome.err
    assert json.loads(outcome.out)["model"] == "saved"


@pytest.mark.parametrize("name", ["saved_model.pb", "variables/variables.index"])
def test_a_part_of_a_saved_model_is_never_written_over(cli: Cli, converter: Any, saved_model: Path, name: str) -> None:
    outcome = cli(saved_model, "-o", saved_model / name, "--force")
    assert outcome.code == 1
    assert "write over the source" in outcome.err
    assert (saved_model / name).read_bytes() == b"mine"
    assert cli(saved_model, "-o", saved_model / "out.tflite").code == 0
    assert cli(saved_model, "-o", saved_model / "out.tflite", "--force").code == 0
