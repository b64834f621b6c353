"""What a process said before it ended: the line that most likely tells why."""

import re

__all__ = ["last_words"]

_MOST_LETTERS = 300
# What C++ libraries announce by themselves; absl's lines begin with a letter and month and day.
_CHATTER = re.compile(r"(?:WARNING|INFO|[IWE]\d{4} )")


def last_words(said: str, *, otherwise: str = "it said nothing") -> str:
    r"""The last line that is not blank and no chatter, cut short; ``otherwise`` where there is none.

    >>> last_words("Traceback\n  MemoryError\nINFO: Created a delegate\n\n")
    'MemoryError'
    """
    lines = [line.strip() for line in said.splitlines()]
    told = [line for line in lines if line and not _CHATTER.match(line)]
    return told[-1][:_MOST_LETTERS] if told else otherwise
