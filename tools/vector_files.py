"""The model files of tests/vectors: ours, as others write them, and some that lie; a PNG that no library can change."""

import json
import struct
import sys
import zlib
from collections.abc import Callable, Sequence
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

import vector_models
from mninfer.engines.choose import open_engine
from mninfer.model_file.archive import ArchiveEntry, read_archive, write_archive
from mninfer.model_file.contract import CONTRACT_NAME, Contract, dump_json
from mninfer.model_file.describe import ModelDescription, describe_model
from mninfer.model_file.golden import make_golden
from mninfer.model_file.metadata import METADATA_NAME, write_metadata
from mninfer.model_file.read import read_model
from mninfer.model_file.rewrite import replace_metadata
from mninfer.model_file.write import write_contract
from mninfer.preprocessing import PreprocessSpec, Resize
from mninfer.spec import Provenance, Task

__all__ = ["HALF", "foreign_models", "own_models", "png"]

LABELS = ("background", "tench, Tinca tinca", "crème brûlée", "金魚", "last one")
HALF = PreprocessSpec(mean=(128.0,) * 3, std=(128.0,) * 3, resize=Resize.CROP, crop_fraction=0.875)
UNIT = PreprocessSpec(mean=(0.0,) * 3, std=(256.0,) * 3)
DETECTED, SEGMENTED = ("red", "blue"), ("sky", "water", "sand", "rock")
PROVENANCE = Provenance(
    source_name="classifier.h5",
    source_sha256=sha256(b"classifier.h5").hexdigest(),
    keras_version="3.15.0",
    mnkit_version="0.1.0",
    recipe="int8",
    calibration={"source": "none", "count": 0, "seed": 0},
)
VERIFICATION = {
    "pictures": 64,
    "agreement_percent": 98.4375,
    "sqnr_db": {"scores": 31.2345},
    "macs_int8_percent": 100.0,
}


def own_models() -> dict[str, bytes]:
    """Files with our contract."""
    plain = vector_models
    about = ModelDescription(name="Test vector", description="Says nothing about pictures.", license="Apache-2.0")
    return {
        "classifier_float": ours(plain.classifier_float(), Task.CLASSIFY, HALF, LABELS, about=about),
        "classifier_int8": ours(plain.classifier_int8("int8"), Task.CLASSIFY, HALF, LABELS),
        "classifier_uint8": ours(plain.classifier_int8("uint8"), Task.CLASSIFY, HALF, LABELS),
        "detector": ours(plain.detector(), Task.DETECT, UNIT, DETECTED),
        "segmenter": ours(plain.segmenter(), Task.SEGMENT, UNIT, SEGMENTED),
        "embedder": ours(plain.classifier_float(has_head=False), Task.EMBED, HALF, None),
    }


def ours(
    flatbuffer: bytes,
    task: Task,
    preprocess: PreprocessSpec,
    labels: Sequence[str] | None,
    about: ModelDescription | None = None,
) -> bytes:
    """The contract, made on LiteRT and written."""
    graph = read_model(flatbuffer, where="a vector model").graph
    engine = open_engine(flatbuffer, engine="litert", threads=1)
    golden = make_golden(engine.run, graph, preprocess)
    contract = Contract(
        task=task, preprocess=preprocess, provenance=PROVENANCE, verification=VERIFICATION, golden=golden
    )
    return write_contract(flatbuffer, contract, labels, about=about)


def foreign_models() -> dict[str, bytes]:
    """Files as others write them, and some that lie."""
    bare = vector_models.classifier_int8("uint8")
    own = ours(vector_models.classifier_float(), Task.CLASSIFY, HALF, LABELS)
    return {
        "foreign_bare": bare,
        "foreign_metadata": foreign(bare, "labels.txt", "".join(f"{label}\n" for label in LABELS)),
        "foreign_off_by_one": foreign(bare, "labels.txt", "".join(f"{label}\r\n" for label in LABELS[1:])),
        "foreign_labels_only": bare + deflated("labelmap.txt", "\ufeff" + "\n".join(LABELS), len(bare)),
        "bad_newer_schema": with_contract(own, lambda value: value | {"schema": 2}),
        "bad_unknown_task": with_contract(own, lambda value: value | {"task": "imagine"}),
        "bad_golden_size": with_contract(own, huge_output),
        "bad_digest": with_contract(own, lambda value: value | {"digest": "sha256:" + "0" * 64}),
        "bad_labels": with_entry(own, "labels.txt", "".join(f"{label}\n" for label in LABELS[1:]).encode()),
    }


def foreign(flatbuffer: bytes, name: str, labels: str) -> bytes:
    """TFLite metadata and a deflated label file, no contract."""
    graph = read_model(flatbuffer, where="a vector model").graph
    spec = PreprocessSpec(mean=(127.5,) * 3, std=(127.5,) * 3)
    about = ModelDescription(name="Somebody's model", author="Somebody")
    metadata = describe_model(graph, task=Task.CLASSIFY, preprocess=spec, has_labels=True, about=about)
    written = replace_metadata(flatbuffer, {METADATA_NAME: write_metadata(metadata)})
    return written + deflated(name, labels, len(written))


def with_contract(data: bytes, change: Callable[[dict[str, Any]], dict[str, Any]]) -> bytes:
    """A file of ours with another ``mnkit.json``, checksums and all."""
    archive = read_archive(data)
    assert archive is not None
    value = json.loads(archive.find(CONTRACT_NAME) or b"")
    return with_entry(data, CONTRACT_NAME, dump_json(change(value)))


def huge_output(value: dict[str, Any]) -> dict[str, Any]:
    """A golden output that claims 8 GiB."""
    vector = value["golden"][0]
    output = vector["outputs"][0] | {"shape": [2, 2**30]}
    return value | {"golden": [vector | {"outputs": [output]}]}


def with_entry(data: bytes, name: str, content: bytes) -> bytes:
    """A file with another content in one entry of its archive."""
    archive = read_archive(data)
    assert archive is not None
    entries = [replace(entry, data=content) if entry.name == name else entry for entry in archive.entries]
    return data[: archive.start] + write_archive(entries, archive.start)


def deflated(name: str, text: str, start: int) -> bytes:
    """An archive like other people's: method 8, dated 2020. Its deflate blocks are uncompressed: no zlib matters."""
    archive = bytearray(write_archive([ArchiveEntry(name, b"x" * 5 + text.encode())], start))
    body = text.encode()
    local, central = 0, archive.rindex(b"PK\x01\x02")
    place = 30 + len(name)
    archive[place : place + 5] = struct.pack("<BHH", 1, len(body), len(body) ^ 0xFFFF)
    for header in (local + 8, central + 10):
        struct.pack_into("<HHH", archive, header, 8, 0x93A5, 0x50D3)
        struct.pack_into("<III", archive, header + 6, zlib.crc32(body), len(body) + 5, len(body))
    return bytes(archive)


def png(pixels: Any) -> bytes:
    """A PNG whose deflate blocks are uncompressed: the same bytes whatever zlib is there."""
    height, width = pixels.shape[:2]
    rows = b"".join(b"\0" + row.tobytes() for row in pixels)
    parts = [rows[i : i + 65535] for i in range(0, len(rows), 65535)]
    blocks = b"".join(struct.pack("<BHH", part is parts[-1], len(part), len(part) ^ 0xFFFF) + part for part in parts)
    stream = b"\x78\x01" + blocks + struct.pack(">I", zlib.adler32(rows))
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", stream) + chunk(b"IEND", b"")


def chunk(kind: bytes, content: bytes) -> bytes:
    """A PNG chunk."""
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))
