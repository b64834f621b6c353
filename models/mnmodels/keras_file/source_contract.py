"""What a Keras file carries for its conversion, labels and preprocessing: JSON in an attribute or member ``mnkit``.

Needs neither Keras nor a backend; of an HDF5 file h5py reads it, in a process of its own.
"""

import os

from mninfer.errors import KerasFileError, ModelFileError
from mninfer.files import write_atomically
from mninfer.model_file import SourceContract, dump_json, load_json
from mnmodels.keras_file.file_bytes import read_file_bytes, refuse_other_formats
from mnmodels.keras_file.hdf5 import HDF5_MAGIC, read_hdf5, set_hdf5_attribute
from mnmodels.keras_file.zip_members import ZIP_MAGICS, ZipMembers, replace_member

__all__ = ["MEMBER", "contract_of", "read_source_contract", "with_contract", "write_source_contract"]

MEMBER = "mnkit"
MAX_CONTRACT_BYTES = 8 << 20  # of the 21,841 labels of the whole ImageNet, half a megabyte


def read_source_contract(path: str | os.PathLike[str]) -> SourceContract | None:
    """The labels and the preprocessing that a ``.h5`` or ``.keras`` file carries; None where it carries none.

    Raises:
        KerasFileError: it is no Keras file, or damaged.
    """
    data = read_file_bytes(path)
    try:
        return contract_of(_stated(data))
    except KerasFileError as error:
        raise error.at(os.fspath(path)) from None


def write_source_contract(path: str | os.PathLike[str], contract: SourceContract) -> None:
    """Put labels and preprocessing into a Keras file that is there, in place of what it carried."""
    data = read_file_bytes(path)
    try:
        changed = with_contract(data, contract)
    except KerasFileError as error:
        raise error.at(os.fspath(path)) from None
    write_atomically(path, changed, force=True)


def with_contract(data: bytes, contract: SourceContract) -> bytes:
    """A Keras file's bytes, with the contract."""
    text = dump_json(contract.to_json())
    if data.startswith(HDF5_MAGIC):
        return set_hdf5_attribute(data, MEMBER, text.decode())
    if data.startswith(ZIP_MAGICS):
        return replace_member(data, MEMBER, text)
    return refuse_other_formats(data)


def contract_of(text: str | bytes | None) -> SourceContract | None:
    """Read what stands there, None where nothing does."""
    if text is None:
        return None
    try:
        return SourceContract.from_json(load_json(text.encode() if isinstance(text, str) else text, MEMBER))
    except ModelFileError as error:
        raise KerasFileError(error.what, hints=error.hints or "write the file again") from error


def _stated(data: bytes) -> str | bytes | None:
    if data.startswith(HDF5_MAGIC):
        return read_hdf5(data, only_attributes=True).text("", MEMBER)
    if data.startswith(ZIP_MAGICS):
        return ZipMembers.of(data).read(MEMBER, MAX_CONTRACT_BYTES)
    return refuse_other_formats(data)
