"""What converts for a peer is run once for each flatbuffer, and held to its word."""

import hashlib
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from mnbench.cell import Variant
from mnbench.peers import convert
from mnbench.peers.prepared import PreparedFile, record_path
from mninfer.errors import InputError, MissingDependencyError, ModelFileError, UnsupportedModelError, VariantError
from support.pretended_python import PretendedPython

pytestmark = [
    pytest.mark.smoke,
    pytest.mark.skipif(os.name != "posix", reason="the pretended Python is a script with a first line for it"),
]


@pytest.fixture
def tools(pretended: PretendedPython) -> PretendedPython:
    """Every environment is there."""
    versions = {"onnxruntime": "1.31.1", "openvino": "2026.4.1", "mnn": "3.6.1", "tf2onnx": "1.17.0"}
    for name, version in versions.items():
        pretended.install(name, {name: version})
    pretended.install("opencv", {"opencv-python-headless": "5.0.0.93"})
    return pretended


def test_the_tool_gets_the_flatbuffer_and_the_record_says_what_it_was(
    tools: PretendedPython, flatbuffers: Path, tmp_path: Path
) -> None:
    made = convert("opencv", Variant.FLOAT32, flatbuffers / "float32.tflite", tmp_path / "out")
    source = hashlib.sha256((flatbuffers / "float32.tflite").read_bytes()).hexdigest()
    assert made == tmp_path / "out" / source[:16] / "float32.opencv.onnx"
    assert made.read_bytes() == b"made of " + (flatbuffers / "float32.tflite").read_bytes()[:8]
    (call,) = tools.asked()
    assert call[:3] == ["-m", "tf2onnx.convert", "--tflite"]
    prepared = PreparedFile.from_json(json.loads(record_path(made).read_text()), "the record")
    assert prepared.peer == "opencv"
    assert prepared.made_by == {"opencv": "5.0.0.93", "tf2onnx": "1.17.0"}
    assert prepared.input.shape == (1, 32, 32, 3)
    assert prepared.input.dtype == "float32"
    assert [output.shape for output in prepared.outputs] == [(1, 5)]
    assert files_below(tmp_path / "out") == [made.name, record_path(made).name]


def test_integers_keep_their_scale_in_the_record(tools: PretendedPython, flatbuffers: Path, tmp_path: Path) -> None:
    made = convert("onnxruntime", Variant.INT8, flatbuffers / "int8.tflite", tmp_path)
    prepared = PreparedFile.from_json(json.loads(record_path(made).read_text()), "the record")
    assert prepared.input.dtype == "uint8"
    assert prepared.input.quantization is not None
    assert prepared.outputs[0].quantization is not None
    assert prepared.outputs[0].quantization.scales == (pytest.approx(1 / 256),)
    convert_call, unsigned_call = tools.asked()
    assert unsigned_call[0].endswith("unsigned_activations.py")
    assert unsigned_call[1] == convert_call[convert_call.index("--output") + 1]


def test_what_was_made_is_taken_again_until_the_flatbuffer_or_a_tool_changes(
    tools: PretendedPython, flatbuffers: Path, tmp_path: Path
) -> None:
    source = tmp_path / "float32.tflite"
    source.write_bytes((flatbuffers / "float32.tflite").read_bytes())
    for _ in range(2):
        made = convert("mnn", Variant.FLOAT32, source, tmp_path / "out")
    assert len(tools.asked()) == 1
    made.unlink()
    convert("mnn", Variant.FLOAT32, source, tmp_path / "out")
    assert len(tools.asked()) == 2
    record_path(made).write_text("half")
    convert("mnn", Variant.FLOAT32, source, tmp_path / "out")
    assert len(tools.asked()) == 3
    source.write_bytes((flatbuffers / "int8.tflite").read_bytes())
    convert("mnn", Variant.FLOAT32, source, tmp_path / "out")
    assert len(tools.asked()) == 4


def test_two_models_of_one_name_have_a_file_each(tools: PretendedPython, flatbuffers: Path, tmp_path: Path) -> None:
    """One run may convert the second while another one's process is about to load the first."""
    sources = [tmp_path / name / "float32.tflite" for name in ("one", "other")]
    for source, name in zip(sources, ("float32", "int8"), strict=True):
        source.parent.mkdir()
        source.write_bytes((flatbuffers / f"{name}.tflite").read_bytes())
    one, other = (convert("mnn", Variant.FLOAT32, source, tmp_path / "out") for source in sources)
    assert one != other
    assert one.name == other.name
    assert all(record_path(made).exists() for made in (one, other))


def test_what_another_process_makes_is_waited_for_and_taken(
    tools: PretendedPython, flatbuffers: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = convert("mnn", Variant.FLOAT32, flatbuffers / "float32.tflite", tmp_path / "out")
    kept = record_path(made).read_bytes()
    record_path(made).unlink()  # as in the midst of it

    @contextmanager
    def alone(*_: object) -> Iterator[None]:
        record_path(made).write_bytes(kept)  # by when the lock is ours, the other is done
        yield

    monkeypatch.setattr("mnbench.peers.converting.alone", alone)
    assert convert("mnn", Variant.FLOAT32, flatbuffers / "float32.tflite", tmp_path / "out") == made
    assert len(tools.asked()) == 1


def files_below(folder: Path) -> list[str]:
    """But for locks, which stay."""
    return sorted(path.name for path in folder.rglob("[!.]*") if path.is_file())


def test_a_flatbuffer_that_the_peer_reads_itself_is_copied(
    pretended: PretendedPython, flatbuffers: Path, tmp_path: Path
) -> None:
    pretended.install("openvino", {"openvino": "2026.4.1"})
    made = convert("openvino", Variant.FLOAT32, flatbuffers / "float32.tflite", tmp_path)
    assert made.name == "float32.openvino.tflite"
    assert made.read_bytes() == (flatbuffers / "float32.tflite").read_bytes()
    assert pretended.asked() == []


def test_mnns_own_program_is_never_started(tools: PretendedPython, flatbuffers: Path, tmp_path: Path) -> None:
    convert("mnn", Variant.FLOAT32, flatbuffers / "float32.tflite", tmp_path)
    (call,) = tools.asked()
    assert call[0] == "-c"
    assert "_tools.mnnconvert" in call[1]


def test_ncnn_gets_two_files(pretended: PretendedPython, flatbuffers: Path, tmp_path: Path) -> None:
    for name in ("ncnn", "tf2onnx", "pnnx"):
        pretended.install(name, {name: "1"})
    program = _pnnx(tmp_path, 'case "$a" in ncnnparam=*|ncnnbin=*) echo made > "${a#*=}";; esac')
    made = convert("ncnn", Variant.FLOAT32, flatbuffers / "float32.tflite", tmp_path / "out")
    assert made.name == "float32.ncnn.ncnn.bin"
    assert files_below(made.parent) == [
        "float32.ncnn.ncnn.bin",
        "float32.ncnn.ncnn.bin.json",
        "float32.ncnn.ncnn.param",
    ]
    asked = (program.parent / "asked.txt").read_text().split()
    assert "inputshape=[1,32,32,3]" in asked
    assert "fp16=0" in asked


def test_a_tool_that_says_done_and_wrote_half_is_told(
    pretended: PretendedPython, flatbuffers: Path, tmp_path: Path
) -> None:
    for name in ("ncnn", "tf2onnx", "pnnx"):
        pretended.install(name, {name: "1"})
    _pnnx(tmp_path, 'case "$a" in ncnnbin=*) echo made > "${a#*=}";; esac; echo all is well')
    with pytest.raises(UnsupportedModelError, match=r"pnnx wrote no float32\.ncnn\.ncnn\.param: all is well"):
        convert("ncnn", Variant.FLOAT32, flatbuffers / "float32.tflite", tmp_path / "out")
    assert files_below(tmp_path / "out") == []


def _pnnx(tmp_path: Path, body: str) -> Path:
    program = tmp_path / "peers" / "pnnx" / "lib" / "python3.11" / "site-packages" / "pnnx" / "pnnx"
    program.parent.mkdir(parents=True)
    program.write_text(f'#!/bin/sh\necho "$@" > "{program.parent}/asked.txt"\nfor a in "$@"; do {body}; done\n')
    program.chmod(0o755)
    return program


def test_a_tools_last_words_are_told_and_nothing_is_left(
    tools: PretendedPython, flatbuffers: Path, tmp_path: Path
) -> None:
    tools.order(tool="dies")
    source = flatbuffers / "float32.tflite"
    with pytest.raises(UnsupportedModelError, match="tf2onnx ended with 3: this operator is unknown to me") as error:
        convert("opencv", Variant.FLOAT32, source, tmp_path / "out")
    assert error.value.where == str(source)
    assert files_below(tmp_path / "out") == []


def test_a_tool_that_can_not_be_started_is_named(pretended: PretendedPython, flatbuffers: Path, tmp_path: Path) -> None:
    for name in ("ncnn", "tf2onnx", "pnnx"):
        pretended.install(name, {name: "1"})
    _pnnx(tmp_path, "true").chmod(0o644)
    with pytest.raises(MissingDependencyError, match="pnnx can't be started: Permission denied") as error:
        convert("ncnn", Variant.FLOAT32, flatbuffers / "float32.tflite", tmp_path / "out")
    assert str(error.value.where).endswith("pnnx")
    assert "mnbench peers remove" in error.value.hints[0]


def test_a_tool_that_writes_nothing_is_told(tools: PretendedPython, flatbuffers: Path, tmp_path: Path) -> None:
    tools.order(tool="lies")
    with pytest.raises(UnsupportedModelError, match=r"tf2onnx wrote no float32\.opencv\.onnx: it said nothing"):
        convert("opencv", Variant.FLOAT32, flatbuffers / "float32.tflite", tmp_path)


def test_what_is_not_installed_comes_with_its_command_and_size(
    pretended: PretendedPython, flatbuffers: Path, tmp_path: Path
) -> None:
    pretended.install("ncnn", {"ncnn": "1"})
    with pytest.raises(MissingDependencyError, match="no environment tf2onnx and no pnnx") as error:
        convert("ncnn", Variant.FLOAT32, flatbuffers / "float32.tflite", tmp_path)
    assert error.value.hints == ("mnbench peers install ncnn, which takes about 1,760 MB",)


@pytest.mark.parametrize(
    ("peer", "variant", "words"),
    [
        ("mnn", Variant.INT8, "MNN can't run int8: MNN 3.6.1 reads an int8 flatbuffer into wrong numbers"),
        ("ncnn", Variant.INT8, "ncnn2int8"),
        ("onnxruntime", Variant.DYNAMIC, "computes such layers in float32"),
        ("onnxruntime", Variant.BF16, "precision of training frameworks"),
        ("executorch", Variant.FLOAT32, "PyTorch alone"),
    ],
)
def test_a_variant_that_a_peer_can_not_run_is_refused_with_the_reason(
    tools: PretendedPython, flatbuffers: Path, tmp_path: Path, peer: str, variant: Variant, words: str
) -> None:
    with pytest.raises(VariantError, match=words):
        convert(peer, variant, flatbuffers / "float32.tflite", tmp_path)
    assert tools.asked() == []


def test_a_damaged_flatbuffer_reaches_no_tool(tools: PretendedPython, flatbuffers: Path, tmp_path: Path) -> None:
    broken = tmp_path / "float32.tflite"
    broken.write_bytes((flatbuffers / "float32.tflite").read_bytes()[:500])
    with pytest.raises(ModelFileError):
        convert("mnn", Variant.FLOAT32, broken, tmp_path)
    assert tools.asked() == []


def test_an_unknown_peer_gets_a_near_name(tmp_path: Path) -> None:
    with pytest.raises(InputError, match='no peer is called "openvin"'):
        convert("openvin", Variant.FLOAT32, tmp_path / "float32.tflite", tmp_path)
