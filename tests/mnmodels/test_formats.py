"""What docs/formats.md says of mnmodels' files and answers is what the code reads and writes."""

import json
import re
import shlex
import shutil
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from mnmodels.training.logs import COLUMNS
from mnmodels.training.recipe import Recipe
from mnmodels.training.result import write_result
from support.commands import Outcome

ROOT = Path(__file__).resolve().parents[2]
VECTORS = ROOT / "tests" / "vectors"
TEXT = (ROOT / "docs" / "formats.md").read_text(encoding="utf-8")
EXAMPLES = dict(re.findall(r"<!-- example: (.*?) -->\n```(?:json|toml)\n(.*?)```", TEXT, re.DOTALL))


def rounded(value: Any) -> Any:
    """Floats to three digits: the last ones are the engine's and the processor's."""
    return json.loads(json.dumps(value), parse_float=lambda text: round(float(text), 3))


@pytest.mark.smoke
def test_the_recipe_spells_everything_out() -> None:
    value = tomllib.loads(EXAMPLES["recipe"])
    assert json.loads(json.dumps(Recipe.from_json(value).to_json())) == value


@pytest.mark.smoke
def test_summary(cli: Callable[..., Outcome], monkeypatch: pytest.MonkeyPatch) -> None:
    (name,) = (name for name in EXAMPLES if name.startswith("mnmodels summary"))
    monkeypatch.chdir(VECTORS)
    printed = json.loads(cli(*shlex.split(name)[1:]).out)
    printed["layers"] = printed["layers"][:1]
    assert printed == json.loads(EXAMPLES[name])


@pytest.mark.smoke
def test_evaluate(cli: Callable[..., Outcome], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (name,) = (name for name in EXAMPLES if name.startswith("mnmodels evaluate"))
    pictures = {"金魚": ("7_61x40.png",), "last one": ("0_19x11.png", "1_2x3.png")}
    for label, files in pictures.items():
        (tmp_path / label).mkdir()
        for file in files:
            shutil.copy(VECTORS / "pictures" / file, tmp_path / label)
    monkeypatch.chdir(VECTORS)
    arguments = [str(tmp_path) if word == "DATA" else word for word in shlex.split(name)[1:]]
    printed, example = json.loads(cli(*arguments).out), json.loads(EXAMPLES[name])
    assert printed["model"].pop("engine").split()[0] in {"litert", "tflite-runtime", "tensorflow"}
    example["model"].pop("engine")
    assert rounded(printed) == rounded(example)


def test_the_result_of_a_training_run(tmp_path: Path) -> None:
    keras = pytest.importorskip("keras", reason="needs Keras: make test")
    example = json.loads(EXAMPLES["training result"])
    network = keras.Sequential([keras.layers.Input((4,)), keras.layers.Dense(2)])
    row = dict.fromkeys(COLUMNS, 0.5) | {"epoch": 1.0}
    write_result(tmp_path, Recipe.from_json(example["recipe"]), network, [row], best=row, sizes=(30, 20))
    written = json.loads((tmp_path / "result.json").read_text(encoding="utf-8"))
    backend = written["versions"].pop(written["versions"]["backend"])
    assert isinstance(backend, str)
    del example["versions"]["tensorflow"]
    assert {key: value.keys() if isinstance(value, dict) else type(value) for key, value in written.items()} == {
        key: value.keys() if isinstance(value, dict) else type(value) for key, value in example.items()
    }
    assert written["recipe"] == example["recipe"]
    assert written["num_parameters"] == 10


@pytest.mark.smoke
def test_the_columns_of_the_log() -> None:
    assert f"a line per epoch: {', '.join(COLUMNS)}" in TEXT
