"""A weights-only HDF5 file of Keras 1, 2 or 3 -> arrays by name."""

import os

from mninfer.errors import InputError, KerasFileError
from mnmodels.keras_file import read_hdf5_arrays
from mnmodels.weights.named_arrays import NamedArrays, SourceKind

__all__ = ["read_hdf5_weights"]


def read_hdf5_weights(path: str | os.PathLike[str]) -> NamedArrays:
    """Read every array; a whole model's file is as good, its network is not looked at. Raise KerasFileError."""
    arrays = {name: array for name, array in read_hdf5_arrays(path).items() if array.dtype.kind in "fiub"}
    try:
        return NamedArrays(kind=SourceKind.HDF5, where=os.fspath(path), arrays=arrays)
    except InputError as error:
        raise KerasFileError(error.what, where=error.where) from None
