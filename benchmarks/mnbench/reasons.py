"""An error as the reason of a row that could not be measured."""

from mninfer.errors import MnError

__all__ = ["one_line"]


def one_line(error: MnError) -> str:
    """What happened, and the first thing to try.

    >>> one_line(MnError("no GPU", hints=("plug one in", "wait")))
    'no GPU (try: plug one in)'
    """
    hint = f" (try: {error.hints[0]})" if error.hints else ""
    return f"{error.what}{hint}"
