"""The folder of a run: which files it holds, that one process at a time trains there, how one begins over another.

An earlier run is taken away only once the new one can begin: a mistyped option costs nobody a trained model.
"""

import os
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from mninfer.errors import OutputError, RecipeError
from mninfer.files import remove_if_there
from mnmodels.training.checkpoint import CHECKPOINT_NAME
from mnmodels.training.logs import LOG_NAME
from mnmodels.training.result import RESULT_NAME

try:
    import fcntl
except ModuleNotFoundError:  # Windows, where the second of two is told that a file is being written
    fcntl = None  # type: ignore[assignment]

__all__ = ["BEST_NAME", "MODEL_NAME", "alone_in", "clear_runs", "is_of_run", "refuse_other_run"]

MODEL_NAME, BEST_NAME = "model.keras", "best.keras"
_NAMES = (CHECKPOINT_NAME, LOG_NAME, MODEL_NAME, BEST_NAME, RESULT_NAME)
_PART = re.compile(rf"({'|'.join(map(re.escape, _NAMES))})\.\d+\.part")


def refuse_other_run(folder: Path, *, resume: bool, force: bool) -> None:
    """Return where a run may begin in ``folder``, or go on.

    Raises:
        OutputError: it holds a run, and nobody said what is to become of it.
        RecipeError: there is nothing to go on with.
    """
    with _told(folder):
        there = [name for name in _NAMES if (folder / name).exists()]
    if resume and CHECKPOINT_NAME not in there:
        raise RecipeError(
            "there is nothing to resume", where=str(folder / CHECKPOINT_NAME), hints="leave --resume out to begin"
        )
    if there and not (resume or force):
        go_on = ("--resume to go on with it",) if CHECKPOINT_NAME in there else ()
        raise OutputError(
            "the folder holds a run already",
            where=str(folder / there[0]),
            hints=(*go_on, "--force to begin it again", "--folder ANOTHER"),
        )


@contextmanager
def alone_in(folder: Path) -> Iterator[None]:
    """Within, no other process trains in ``folder``, which is made where it is missing, and goes if it stays empty.

    The lock goes with the process that holds it, however that ends, and leaves nothing; a file system without locks has
    none. What a killed process was writing is taken away: in a container, the next one may have its number.

    Raises:
        OutputError: another process trains there, or the folder can't be used.
    """
    with _told(folder):
        is_new = not folder.exists()
        folder.mkdir(parents=True, exist_ok=True)
        number = _opened(folder)
    try:
        if number is not None and _is_taken(number, folder):
            _remove_parts(folder)
        yield
    finally:
        if is_new:
            with suppress(OSError):  # it holds a run
                folder.rmdir()
        if number is not None:
            os.close(number)


def clear_runs(folders: Sequence[Path]) -> None:
    """Take the files of earlier runs away, and nothing else. Raise OutputError where that can't be done."""
    for folder in folders:
        with _told(folder):
            for name in _NAMES:
                (folder / name).unlink(missing_ok=True)


def is_of_run(path: str | os.PathLike[str], folders: Sequence[Path]) -> bool:
    """Whether a run in one of ``folders`` has ``path`` among its own files."""
    place = Path(path).resolve()
    return place.name in _NAMES and place.parent in {folder.resolve() for folder in folders}


def _opened(folder: Path) -> int | None:
    """A descriptor that can be locked; None where the system has no such locks."""
    if fcntl is None:
        return None
    return os.open(folder, os.O_RDONLY)


def _is_taken(number: int, folder: Path) -> bool:
    """Whether the lock is ours now; False where the file system has none."""
    try:
        fcntl.flock(number, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise OutputError(
            "another process trains in this folder",
            where=str(folder),
            hints=("wait until it is done, or end it", "--folder ANOTHER"),
        ) from None
    except OSError:
        return False
    return True


def _remove_parts(folder: Path) -> None:
    for path in folder.iterdir():
        if _PART.fullmatch(path.name):
            remove_if_there(str(path))


@contextmanager
def _told(folder: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise OutputError(
            f"the folder of the run can't be used: {error.strerror}", where=str(folder), hints="--folder ANOTHER"
        ) from error
