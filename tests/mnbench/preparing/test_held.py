"""Outputs held against a reference that somebody else wrote: an agreement in every case, a traceback in none."""

import io
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mnbench.cell import Cell, Work
from mnbench.preparing.bundle import Bundle, StoredFile
from mnbench.preparing.held import held_against_reference, read_reference
from mnbench.record import MeasuredModel
from mninfer.errors import InputError

pytestmark = pytest.mark.smoke

SCORES = np.linspace(-1, 1, 10, dtype=np.float32)[None]
CELL = Cell(work=Work.FORWARD, model="m", engine="litert")


def archive(*arrays: Any, **options: Any) -> bytes:
    """An .npz as bundles have them."""
    stream = io.BytesIO()
    np.savez(stream, **{f"output_{index}": array for index, array in enumerate(arrays)}, **options)
    return stream.getvalue()


def bundle_with(folder: Path, data: bytes) -> Bundle:
    (folder / "reference.npz").write_bytes(data)
    file = StoredFile.of("reference.npz", data)
    model = MeasuredModel(name="m", title="M", weights="", input_shape=(8, 8, 3))
    return Bundle(folder=folder, identity="", model=model, photo_file=file, references={"float32": file})


def test_the_reference_is_read(tmp_path: Path) -> None:
    found = held_against_reference(bundle_with(tmp_path, archive(SCORES)), CELL, [SCORES])
    assert found.is_held
    assert found.reference == "the float model"


def bomb() -> bytes:
    """An archive whose array unpacks to more than is read."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as made:
        made.writestr("output_0.npy", b"")
    data = bytearray(stream.getvalue())
    place = data.index(b"PK\x01\x02") + 24  # the size unpacked, in the archive's directory
    data[place : place + 4] = (0xF0000000).to_bytes(4, "little")
    return bytes(data)


def claimed(header: str) -> bytes:
    """An array that says of itself what it isn't."""
    text = header.ljust(117).encode() + b"\n"
    data = b"\x93NUMPY\x01\x00" + len(text).to_bytes(2, "little") + text + bytes(8)
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as made:
        made.writestr("output_0.npy", data)
    return stream.getvalue()


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"no archive",
        archive(SCORES)[:-30],
        archive(np.array([object()], dtype=object)),
        archive(np.array(["text"])),
        archive(np.array([1j])),
        bomb(),
        claimed("{'descr': '<f4', 'fortran_order': False, 'shape': (1000000000000000,)}"),
        claimed("{'descr': '<f4', 'fortran_order': False, 'shape': (-1,)}"),
        claimed("{'descr': '<f4', 'fortran_order': False, 'shape': (" + "9" * 60 + ",)}"),
        claimed("{'descr': ((((((("),
    ],
)
def test_what_is_no_reference_is_no_agreement(tmp_path: Path, data: bytes) -> None:
    found = held_against_reference(bundle_with(tmp_path, data), CELL, [SCORES])
    assert not found.is_held
    assert "the reference can't be read: " in found.text


def test_an_empty_one_and_none_at_all_are_no_agreement(tmp_path: Path) -> None:
    assert not held_against_reference(bundle_with(tmp_path, archive()), CELL, [SCORES]).is_held
    missing = Cell(work=Work.FORWARD, model="m", engine="litert", batch=3)
    found = held_against_reference(bundle_with(tmp_path, archive(SCORES)), missing, [SCORES])
    assert 'no reference "float32@b3"' in found.text


@given(st.integers(0, len(archive(SCORES)) - 1), st.integers(0, 255))
def test_a_damaged_byte_is_no_traceback(tmp_path_factory: pytest.TempPathFactory, place: int, value: int) -> None:
    data = bytearray(archive(SCORES))
    data[place] = value
    path = tmp_path_factory.getbasetemp() / "damaged.npz"
    path.write_bytes(data)
    try:
        found = read_reference(path)
    except InputError:
        return
    assert all(array.dtype.kind in "fiu" for array in found)
