"""Small sets of labelled pictures, written by the tests: flat colours, so that a class can be told from its pixels."""

import io
import struct
import tarfile
import zipfile
from collections.abc import Mapping
from pathlib import Path

import cv2
import numpy as np

__all__ = ["encoded", "flat", "masked_crc", "record", "tar_of", "tf_example", "varint", "write_tree", "zip_of"]

Files = Mapping[str, bytes]


def flat(value: int, size: tuple[int, int] = (8, 8)) -> np.ndarray:
    """uint8 RGB ``size`` = (width, height) of one colour that follows from ``value``."""
    return np.full((size[1], size[0], 3), (value % 256, (3 * value) % 256, (7 * value) % 256), np.uint8)


def encoded(value: int, size: tuple[int, int] = (8, 8)) -> bytes:
    """The same as a PNG file."""
    done, data = cv2.imencode(".png", flat(value, size)[..., ::-1])
    assert done
    return data.tobytes()


def write_tree(folder: Path, files: Files) -> Path:
    for name, data in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    return folder


def tar_of(files: Files, mode: str = "w", form: int = tarfile.PAX_FORMAT) -> bytes:
    """A tar archive as Python's own module writes it, packed as ``mode`` says."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode=mode, format=form) as archive:
        for name, data in files.items():
            row = tarfile.TarInfo(name)
            row.size = len(data)
            archive.addfile(row, io.BytesIO(data))
    return buffer.getvalue()


def zip_of(files: Files, method: int = zipfile.ZIP_DEFLATED) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return buffer.getvalue()


def varint(number: int) -> bytes:
    """Protocol buffers' integers, seven bits a byte; negative ones in 64 bits."""
    number &= (1 << 64) - 1
    parts = bytearray()
    while number > 0x7F:
        parts.append(number & 0x7F | 0x80)
        number >>= 7
    parts.append(number)
    return bytes(parts)


def _message(number: int, body: bytes) -> bytes:
    return varint(number << 3 | 2) + varint(len(body)) + body


def tf_example(features: Mapping[str, bytes | int | float]) -> bytes:
    """A tf.train.Example with one value to a feature."""
    entries = []
    for key, value in features.items():
        if isinstance(value, bytes):
            feature = _message(1, _message(1, value))
        elif isinstance(value, int):
            feature = _message(3, _message(1, varint(value)))
        else:
            feature = _message(2, _message(1, struct.pack("<f", value)))
        entries.append(_message(1, _message(1, key.encode()) + _message(2, feature)))
    return _message(1, b"".join(entries))


def masked_crc(data: bytes) -> bytes:
    """CRC-32C bit by bit, as its definition has it, and TensorFlow's mask: nothing of ours, to check ours."""
    crc = 0xFFFFFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x82F63B78 if crc & 1 else 0)
    crc ^= 0xFFFFFFFF
    return struct.pack("<I", ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF)


def record(data: bytes) -> bytes:
    """One record of a TFRecord file."""
    length = struct.pack("<Q", len(data))
    return length + masked_crc(length) + data + masked_crc(data)
