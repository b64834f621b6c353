"""What goes to the terminal: results on stdout, everything else on stderr, neither able to carry a control character.

Labels come out of model files and names out of folders, both written by strangers: an escape sequence in one must not
reach the terminal. Machine output (JSON) is ASCII, so that it survives every locale and every pipe.
"""

import json
import math
import os
import re
import sys
from typing import Any

from mninfer.errors import OutputError

__all__ = [
    "finite",
    "flush_results",
    "is_terminal",
    "json_line",
    "note",
    "prepare_streams",
    "printable",
    "say",
    "unwritable_stdout",
]

# C0, C1, line separators, the bidirectional overrides, and the surrogates that stand for bytes that are not UTF-8.
# A text, which re compiles when the first of them is met: that takes as long as importing a module.
_UNPRINTABLE = "[\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff]"


def printable(text: str) -> str:
    r"""One line that is safe to show: what is not printable is spelled ``\x1b``, undecodable bytes as themselves."""
    return text if text.isprintable() else re.sub(_UNPRINTABLE, _spelled, text)


def _spelled(match: re.Match[str]) -> str:
    code = ord(match.group())
    if 0xDC80 <= code <= 0xDCFF:  # PEP 383: a byte of a name that is not UTF-8
        code -= 0xDC00
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}"


def say(text: str = "") -> None:
    """Print lines of results."""
    _write("\n".join(printable(line) for line in text.split("\n")) + "\n")


def json_line(value: Any, *, indent: int | None = None) -> None:
    """Print one JSON document: on a line of its own, or over several where ``indent`` is given."""
    _write(json.dumps(finite(value), indent=indent) + "\n")


def finite(value: Any) -> Any:
    """``value`` as JSON can hold it: NaN and infinities, which JSON does not have, become null."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict):
        return {key: finite(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [finite(item) for item in value]
    return value


def note(text: str) -> None:
    """Tell the person, not the pipe."""
    try:
        sys.stderr.write("\n".join(printable(line) for line in text.split("\n")) + "\n")
        sys.stderr.flush()
    except OSError:
        pass  # nobody can be told; the exit code still can


def is_terminal(stream: Any) -> bool:
    """Whether a person reads ``stream`` as it is written."""
    try:
        return bool(stream.isatty())
    except (AttributeError, ValueError):
        return False


def prepare_streams() -> None:
    """Let no locale (LANG=C, PYTHONIOENCODING=ascii) turn a label into a crash, nor a closed stream (``>&-``)."""
    _fill_closed_descriptors()
    if sys.stderr is None:
        sys.stderr = open(os.devnull, "w")  # noqa: SIM115 -- for as long as the process lives
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")


def _fill_closed_descriptors() -> None:
    """Keep a file that is opened later from becoming descriptor 1, which native code prints to."""
    for descriptor in range(3):
        try:
            os.fstat(descriptor)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # takes the lowest that is free


def flush_results() -> None:
    """Push out what is buffered, so that a full disk is an error and not lost lines."""
    _write("")


def _write(text: str) -> None:
    if sys.stdout is None:
        if text:
            raise OutputError("standard output is closed", hints="redirect it to a file, or to /dev/null")
        return
    try:
        sys.stdout.write(text)
        if not text or is_terminal(sys.stdout):
            sys.stdout.flush()
    except BrokenPipeError:
        raise
    except OSError as error:
        raise unwritable_stdout(error) from error


def unwritable_stdout(error: OSError) -> OutputError:
    """What to tell where results cannot be written."""
    return OutputError(
        f"cannot write to standard output: {error.strerror}", hints="free some space, or redirect it elsewhere"
    )
