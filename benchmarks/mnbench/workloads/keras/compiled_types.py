"""Which numbers XLA really computes convolutions in: read from the program that it made, for a policy is but a wish."""

import re

from mnbench.workloads.keras.precision import Precision, asked_for

__all__ = ["computed_types", "precision_in_effect"]

_PRODUCT = re.compile(r"= (\w+)\[[^\n]*? (?:convolution|dot)\(")


def computed_types(program: str) -> tuple[str, ...]:
    """The element types of convolutions and matrix products in optimized HLO text, as XLA spells them, sorted."""
    return tuple(sorted(set(_PRODUCT.findall(program))))


def precision_in_effect(precision: Precision, program: str) -> dict[str, object]:
    """``precision`` in words and ``is_emulated``: whether a narrow type is widened before it is multiplied.

    A program whose products are calls of a library, as a GPU's are, tells neither.
    """
    types = computed_types(program)
    if not types:
        return asked_for(precision)
    is_widened = precision.type not in types
    text = f"{precision.title} in memory, computed in {' and '.join(types)}" if is_widened else precision.title
    return {"precision": text, "is_emulated": is_widened}
