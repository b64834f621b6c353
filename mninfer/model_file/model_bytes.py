"""Read a model's bytes from a path: a regular file of bounded size, or an error that says what it is instead."""

import os

from mninfer.errors import ModelFileError
from mninfer.files import FileTooLargeError, NotRegularFileError, read_regular_file

__all__ = ["MAX_MODEL_BYTES", "read_model_bytes"]

MAX_MODEL_BYTES = 2 << 30  # offsets in a flatbuffer are 32 bits, and half of them are signed


def read_model_bytes(path: str | os.PathLike[str]) -> bytes:
    """Read a whole file, once. Raise ModelFileError for what is no readable regular file, or larger than 2 GiB."""
    where = os.fspath(path)
    try:
        return read_regular_file(where, MAX_MODEL_BYTES)
    except NotRegularFileError as error:
        if error.kind == "a folder":
            raise _folder_error(where) from None
        raise ModelFileError(f"the model is {error.kind}, not a file", where=where) from None
    except FileTooLargeError as error:
        raise ModelFileError(f"the model file has {error.size_bytes:,} bytes, more than 2 GiB", where=where) from None
    except FileNotFoundError:
        raise ModelFileError("there is no such model file", where=where, hints=_near(where)) from None
    except PermissionError:
        raise ModelFileError("the model file may not be read", where=where, hints="check its permissions") from None
    except (OSError, ValueError) as error:  # ValueError: a zero byte in the path
        raise ModelFileError(f"the model file cannot be read: {error}", where=where) from error


def _folder_error(where: str) -> ModelFileError:
    from pathlib import Path  # costs 3 ms, and most models are found at once

    path = Path(where)
    if os.path.exists(path / "saved_model.pb"):  # False where the folder may not be looked into; Path.exists raises
        return ModelFileError(
            "this folder is a TensorFlow SavedModel, not a .tflite file",
            where=str(path),
            hints=f"mnconvert {path} makes a .tflite of it",
        )
    models = sorted(path.glob("*.tflite"))[:3]
    return ModelFileError(
        "the model is a folder, not a .tflite file",
        where=str(path),
        hints=[f"did you mean {model}?" for model in models],
    )


def _near(where: str) -> list[str]:
    from mninfer.near import near_files

    return [f"did you mean {near}?" for near in near_files(where, most=3)]
