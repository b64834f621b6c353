"""What docs/formats.md says of ``mnconvert --json`` is what the command prints, and the whole way really runs."""

import json
import re
import shlex
import subprocess
from pathlib import Path
from typing import Any

import pytest

from demo import write_network
from support.commands import command_line, environment_for

ROOT = Path(__file__).resolve().parents[3]
TEXT = (ROOT / "docs" / "formats.md").read_text(encoding="utf-8")
EXAMPLES = dict(re.findall(r"<!-- example: (mnconvert .*?) -->\n```json\n(.*?)```", TEXT, re.DOTALL))

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The shipped network, and DATA with a folder for each thing that it knows."""
    pytest.importorskip("keras", reason="needs Keras: make test")
    folder = tmp_path_factory.mktemp("formats")
    write_network(folder)
    for picture in sorted((folder / "things").iterdir()):
        (folder / "DATA" / picture.stem).mkdir(parents=True)
        picture.rename(folder / "DATA" / picture.stem / picture.name)
    return folder


def printed(name: str, folder: Path) -> Any:
    done = subprocess.run(
        command_line(*shlex.split(name)[1:], package="mnconvert"),
        env=environment_for(), cwd=folder, capture_output=True, text=True, check=False, timeout=400,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def shape(value: Any) -> Any:
    """Keys and kinds, without values; of a list the first item. Stages and kinds of numbers are the run's own."""
    if isinstance(value, dict):
        return {key: shape(item) if key not in {"seconds", "macs"} else "" for key, item in value.items()}
    if isinstance(value, list):
        return [shape(item) for item in value[:1]]
    return "number" if isinstance(value, int | float) and not isinstance(value, bool) else type(value).__name__


def test_json_of_one(folder: Path) -> None:
    (name,) = (name for name in EXAMPLES if "--quantize int8" in name)
    value, example = printed(name, folder), json.loads(EXAMPLES[name])
    assert shape(value) == shape(example)
    for each in (value, example):
        del each["calibration"]["sha256"]  # of the pixels, and JPEG encoders differ
    for key in ("output", "source", "config", "preprocess", "num_labels", "scores", "calibration", "warnings"):
        assert value[key] == example[key], key
    assert (folder / value["output"]).stat().st_size == value["size_bytes"]


def test_json_of_all(folder: Path) -> None:
    (name,) = (name for name in EXAMPLES if "--all" in name)
    value, example = printed(f"{name} -o all", folder), json.loads(EXAMPLES[name])
    (shown,) = example["variants"]
    assert {**value, "variants": None} == {**example, "variants": None}
    assert [each["name"] for each in value["variants"] if each["standing"] != "ok"] == [shown["name"], "int16x8"]
    assert next(each for each in value["variants"] if each["name"] == shown["name"]) == shown
    assert all(each.keys() == shown.keys() for each in value["variants"])
    written = sorted(path.name for path in (folder / "all").iterdir())
    assert written == sorted(Path(each["file"]).name for each in value["variants"] if each["file"])
