"""What is sent to another machine: our packages and the models, as one tar on this machine's disk."""

import tarfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory, TemporaryFile
from typing import IO

from mnbench.kit import make_kit
from mninfer.errors import InputError, OutputError

__all__ = ["models_there", "packed"]

_MODELS = "models"


def models_there(bundles: Sequence[Path]) -> tuple[str, ...]:
    """Each of ``bundles`` as the run over there names it. Raise InputError where two would be one."""
    names = [path.resolve().name for path in bundles]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise InputError(f'two models are called "{twice}"', hints="rename one: they lie in one folder over there")
    return tuple(f"{_MODELS}/{name}" for name in names)


@contextmanager
def packed(bundles: Sequence[Path]) -> Iterator[tuple[IO[bytes], int]]:
    """A tar of the kit and ``bundles``, read from its beginning, and its size.

    Raises:
        InputError: a bundle can't be read; OutputError: this machine has no room for the tar.
    """
    with ExitStack() as stack:
        try:
            file = stack.enter_context(TemporaryFile())
            _pack(bundles, file)
        except OSError as error:
            raise OutputError(f"what is to be sent can't be packed: {error.strerror or error}") from error
        size = file.tell()
        file.seek(0)
        yield file, size


def _pack(bundles: Sequence[Path], file: IO[bytes]) -> None:
    with (
        TemporaryDirectory(prefix="mnbench-") as folder,
        tarfile.open(fileobj=file, mode="w", dereference=True) as archive,
    ):
        archive.add(make_kit(Path(folder)), "kit", filter=_plain)
        for path, name in zip(bundles, models_there(bundles), strict=True):
            _add(archive, path, name)


def _add(archive: tarfile.TarFile, path: Path, name: str) -> None:
    try:
        archive.add(path, name, filter=_plain)
    except (FileNotFoundError, PermissionError) as error:
        raise InputError(f"the model can't be read: {error.strerror}", where=str(path)) from error


def _plain(entry: tarfile.TarInfo) -> tarfile.TarInfo | None:
    """Files and folders alone, and nothing of who owns them here."""
    if not (entry.isreg() or entry.isdir()):
        return None
    entry.uid = entry.gid = 0
    entry.uname = entry.gname = ""
    entry.mode = 0o755 if entry.isdir() else 0o644
    return entry
