"""What a layer is called in a traced graph: Keras takes any name, TensorFlow letters, digits and a few signs."""

import re

__all__ = ["scope_name"]

_FOREIGN = re.compile(r"[^A-Za-z0-9_.>-]")
_BEGINNING = re.compile(r"[A-Za-z0-9.]")


def scope_name(name: str) -> str:
    """The name itself where it may be one.

    >>> scope_name("block_1_expand"), scope_name("conv 1"), scope_name("_été")
    ('block_1_expand', 'conv_1', 'x__t_')
    """
    plain = _FOREIGN.sub("_", name)
    return plain if _BEGINNING.match(plain) else f"x{plain}"
