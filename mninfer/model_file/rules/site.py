"""One operator where it stands: its operands, their shapes and what is known of their values.

A rule is a function of a ``Site`` that returns the shapes of the outputs, or calls ``site.fail`` or
``site.unsupported``. The kernels trust what the rules demand.
"""

import struct
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import prod
from typing import Any, NoReturn

from mninfer.errors import ModelFileError, UnsupportedModelError
from mninfer.model_file.dtypes import INTEGER_FORMATS
from mninfer.model_file.graph import Operator, Tensor

__all__ = ["KnownIntegers", "Rule", "Shape", "Site"]

Shape = tuple[int, ...]
MAX_STEP = 4096  # strides, dilations and filters beyond it are damage, not design; the kernels multiply them as int32
MAX_KNOWN_BYTES = 1 << 20


class KnownIntegers:
    """The integers of a tensor, where they are known before the model runs: constants, and what follows from them."""

    def __init__(self, tensors: Sequence[Tensor]) -> None:
        self._tensors = tensors
        self._found: dict[int, tuple[int, ...]] = {}

    def set(self, index: int, values: tuple[int, ...]) -> None:
        """Record what an operator will compute."""
        self._found[index] = values

    def get(self, index: int) -> tuple[int, ...] | None:
        """The tensor's integers, flat; None where they aren't known."""
        found = self._found.get(index)
        if found is not None:
            return found
        tensor = self._tensors[index]
        form = INTEGER_FORMATS.get(tensor.dtype)
        if form is None or tensor.data is None or len(tensor.data) > MAX_KNOWN_BYTES:
            return None
        found = self._found[index] = struct.unpack(f"<{prod(tensor.shape)}{form}", tensor.data)
        return found


@dataclass(slots=True)
class Site:
    """``inputs`` and ``shapes`` hold None for an operand that is left out; ``values`` has the integers known so far."""

    operator: Operator
    inputs: tuple[Tensor | None, ...]
    outputs: tuple[Tensor, ...]
    shapes: tuple[Shape | None, ...]
    values: KnownIntegers
    workspace_bytes: int = 0

    def fail(self, what: str) -> NoReturn:
        """Refuse the operator as damaged, for ``what`` is wrong with it."""
        raise ModelFileError(f"{self.operator}: {what}", where=self._where)

    def unsupported(self, what: str, hint: str) -> NoReturn:
        """Refuse the operator, sound as it may be, for ``what`` mnkit does not follow in it."""
        raise UnsupportedModelError(
            f"{self.operator}: {what}", offenders=[str(self.operator)], where=self._where, hints=hint
        )

    @property
    def _where(self) -> str | None:
        return f"computes {self.outputs[0]}" if self.outputs else None

    def has(self, operand: int) -> bool:
        """Whether this optional operand is there."""
        return operand < len(self.inputs) and self.inputs[operand] is not None

    def tensor(self, operand: int) -> Tensor:
        """The operand's tensor; it must be there."""
        found = self.inputs[operand] if operand < len(self.inputs) else None
        if found is None:
            self.fail(f"operand {operand} is missing")
        return found

    def shape(self, operand: int, rank: int | None = None) -> Shape:
        """The operand's shape; it must have ``rank`` dimensions, where that is given."""
        found = self.shapes[operand] if operand < len(self.shapes) else None
        if found is None:
            self.fail(f"operand {operand} is missing")
        if rank is not None and len(found) != rank:
            self.fail(f"{self.inputs[operand]} has shape {list(found)}, not {rank} dimensions")
        return found

    def known(self, operand: int, what: str, length: int | None = None) -> tuple[int, ...]:
        """The integers in an operand that must be known before the model runs."""
        tensor = self.tensor(operand)
        found = self.values.get(tensor.index)
        if found is None:
            self.unsupported(
                f"{what}, {tensor}, is neither constant nor computed from shapes",
                f"convert the model again with {what} fixed",
            )
        if length is not None and len(found) != length:
            self.fail(f"{what}, {tensor}, has {len(found)} values, not {length}")
        return found

    def option(self, name: str) -> Any:
        """A field of the options."""
        return self.operator.options[name]

    def step(self, name: str) -> int:
        """A stride, dilation, filter or block size from the options: positive and bounded."""
        found = self.operator.options[name]
        if not 1 <= found <= MAX_STEP:
            self.fail(f"{name} is {found}, not 1 to {MAX_STEP}")
        return int(found)

    def axis(self, axis: int, rank: int, what: str = "axis") -> int:
        """An axis counted from the front; negative ones count from the back."""
        if not -rank <= axis < rank:
            self.fail(f"{what} {axis} of {rank} dimensions")
        return axis % rank

    def same_count(self, operand: int, count: int, what: str) -> None:
        """Demand that the operand, if it is there, has ``count`` elements."""
        if self.has(operand) and prod(self.shape(operand)) != count:
            self.fail(f"{what}, {self.inputs[operand]}, has {prod(self.shape(operand))} values, not {count}")


Rule = Callable[[Site], Sequence[Shape]]
"""Infers the shapes of the outputs."""
