import io
import struct
import zipfile
from pathlib import Path

import pytest

pytest.importorskip("h5py", reason="needs h5py: make test")

import h5py

from mninfer.errors import KerasFileError
from mninfer.model_file import SourceContract
from mninfer.preprocessing import PreprocessSpec
from mnmodels.keras_file import read_hdf5_arrays, read_source_contract, write_source_contract

CONTRACT = SourceContract(
    labels=("cat", "dög"), preprocess=PreprocessSpec(mean=(127.5, 127.5, 127.5), std=(127.5, 127.5, 127.5))
)


@pytest.fixture(params=["model.h5", "model.keras", "hdf5_inside.keras"])
def keras_file(request, tmp_path) -> Path:
    path = tmp_path / request.param
    if request.param == "model.keras":
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("config.json", "{}")
            archive.writestr("model.weights.h5", b"x" * 1000)
    else:
        with h5py.File(path, "w") as file:
            file.attrs["model_config"] = "{}"
            file["weights"] = [1.0, 2.0]
    return path


def test_what_is_written_is_read(keras_file):
    assert read_source_contract(keras_file) is None
    write_source_contract(keras_file, CONTRACT)
    assert read_source_contract(keras_file) == CONTRACT


def test_writing_again_replaces(keras_file):
    write_source_contract(keras_file, CONTRACT)
    other = SourceContract(labels=None, preprocess=None)
    write_source_contract(keras_file, other)
    assert read_source_contract(keras_file) == other


def test_the_rest_of_the_file_stays(keras_file):
    write_source_contract(keras_file, CONTRACT)
    if keras_file.name == "model.keras":
        with zipfile.ZipFile(keras_file) as archive:
            assert archive.read("model.weights.h5") == b"x" * 1000
            assert sorted(archive.namelist()) == ["config.json", "mnkit", "model.weights.h5"]
    else:
        assert read_hdf5_arrays(keras_file)["weights"].tolist() == [1.0, 2.0]


def test_a_contract_that_is_none_is_named(tmp_path):
    path = tmp_path / "model.h5"
    with h5py.File(path, "w") as file:
        file.attrs["mnkit"] = '{"schema": 1}'
    with pytest.raises(KerasFileError, match="mnkit has no field 'labels'") as caught:
        read_source_contract(path)
    assert caught.value.where == str(path)


def test_other_files_are_named(tmp_path):
    path = tmp_path / "model.h5"
    path.write_bytes(b"version https://git-lfs.github.com/spec/v1\n")
    with pytest.raises(KerasFileError, match="Git LFS pointer"):
        read_source_contract(path)
    with pytest.raises(KerasFileError, match="Git LFS pointer"):
        write_source_contract(path, CONTRACT)


def test_a_zip_that_only_begins_like_one(tmp_path):
    path = tmp_path / "model.keras"
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("config.json", "{}")
    path.write_bytes(buffer.getvalue()[:-30])
    with pytest.raises(KerasFileError, match="cut off"):
        read_source_contract(path)


def test_a_second_end_cannot_hide_the_size_of_a_directory(tmp_path):
    """zipfile believes zip64's end: 4 million members were parsed, in 2 GiB, where the plain end says 100 bytes."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for index in range(2000):
            archive.writestr(f"a{index}", "")
    data = buffer.getvalue()
    _, _, _, _, _, size, start, _ = struct.unpack("<4s4H2LH", data[-22:])
    zip64 = struct.pack("<4sQ2H2L4Q", b"PK\6\6", 44, 45, 45, 0, 0, 2000, 2000, size, start)
    locator = struct.pack("<4sLQL", b"PK\6\7", 0, len(data) - 22, 1)
    path = tmp_path / "model.keras"
    path.write_bytes(data[:-22] + zip64 + locator + struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, 0, 0, 100, start, 0))
    assert len(zipfile.ZipFile(path).infolist()) == 2000
    with pytest.raises(KerasFileError, match="directory is in zip64"):
        read_source_contract(path)


def test_members_that_unpack_without_end_are_not_kept(tmp_path, monkeypatch):
    """Each of them is within its own bound."""
    monkeypatch.setattr("mnmodels.keras_file.zip_members.MAX_MEMBER_BYTES", 3 << 20)
    path = tmp_path / "model.keras"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in "abcd":
            archive.writestr(name, bytes(1 << 20))
    before = path.read_bytes()
    with pytest.raises(KerasFileError, match="its members have 4,194,304 bytes; at most 3,145,728 are kept"):
        write_source_contract(path, SourceContract(labels=("a",), preprocess=None))
    assert path.read_bytes() == before
