"""A float .tflite as it is opened: what it says, what it can't be. Needs no TensorFlow."""

from pathlib import Path

import pytest

from mnconvert.config import ConvertConfig
from mnconvert.file_contract import contract_for
from mnconvert.source import open_source
from mninfer.errors import UnsupportedModelError
from mninfer.model_file.archive import ArchiveEntry, write_archive
from support.builder import GraphBuilder
from support.networks import shapes_float

pytestmark = pytest.mark.smoke

RAW = ConvertConfig(preprocess="raw")  # type: ignore[arg-type]


def opened(tmp_path: Path, data: bytes, name: str = "net.tflite"):
    path = tmp_path / name
    path.write_bytes(data)
    return open_source(path, RAW)


def test_several_inputs_are_told_at_once(tmp_path):
    b = GraphBuilder()
    x, z, y = (b.activation(name, (1, 4, 4, 3)) for name in "xzy")
    b.operator("ADD", [x, z], [y], "AddOptions")
    with pytest.raises(UnsupportedModelError, match="2 inputs"):
        opened(tmp_path, b.build([x, z], [y]))


def test_what_does_not_fit_in_the_file_is_told(tmp_path):
    data = shapes_float()
    source = opened(tmp_path, data + write_archive([ArchiveEntry("labels.txt", b"a\nb\n")], len(data)))
    assert any("2 labels for 16 classes" in warning for warning in source.warnings)


def test_a_name_with_a_backslash_is_a_name(tmp_path):
    source = opened(tmp_path, shapes_float(), "my\\net.tflite")
    contract = contract_for(shapes_float(), source, RAW, None)
    assert contract.to_json()["provenance"]["source_name"] == "my_net.tflite"
