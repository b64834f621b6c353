"""Write a file whole or not at all, and never over another one unasked."""

import os
from pathlib import Path

from mninfer.errors import OutputError

__all__ = ["write_atomically"]


def write_atomically(path: str | os.PathLike[str], data: bytes, *, force: bool = False) -> None:
    """Write ``data`` to a temporary sibling and move it into place; ``force`` replaces an existing file.

    Raises:
        OutputError: the file exists, the folder does not, the disk is full, ...; nothing is left behind.
    """
    target = Path(path)
    part = target.with_name(f"{target.name}.{os.getpid()}.part")
    _refuse_existing(target, force=force)
    try:
        try:
            with open(part, "xb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            _move(part, target, force=force)
        finally:
            part.unlink(missing_ok=True)
    except FileExistsError:
        _refuse_existing(target, force=force)
        raise OutputError("another process is writing the same file", where=str(target)) from None
    except OSError as error:
        hints = "make the folder first" if isinstance(error, FileNotFoundError) else "write to another place: -o PATH"
        raise OutputError(f"cannot write the file: {error.strerror}", where=str(target), hints=hints) from error


def _move(part: Path, target: Path, *, force: bool) -> None:
    """Into place; without ``force`` by a hard link, which fails where the file has come up meanwhile."""
    if not force:
        try:
            os.link(part, target)
            return
        except FileExistsError:
            raise
        except OSError:  # a file system without hard links (FAT, some network shares)
            _refuse_existing(target, force=False)
    os.replace(part, target)


def _refuse_existing(target: Path, *, force: bool) -> None:
    if target.is_dir():
        raise OutputError("the output is a folder, not a file", where=str(target), hints="give a file name: -o FILE")
    if not force and os.path.lexists(target):
        raise OutputError(
            "the output exists already", where=str(target), hints=("--force to replace it", "another name: -o FILE")
        )
