"""How numbers are decided: the choices that docs/decisions/0007 measures one against the other."""

from dataclasses import dataclass

__all__ = ["Recipe"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """The defaults are what ``--quantize int8`` does.

    ``sigmas`` is how far a range goes, 6 at most; ``is_balanced``: each filter's rounding errors cancel, instead of
    each weight going to the nearest step; ``corrects_bias``: what rounding adds on average is taken off the biases;
    ``clips``: per tensor, the scale of least noise instead of the one that fits the largest weight.
    """

    is_per_tensor: bool = False
    is_int16: bool = False
    sigmas: float = 6.0
    is_balanced: bool = True
    corrects_bias: bool = True
    clips: bool = True
