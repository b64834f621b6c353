"""An error as the reason of a row that could not be measured, in a record that may be shown to anybody."""

import re

from mninfer.errors import MnError

__all__ = ["one_line", "without_folders"]

# From where a path begins to its last separator; "/forward/" within a name, and what comes after "://", is none.
_FOLDERS = re.compile(r"(?<![\w.:/\\])(?:~|[A-Za-z]:)?[\\/][^\s:'\"]*[\\/]")


def one_line(error: MnError) -> str:
    """What happened, and the first thing to try; without the folders that only this machine has.

    >>> one_line(MnError("no GPU", hints=("plug one in", "wait")))
    'no GPU (try: plug one in)'
    """
    hint = f" (try: {error.hints[0]})" if error.hints else ""
    return without_folders(f"{error.what}{hint}")


def without_folders(text: str) -> str:
    """The text with the names of files in it, and without where they lie.

    >>> without_folders("/home/me/.cache/ort.so: no such file, of v1/forward/litert")
    'ort.so: no such file, of v1/forward/litert'
    """
    return _FOLDERS.sub("", text)
