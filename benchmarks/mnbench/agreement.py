"""Two engines' outputs for one model and one input held against each other: how far apart, and whether that is too far.

Pure functions of arrays. Which outputs are the reference is the bundle's to say (``preparing``) and the run's.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from mnbench.catalogue import EngineKind, engine_entry
from mnbench.cell import Cell, Variant, Work
from mnbench.record import Agreement

__all__ = ["FLOAT_MODEL", "OWN_ANSWERS", "Limit", "agreement", "is_held_against_its_own_form", "limit_of"]

Array = npt.NDArray[Any]

FLOAT_MODEL = "the float model"
OWN_ANSWERS = "its own answers by plain kernels"  # of a .tflite as it is, whose float model nobody has

_MOST_DB = 200.0  # what float32 can't tell from equal; keeps a record's numbers in bounds


@dataclass(frozen=True, slots=True)
class Limit:
    """The least signal to noise that counts as the same model, and what it lets pass and what not."""

    sqnr_db: float
    reason: str


# Of one picture, the worst; mnconvert's verification looks at 64 pictures' mean, so that it may ask for more. Measured
# on V1, V2 and both V3 with random weights, 48 pictures each (21 November 2026, LiteRT 2.1, x86-64): the least SQNR of
# fp16 is 33 dB, of int8 12, of dynamic 5; of int8 by XNNPACK against int8 by plain kernels 12. The answer to another
# picture has -9 to 9 dB, that to a grey one less than 0.
_AGAINST_FLOAT = {
    Variant.FLOAT32: Limit(60.0, "the order of sums, a thousandth at most: bf16 and fp16 in disguise stay below"),
    Variant.UNFUSED: Limit(60.0, "the same arithmetic in another order"),
    Variant.FP16: Limit(20.0, "weights, or all numbers, of 11 bits"),
    Variant.BF16: Limit(8.0, "all numbers of 8 bits, through some thirty layers"),
    Variant.DYNAMIC: Limit(4.0, "each activation in 8 bits of its own range, outliers and all"),
    Variant.INT8: Limit(10.0, "8 bits: a wrong input or a broken file stays below"),
    Variant.INT16X8: Limit(10.0, "weights of 8 bits: a wrong input or a broken file stays below"),
}
_OWN_FORM = Limit(10.0, "the same integers, rounded by other kernels, or integers of another converter")
# A decoder makes a large photo smaller by itself, the reference's doesn't: of other pixels, float32 is 43 dB from it.
_FROM_PHOTO = Limit(20.0, "a photo that was made smaller while it was decoded: another one stays below")
# A whole net turns any rounding into gradients that differ by per cent (mnmodels.architectures.batch_norm).
_GRADIENTS = {
    Variant.FLOAT32: Limit(20.0, "gradients of a whole net: roundings grow to per cent"),
    Variant.FP16: Limit(3.0, "gradients of numbers of 11 bits"),
    Variant.BF16: Limit(3.0, "gradients of numbers of 8 bits"),
}
_QUANTIZED = (Variant.DYNAMIC, Variant.INT8, Variant.INT16X8)


def agreement(
    outputs: Sequence[Array], reference: Sequence[Array], cell: Cell, reference_name: str | None = None
) -> Agreement:
    """Hold ``outputs`` against ``reference``; the limit is the cell's, by its variant, its work and its engine.

    ``reference_name`` says what the reference is, where it isn't what is usual for such a cell.
    """
    name = _reference_name(cell) if reference_name is None else reference_name
    misfit = _misfit(outputs, reference)
    if misfit:
        return Agreement(is_held=False, reference=name, sqnr_db=None, text=misfit)
    pairs = [(_as_rows(got), _as_rows(wanted)) for got, wanted in zip(outputs, reference, strict=True)]
    if all((got == wanted).all() for got, wanted in pairs):
        return Agreement(is_held=True, reference=name, sqnr_db=None, text="equal to the last bit")
    sqnr_db = min(_sqnr_db(got, wanted) for got, wanted in pairs)
    limit = limit_of(cell, name)
    is_held = sqnr_db >= limit.sqnr_db
    return Agreement(
        is_held=is_held,
        reference=name,
        sqnr_db=round(sqnr_db, 1),
        text=_text(sqnr_db, limit, _best_classes(*pairs[0], cell), is_held=is_held),
    )


def is_held_against_its_own_form(cell: Cell) -> bool:
    """Whether the reference is our flatbuffer of the cell's own variant: a peer's integers are near ours, or wrong."""
    return cell.variant in _QUANTIZED and engine_entry(cell.engine).kind is EngineKind.PEER


def limit_of(cell: Cell, reference_name: str | None = None) -> Limit:
    """What the outputs of a cell have to reach."""
    if cell.work is Work.FORWARD_BACKWARD:
        return _GRADIENTS[cell.variant]
    name = _reference_name(cell) if reference_name is None else reference_name
    is_own = name != FLOAT_MODEL and cell.variant in _QUANTIZED
    limit = _OWN_FORM if is_own else _AGAINST_FLOAT[cell.variant]
    is_of_photo = cell.work is Work.PHOTO_TO_LABEL and limit.sqnr_db > _FROM_PHOTO.sqnr_db
    return _FROM_PHOTO if is_of_photo else limit


def _reference_name(cell: Cell) -> str:
    if cell.work is Work.FORWARD_BACKWARD:
        return "the run's first engine"
    return f"our {cell.variant} flatbuffer" if is_held_against_its_own_form(cell) else FLOAT_MODEL


def _misfit(outputs: Sequence[Array], reference: Sequence[Array]) -> str:
    """What makes a comparison impossible; empty where there is nothing."""
    if not outputs or not reference:
        return "there is nothing to compare"
    if len(outputs) != len(reference):
        return f"{len(outputs)} outputs, the reference has {len(reference)}"
    for index, (got, wanted) in enumerate(zip(outputs, reference, strict=True)):
        if got.shape != wanted.shape:
            return f"output {index} has the shape {list(got.shape)}, the reference's {list(wanted.shape)}"
        for whose, array in (("", got), ("the reference's ", wanted)):
            count = array.size - int(np.isfinite(array).sum())
            if count:
                return f"{count} of {array.size} values of {whose}output {index} are not finite"
    return ""


def _as_rows(array: Array) -> npt.NDArray[np.float64]:
    """[pictures, values]; a single number, such as a loss, is a row of one."""
    values = np.asarray(array, np.float64)
    return values.reshape(len(values), -1) if values.ndim > 1 else values.reshape(1, -1)


def _sqnr_db(got: npt.NDArray[np.float64], wanted: npt.NDArray[np.float64]) -> float:
    """Signal over difference, the worst picture's. What all classes have in common tells nothing and is no signal."""
    signal = wanted - wanted.mean(1, keepdims=True) if wanted.shape[1] > 1 else wanted
    over, under = np.square(signal).sum(1), np.square(got - wanted).sum(1)
    return min(_decibel(float(a), float(b)) for a, b in zip(over, under, strict=True))


def _decibel(signal: float, noise: float) -> float:
    if noise == 0.0:
        return _MOST_DB
    return max(-_MOST_DB, min(_MOST_DB, 10 * math.log10(signal / noise))) if signal > 0.0 else -_MOST_DB


def _best_classes(got: npt.NDArray[np.float64], wanted: npt.NDArray[np.float64], cell: Cell) -> str:
    """In words, where the output has classes and they are not the reference's best ones."""
    if cell.work is Work.FORWARD_BACKWARD or wanted.shape[1] < 2:
        return ""
    same = int((got.argmax(1) == wanted.argmax(1)).sum())
    if len(wanted) == 1:
        return "same best class" if same else f"best class {got.argmax()} instead of {wanted.argmax()}"
    return f"same best class of {same} of {len(wanted)} pictures"


def _text(sqnr_db: float, limit: Limit, classes: str, *, is_held: bool) -> str:
    found = f"{sqnr_db:.1f} dB"
    if not is_held:
        found += f", and {limit.sqnr_db:g} dB is the least ({limit.reason})"
    return f"{found}; {classes}" if classes else found
