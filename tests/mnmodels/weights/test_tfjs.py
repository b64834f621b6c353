import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mninfer.errors import InputError
from mnmodels.weights import read_weights

pytestmark = pytest.mark.smoke

ARRAYS = {"conv1/kernel": np.arange(12, dtype=np.float32).reshape(3, 4), "conv1_bn/gamma": np.float32([0.5, 2])}


def write(folder: Path, manifest: Any, **files: bytes) -> Path:
    for name, data in files.items():
        (folder / f"{name}.bin").write_bytes(data)
    path = folder / "model.json"
    path.write_text(json.dumps({"format": "layers-model", "modelTopology": {"x": [1]}, "weightsManifest": manifest}))
    return path


def weight(name: str, shape: list[int], dtype: str = "float32", quantization: Any = None) -> dict[str, Any]:
    entry: dict[str, Any] = {"name": name, "shape": shape, "dtype": dtype}
    return entry | ({"quantization": quantization} if quantization else {})


def refusal(path: Path) -> str:
    with pytest.raises(InputError) as caught:
        read_weights(path)
    return str(caught.value)


def test_weights_may_cross_the_borders_of_files_and_come_in_groups(tmp_path: Path) -> None:
    data = ARRAYS["conv1/kernel"].tobytes()
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "c.bin").write_bytes(ARRAYS["conv1_bn/gamma"].tobytes())
    manifest = [
        {"paths": ["a.bin", "b.bin"], "weights": [weight("conv1/kernel", [3, 4])]},
        {"paths": ["deep/c.bin"], "weights": [weight("conv1_bn/gamma", [2])]},
    ]
    result = read_weights(write(tmp_path, manifest, a=data[:13], b=data[13:])).arrays
    assert set(result) == set(ARRAYS)
    for name, array in ARRAYS.items():
        np.testing.assert_array_equal(result[name], array)


@pytest.mark.parametrize("dtype", ["uint8", "uint16"])
def test_quantized_weights_are_restored(tmp_path: Path, dtype: str) -> None:
    stored = np.array([0, 1, 200], dtype)
    entries = [
        weight("w", [3], "float32", {"dtype": dtype, "scale": 0.5, "min": -3, "original_dtype": "float32"}),
        weight("n", [3], "int32", {"dtype": dtype, "scale": 0.3, "min": 0.1}),
    ]
    path = write(tmp_path, [{"paths": ["a.bin"], "weights": entries}], a=stored.tobytes() * 2)
    result = read_weights(path).arrays
    np.testing.assert_array_equal(result["w"], np.float32([-3, -2.5, 97]))
    np.testing.assert_array_equal(result["n"], np.float32([0, 0, 60]))
    assert result["w"].dtype == np.float32


def test_float16_shards_are_read(tmp_path: Path) -> None:
    entry = weight("w", [2], "float32", {"dtype": "float16", "original_dtype": "float32"})
    path = write(tmp_path, [{"paths": ["a.bin"], "weights": [entry]}], a=np.float16([1.5, -2]).tobytes())
    np.testing.assert_array_equal(read_weights(path).arrays["w"], [1.5, -2])


@pytest.mark.parametrize(
    "path",
    [
        "../a.bin",
        "/etc/passwd",
        "deep/../../a.bin",
        "..\\a.bin",
        "C:\\a.bin",
        "http://host/a.bin",
        "",
        ".",
        3,
        None,
        "a\0b",
    ],
)
def test_files_elsewhere_are_refused(tmp_path: Path, path: Any) -> None:
    text = refusal(write(tmp_path, [{"paths": [path], "weights": [weight("w", [2])]}], a=bytes(8)))
    assert "names a file that is not beside it" in text


@pytest.mark.parametrize(
    ("manifest", "says"),
    [
        ({}, "no weightsManifest that is a list of groups"),
        ([3], "no weightsManifest that is a list of groups"),
        ([{"paths": []}], 'has no list "weights"'),
        ([{"weights": []}], 'has no list "paths"'),
        ([{"paths": ["a.bin"], "weights": [3]}], "a weight of the weightsManifest has no name"),
        ([{"paths": ["a.bin"], "weights": [{"name": "w", "dtype": "float32"}]}], 'weight "w": no shape'),
        ([{"paths": ["a.bin"], "weights": [weight("w", [-1])]}], 'weight "w": no shape'),
        ([{"paths": ["a.bin"], "weights": [weight("w", [2], "string")]}], 'numbers of type "string"'),
        ([{"paths": ["a.bin"], "weights": [weight("w", [1 << 39, 1 << 39])]}], "more than 1,073,741,824 bytes"),
        ([{"paths": ["a.bin"], "weights": [weight("w", [1 << 29])]}], "asks for 2,147,483,648 bytes"),
        (
            [{"paths": ["a.bin"], "weights": [weight("w", [2], "float32", {"dtype": "uint8", "min": 0})]}],
            'number "scale"',
        ),
        ([{"paths": ["a.bin"], "weights": [weight("w", [3])]}], "a.bin: 8 bytes, and the weightsManifest describes 12"),
        (
            [{"paths": ["a.bin", "a.bin"], "weights": [weight("w", [2])]}],
            "16 bytes, and the weightsManifest describes 8",
        ),
        ([{"paths": ["gone.bin"], "weights": [weight("w", [2])]}], "a file of the weightsManifest is not there"),
        ([{"paths": ["a.bin"], "weights": [weight("w", [1]), weight("w", [1])]}], "two weights"),
    ],
)
def test_a_broken_manifest_is_told(tmp_path: Path, manifest: Any, says: str) -> None:
    assert says in refusal(write(tmp_path, manifest, a=bytes(8)))


@pytest.mark.parametrize(
    "text", ['{"weightsManifest": [', '{"weightsManifest": ' + "[" * 100_000, '{"weightsManifest":NaN}']
)
def test_json_that_is_none_is_told(tmp_path: Path, text: str) -> None:
    (tmp_path / "model.json").write_text(text)
    assert "the model.json" in refusal(tmp_path / "model.json")


def test_a_model_json_that_no_network_needs_is_not_parsed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mnmodels.weights.tfjs._MAX_JSON_BYTES", 100)
    (tmp_path / "model.json").write_text('{"weightsManifest": [' + " " * 100 + "]}")
    assert "the model.json has 123 bytes; at most 100 are read" in refusal(tmp_path / "model.json")
