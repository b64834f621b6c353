"""A path -> the arrays that are there: which reader, by content and never by name."""

import os

from mninfer.errors import InputError
from mninfer.near import near_files
from mnmodels.weights.checkpoint import checkpoint_prefix, read_checkpoint
from mnmodels.weights.checkpoint_index import TABLE_MAGIC
from mnmodels.weights.named_arrays import NamedArrays, read_bytes
from mnmodels.weights.pickled import read_pickled
from mnmodels.weights.tfjs import is_tfjs, read_tfjs

__all__ = ["read_weights"]

_HDF5 = b"\x89HDF\r\n\x1a\n"
_KINDS = "a pickle of arrays, a checkpoint's prefix, model.json of TensorFlow.js, .h5 weights, or a float .tflite"
_TEXT_PICKLES = (b"(dp", b"(d", b"}q", b"ccollections\n", b"(lp", b"cnumpy")  # protocols 0 and 1 have no mark


def read_weights(path: str | os.PathLike[str]) -> NamedArrays:
    """Read a file of weights. Raise InputError (a Keras file: KerasFileError, a .tflite: ModelFileError, ...)."""
    where = os.fspath(path)
    prefix = checkpoint_prefix(where)
    if prefix is not None:
        return read_checkpoint(prefix)
    if os.path.isdir(where):
        raise InputError("the weights are a folder, not a file", where=where, hints=_files_in(where))
    data = read_bytes(where)
    if data.startswith(_HDF5):
        from mnmodels.weights.hdf5_weights import read_hdf5_weights

        return read_hdf5_weights(where)
    if data[4:8] == b"TFL3":
        from mnmodels.weights.flatbuffer_weights import read_flatbuffer_weights

        return read_flatbuffer_weights(data, where)
    if is_tfjs(data):
        return read_tfjs(data, where)
    if data[:1] == b"\x80" or data.startswith(_TEXT_PICKLES):
        return read_pickled(data, where)
    raise _unknown(data, where)


def _files_in(folder: str) -> list[str]:
    """A checkpoint or a TensorFlow.js model that lies in the folder."""
    names = sorted(os.listdir(folder))
    found = [name for name in names if name == "model.json"] + [n[:-6] for n in names if n.endswith(".index")]
    return [f"did you mean {os.path.join(folder, name)}?" for name in found[:3]] or [f"give {_KINDS}"]


def _unknown(data: bytes, where: str) -> InputError:
    if not data:
        return InputError("the file of weights is empty", where=where, hints="get the file again")
    if data.startswith(b"version https://git-lfs"):
        return InputError("a Git LFS pointer, not the weights themselves", where=where, hints="git lfs pull")
    if data.startswith(b"PK\x03\x04"):
        return InputError(
            "a zip archive: a .keras file, an .npz or a packed download",
            where=where,
            hints=("a .keras file is a whole model and needs no import", f"unpacked, give {_KINDS}"),
        )
    if data.endswith(TABLE_MAGIC):
        return InputError(
            "a checkpoint of TensorFlow's first form, in one file",
            where=where,
            hints="save it again with tf.compat.v1.train.Saver(), which writes .index and .data",
        )
    if b"<html" in data[:1024].lower() or data[:15].lower().startswith(b"<!doctype html"):
        return InputError("an HTML page, saved in place of the download", where=where, hints="download the raw file")
    shown = " ".join(f"{byte:02x}" for byte in data[:8])
    near = [f"did you mean {each}?" for each in near_files(f"{where}.index") if not os.path.samefile(each, where)]
    return InputError(
        f"no kind of weights that is known: the first bytes are {shown}", where=where, hints=[*near, _KINDS]
    )
