"""The examples of docs/formats.md are what the code reads and writes."""

import json
import re
import shlex
from pathlib import Path
from typing import Any

import pytest

from mninfer.cli.main import main
from mninfer.model_file.contract import SourceContract
from mninfer.model_file.read import read_model

ROOT = Path(__file__).resolve().parent.parent
VECTORS = ROOT / "tests" / "vectors"
SCHEMA = ROOT / "mninfer" / "model_file" / "schema"
TEXT = (ROOT / "docs" / "formats.md").read_text(encoding="utf-8")
EXAMPLES = dict(re.findall(r"<!-- example: (.*?) -->\n```json\n(.*?)```", TEXT, re.DOTALL))
COMMANDS = [name for name in EXAMPLES if name.startswith("mninfer ")]
STORED = [name for name in EXAMPLES if name.split()[0].endswith(".json")]


def values(text: str) -> list[Any]:
    """The JSON values that stand one after the other."""
    decoder, found, place = json.JSONDecoder(), [], 0
    while text[place:].strip():
        place += len(text[place:]) - len(text[place:].lstrip())
        value, place = decoder.raw_decode(text, place)
        found.append(value)
    return found


def shape(value: Any) -> Any:
    """Keys and kinds, without values; of a list the first item."""
    if isinstance(value, dict):
        return {key: shape(item) for key, item in value.items()}
    if isinstance(value, list):
        return [shape(item) for item in value[:1]]
    return "number" if isinstance(value, int | float) and not isinstance(value, bool) else type(value).__name__


def test_every_json_block_is_an_example() -> None:
    assert TEXT.count("```json") == len(EXAMPLES)
    assert len(COMMANDS) == 6


@pytest.mark.smoke
@pytest.mark.parametrize("name", STORED)
def test_stored_files(name: str) -> None:
    path, *steps = name.split()
    value = json.loads((VECTORS / path).read_text(encoding="utf-8"))
    for step in steps:
        value = value[int(step) if step.isdigit() else step]
    assert values(EXAMPLES[name]) == [value]


@pytest.mark.parametrize("name", COMMANDS)
def test_commands(name: str, capsys: pytest.CaptureFixture[str], monkeypatch: Any, tmp_path: Path) -> None:
    monkeypatch.chdir(VECTORS)
    arguments = [str(tmp_path / "out.tflite") if word == "OUT" else word for word in shlex.split(name)[1:]]
    code = main(arguments)
    printed = values(capsys.readouterr().out)
    examples = values(EXAMPLES[name])
    assert code == (1 if any("error" in example for example in examples) else 0)
    if arguments[0] in ("info", "check", "annotate"):  # these name the engine, its version, its delegate
        assert [shape(value) for value in printed] == [shape(example) for example in examples]
    else:
        assert json.loads(json.dumps(printed), parse_float=rounded) == json.loads(
            json.dumps(examples), parse_float=rounded
        )


def rounded(text: str) -> float:
    return round(float(text), 4)


def test_what_a_keras_file_carries() -> None:
    (value,) = values(EXAMPLES["SourceContract"])
    assert SourceContract.from_json(value).to_json() == value


def test_the_schema_tables() -> None:
    (example,) = values(EXAMPLES["schema"])
    schema = json.loads((SCHEMA / "tflite.json").read_text(encoding="utf-8"))
    assert schema["tables"]["OperatorCode"] == example["tables"]["OperatorCode"]
    assert schema["unions"]["BuiltinOptions"][:3] == example["unions"]["BuiltinOptions"]
    assert schema["enums"]["Padding"] == example["enums"]["Padding"]
    (operators,) = values(EXAMPLES["operators"])
    listed = json.loads((SCHEMA / "operators.json").read_text(encoding="utf-8"))["operators"]
    assert listed["MEAN"] == operators["operators"]["MEAN"]


def test_the_table_of_files_is_complete() -> None:
    for path in VECTORS.rglob("[!.]*"):
        if path.is_file():
            relative = path.relative_to(VECTORS)
            assert f"`{relative.parts[0]}" in TEXT, relative


def test_the_marks_are_as_written() -> None:
    file = read_model((VECTORS / "models" / "classifier_float.tflite").read_bytes(), where="")
    assert file.graph.metadata["mnkit"] == b'{"schema":1}'
    assert file.metadata is not None
    assert file.metadata.min_parser_version == "1.0.0"
