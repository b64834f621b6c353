"""Read regular files only, of bounded size; write a file whole or not at all, and never over another one unasked."""

import os
import stat
from typing import IO

from mninfer.errors import OutputError

__all__ = [
    "FileTooLargeError",
    "NotRegularFileError",
    "being_written",
    "part_of",
    "put_in_place",
    "read_regular_file",
    "refuse_existing",
    "remove_if_there",
    "write_atomically",
]

LONGEST_NAME_BYTES = 255  # NAME_MAX of ext4, XFS, Btrfs and tmpfs; elsewhere the system says what is too long


class NotRegularFileError(OSError):
    """What the path names has no end to read to; ``kind`` says what it is, as "a folder" or "a pipe"."""

    def __init__(self, kind: str) -> None:
        super().__init__(f"{kind}, not a regular file")
        self.kind = kind
        self.strerror = str(self)


class FileTooLargeError(OSError):
    """A file of more bytes than its reader wants: ``size_bytes``."""

    def __init__(self, size_bytes: int, max_bytes: int) -> None:
        super().__init__(f"{size_bytes:,} bytes, more than {max_bytes:,}")
        self.size_bytes = size_bytes
        self.strerror = str(self)


def read_regular_file(path: str | os.PathLike[str], max_bytes: int) -> bytes:
    """Read a file once. Never waits for a pipe, never opens a device, never takes more than ``max_bytes``.

    Raises:
        NotRegularFileError: a folder, pipe, socket or device.
        FileTooLargeError: more than ``max_bytes``.
        OSError: it isn't there, or may not be read; ValueError: a zero byte in the path.
    """
    _check_status(os.stat(path), max_bytes)
    # Not blocking: between stat and open the path may have become a pipe that nobody writes to.
    flags = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0) | getattr(os, "O_CLOEXEC", 0)
    with open(os.open(path, flags), "rb", buffering=0) as file:
        status = os.fstat(file.fileno())
        _check_status(status, max_bytes)
        return _read_all(file, status.st_size)


def _check_status(status: os.stat_result, max_bytes: int) -> None:
    if not stat.S_ISREG(status.st_mode):
        raise NotRegularFileError(_kind(status.st_mode))
    if status.st_size > max_bytes:
        raise FileTooLargeError(status.st_size, max_bytes)


def _kind(mode: int) -> str:
    kinds = (
        (stat.S_ISDIR, "a folder"),
        (stat.S_ISFIFO, "a pipe"),
        (stat.S_ISSOCK, "a socket"),
        (stat.S_ISCHR, "a device"),
        (stat.S_ISBLK, "a device"),
    )
    return next((name for test, name in kinds if test(mode)), "a special file")


def _read_all(file: IO[bytes], size: int) -> bytes:
    """``size`` bytes, in one read where the system gives them; what a file that grows has more by now is left."""
    data = file.read(size)
    while len(data) < size:
        more = file.read(size - len(data))
        if not more:
            break
        data += more
    return data


def write_atomically(
    path: str | os.PathLike[str],
    data: bytes,
    *,
    force: bool = False,
    elsewhere: str = "another name: -o FILE",
    is_synced: bool = True,
) -> None:
    """Write ``data`` to a temporary sibling and move it into place; ``force`` replaces an existing file.

    ``elsewhere`` tells how another place is given. ``is_synced`` False doesn't wait for the disk: for the many files
    that a power cut may cost.

    Raises:
        OutputError: the file exists, the folder does not, the disk is full, ...; nothing is left behind.
    """
    target = os.fspath(path)
    part = part_of(target)
    refuse_existing(target, force=force, elsewhere=elsewhere)
    try:
        file = open(part, "xb")  # noqa: SIM115 closed below; what another one has opened is not ours to remove
        try:
            with file:
                file.write(data)
                file.flush()
                if is_synced:
                    os.fsync(file.fileno())
            put_in_place(part, target, force=force, elsewhere=elsewhere)
        finally:
            remove_if_there(part)
    except FileExistsError:
        raise being_written(target, part) from None
    except OSError as error:
        hint = "make the folder first" if isinstance(error, FileNotFoundError) else elsewhere
        raise OutputError(f"cannot write the file: {error.strerror}", where=target, hints=hint) from error


def part_of(path: str) -> str:
    """What a file is called while this process writes it: by a digest where its own name leaves no room for more."""
    mark = f".{os.getpid()}.part"
    folder, name = os.path.split(path)
    own = os.fsencode(name)
    if len(own) <= LONGEST_NAME_BYTES < len(own) + len(mark):
        from hashlib import sha256

        return os.path.join(folder, sha256(own).hexdigest() + mark)
    return path + mark


def being_written(path: str, part: str) -> OutputError:
    """The error where ``part`` is there: in two containers with one folder, two processes may have one number."""
    hint = f"if none does, one that was killed left it: remove {part}"
    return OutputError("another process is writing the same file", where=path, hints=hint)


def refuse_existing(path: str, *, force: bool, elsewhere: str = "another name: -o FILE") -> None:
    """Return where a file may be written: nothing is there, or a file that ``force`` gives up; else an OutputError."""
    if not path:  # of an unset variable: told before the work, not after it
        raise OutputError("the output has an empty name", hints=f"give a file name: {elsewhere}")
    kind = _kind_in_the_way(path)
    if kind is not None:
        raise OutputError(f"the output is {kind}, not a file", where=path, hints=f"give a file name: {elsewhere}")
    if not force and os.path.lexists(path):
        raise OutputError("the output exists already", where=path, hints=("--force to replace it", elsewhere))


def _kind_in_the_way(path: str) -> str | None:
    """What is at ``path`` where it is there and no regular file: that is never replaced by one."""
    try:
        mode = os.stat(path).st_mode
    except (OSError, ValueError):
        return None
    return None if stat.S_ISREG(mode) else _kind(mode)


def put_in_place(part: str, target: str, *, force: bool, elsewhere: str = "another name: -o FILE") -> None:
    """Give a complete ``part`` its name, and the mode of what it replaces.

    Without ``force`` by a hard link, which fails where a file has come up.

    Raises:
        OutputError: a file has come up meanwhile; the part is still there.
        OSError: the system does not let it.
    """
    if not force:
        try:
            os.link(part, target)
        except OSError:  # it exists; or a file system without hard links (FAT, some network shares)
            refuse_existing(target, force=False, elsewhere=elsewhere)
        else:
            os.unlink(part)
            return
    _keep_mode(target, part)
    os.replace(part, target)


def _keep_mode(target: str, part: str) -> None:
    """Who may read and write the file that is replaced may do so with the one in its place."""
    try:
        os.chmod(part, stat.S_IMODE(os.stat(target).st_mode) & 0o777)
    except OSError:
        pass  # nothing is replaced; or a file system without modes


def remove_if_there(path: str) -> None:
    """Take a part away that did not become a file; what can't be removed stays."""
    try:
        os.unlink(path)
    except OSError:
        pass  # it was never there, or the disk is gone with it
