"""A SavedModel: a TensorFlow program in a folder, refused with the line that makes a file of it, or run if trusted.

Trusted, it becomes a Keras model of a single layer that runs the program: it predicts, and that is all. There are no
layers to look at, count, quantize or train.
"""

import hashlib
import shlex
from pathlib import Path
from typing import Any

from mninfer.errors import KerasFileError, MnError
from mninfer.files import read_regular_file
from mnmodels.backend import start_keras
from mnmodels.keras_file.load import FileKind, KerasFile

__all__ = ["load_saved_model", "resave_line"]

MAX_FILE_BYTES = 1 << 30
ENDPOINT = "serving_default"
LIMITS = "the SavedModel runs as one program: it predicts, and has no layers to count, convert by recipe, or train"


def load_saved_model(folder: Path, *, trust: bool) -> KerasFile:
    """The folder as a model of one layer, if it is trusted. Raise KerasFileError where it is not."""
    if not trust:
        raise KerasFileError(
            "a SavedModel is a program, which would run here with your rights",
            where=str(folder),
            hints=(f"{resave_line(folder)}   where TensorFlow 2.15 or older made it, then give the .h5 file",
                   "the same after pip install tf_keras, with TF_USE_LEGACY_KERAS=1 before it, for newer TensorFlow",
                   "--trust, if you know who made it: it then predicts, and no more"),
        )  # fmt: skip
    if start_keras().backend.backend() != "tensorflow":
        raise MnError("a SavedModel runs on TensorFlow alone", hints="KERAS_BACKEND=tensorflow in the environment")
    return KerasFile(
        model=_as_model(folder), name=folder.name, sha256=_digest(folder), kind=FileKind.SAVED_MODEL,
        keras_version=None, changes=(LIMITS,), contract=None,
    )  # fmt: skip


def resave_line(folder: Path) -> str:
    """The command that makes an ``.h5`` file of it, ready to paste."""
    name = str(folder).rstrip("/")
    code = f"import tensorflow as tf; tf.keras.models.load_model({name!r}, compile=False).save({name + '.h5'!r})"
    return f"python -c {shlex.quote(code)}" if set(code) & set('"$`\\!') else f'python -c "{code}"'


def _as_model(folder: Path) -> Any:
    import keras
    import tensorflow as tf

    try:
        signatures = tf.saved_model.load(str(folder)).signatures
        if ENDPOINT not in signatures:
            raise KerasFileError(f"the SavedModel has no {ENDPOINT}", where=str(folder), hints="save it again with one")
        tensors = list(signatures[ENDPOINT].structured_input_signature[1].values())
        layer = keras.layers.TFSMLayer(str(folder), call_endpoint=ENDPOINT)
        inputs = [keras.Input(batch_shape=tensor.shape, dtype=tensor.dtype.name) for tensor in tensors]
        inputs = inputs[0] if len(inputs) == 1 else inputs
        outputs = layer(inputs)
    except (OSError, ValueError, TypeError, KeyError, AttributeError, RuntimeError, tf.errors.OpError) as error:
        raise KerasFileError(f"TensorFlow does not load the SavedModel: {error}", where=str(folder)) from error
    flat = list(outputs.values()) if isinstance(outputs, dict) else outputs
    return keras.Model(inputs, flat[0] if isinstance(flat, list) and len(flat) == 1 else flat, name=folder.name)


def _digest(folder: Path) -> str:
    """Of all files' names and contents."""
    digest = hashlib.sha256()
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        digest.update(path.relative_to(folder).as_posix().encode() + b"\0")
        digest.update(hashlib.sha256(read_regular_file(path, MAX_FILE_BYTES)).digest())
    return digest.hexdigest()
