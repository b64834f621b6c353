"""What is no TFLite model is named, with what to do about it."""

import io
import pickle
import zipfile
from collections.abc import Mapping

import numpy as np
import pytest

from mninfer.errors import ModelFileError
from mninfer.model_file.sniff import refuse_other_formats
from support import networks


def zipped(members: Mapping[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return buffer.getvalue()


def saved_array() -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, np.zeros(20))
    return buffer.getvalue()


LFS = b"version https://git-lfs.github.com/spec/v1\noid sha256:4d7a2146\nsize 12345\n"
KERAS = zipped({"metadata.json": b"{}", "config.json": b"{}", "model.weights.h5": b""})
ONNX = b"\x08\x08\x12\x07pytorch\x1a\x05" + bytes(40)
GRAPH = b"\n\x20\n\x05input\x12\x0bPlaceholder" + bytes(40)

KINDS = {
    "empty": (b"", "is empty", "download the file again"),
    "short": (b"abc\0", "only 4 bytes long", "download"),
    "zeros": (bytes(5000), "begins with zeros", "disk may have been full"),
    "html": (b"\n<!DOCTYPE html>\n<html><head>", "an HTML page", "raw file"),
    "html after bom": (b"\xef\xbb\xbf<html lang=en>", "an HTML page", "raw file"),
    "xml": (b'<?xml version="1.0"?><Error><Code>NoSuchKey</Code>', "XML", "download"),
    "git lfs": (LFS, "a Git LFS pointer", "git lfs pull"),
    "json": (b'{"error": "not found"}', "is JSON", "download"),
    "tensorflow.js": (b'{"format": "graph-model", "modelTopology": {}}', "TensorFlow.js", ".tflite"),
    "text": (b"cat\ndog\nh\xc3\xa9risson\n" * 10, "is text", "order of the arguments"),
    "h5": (b"\x89HDF\r\n\x1a\n" + bytes(64), "HDF5, as Keras writes .h5", "mnconvert MODEL"),
    "keras": (KERAS, "a Keras .keras file", "mnconvert MODEL"),
    "pytorch": (zipped({"model/data.pkl": b"", "model/version": b"3"}), "a PyTorch .pt file", ".tflite"),
    "pickle": (pickle.dumps({"a": 1}, protocol=2), "Python pickle", ".tflite"),
    "zip of tflite": (zipped({"a/detect.tflite": b"x"}), "holds a/detect.tflite", "unpack it"),
    "zip": (zipped({"a.txt": b"x"}), "zip archive", "unpack it"),
    "broken zip": (KERAS[: len(KERAS) // 2], "zip archive, damaged or truncated", "download"),
    "gzip": (b"\x1f\x8b\x08" + bytes(30), "gzip archive", "unpack it"),
    "tar": (b"x" * 4 + b"\1" + b"x" * 252 + b"ustar" + bytes(300), "tar archive", "unpack it"),
    "onnx": (ONNX, "ONNX", "onnx2tf"),
    "saved_model.pb": (b"\x08\x01\x12\xb2\x10" + bytes(40), "SavedModel", "mnconvert FOLDER"),
    "frozen graph": (GRAPH, "frozen TensorFlow graph", ".tflite"),
    "safetensors": ((50).to_bytes(8, "little") + b'{"a":' + bytes(60), "safetensors", ".tflite"),
    "jpeg": (b"\xff\xd8\xff\xe0" + bytes(40), "JPEG picture", "the model comes first"),
    "png": (b"\x89PNG\r\n\x1a\n" + bytes(40), "PNG picture", "the model comes first"),
    "webp": (b"RIFF\x10\0\0\0WEBPVP8 " + bytes(40), "WebP picture", "the model comes first"),
    "video": (b"\0\0\0\x20ftypisom" + bytes(40), "a video", "camera MODEL --source"),
    "elf": (b"\x7fELF\2\1\1" + bytes(40), "Linux program", "arguments"),
    "npy": (saved_array(), "numpy array", "arguments"),
    "another flatbuffer": (b"\x20\0\0\0ORTM" + bytes(80), "ONNX Runtime's .ort", ".tflite"),
    "old tflite": (b"\x20\0\0\0TFL2" + bytes(80), "'TFL2' instead of 'TFL3'", ".tflite"),
    "noise": (b"\x9c\xe1\x07\xf3\xaa\x01\xfe\x80" * 9, "the first bytes are 9c e1 07 f3", "check that this"),
}


@pytest.mark.smoke
@pytest.mark.parametrize("kind", KINDS)
def test_other_formats_are_named_with_a_remedy(kind: str) -> None:
    data, what, remedy = KINDS[kind]
    with pytest.raises(ModelFileError) as caught:
        refuse_other_formats(data)
    assert what in caught.value.what
    assert any(remedy in hint for hint in caught.value.hints)


def test_tflite_models_pass() -> None:
    refuse_other_formats(networks.shapes_float())


@pytest.mark.parametrize("size", range(9))
def test_any_short_file_is_refused(size: int) -> None:
    with pytest.raises(ModelFileError):
        refuse_other_formats(b"\x1c\x00\x00\x00TFL1"[:size])
