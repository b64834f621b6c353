"""The table of the operators that mnkit knows, ``schema/operators.json``, as typed data. It judges nothing."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from typing import Any

from mninfer.model_file.flatbuffer import load_schema, read_table

__all__ = ["OperatorFacts", "Signature", "load_operators"]


@dataclass(frozen=True)
class OperatorFacts:
    """What the table says of one operator; its ``comment`` explains each field."""

    inputs: tuple[int, int]
    outputs: tuple[int, int]
    omitted: tuple[int, ...]
    options: str | None
    is_bare: bool
    rule: str
    types: tuple[str, ...]
    kinds: tuple[str, ...]
    known: tuple[int, ...]
    rank: int
    float_rank: int
    scales: str | None
    runtime: tuple[str, ...]

    @cached_property
    def needs_options(self) -> bool:
        """The operator's options have fields, and the runtime has no sound defaults for them."""
        return not self.is_bare and self.options is not None and bool(load_schema("tflite").tables[self.options])

    @cached_property
    def signatures(self) -> tuple["Signature", ...]:
        """Every allowed combination of data types."""
        return tuple(
            Signature.parse(row, kind)
            for row in self.types
            for kind in (self.kinds if "T" in row.replace("*", "").split() else ("",))
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Signature:
    """Allowed data types of each operand; ``repeat`` serves the operands beyond the list."""

    inputs: tuple[frozenset[str], ...]
    outputs: tuple[frozenset[str], ...]
    repeats_inputs: bool
    repeats_outputs: bool

    @classmethod
    def parse(cls, row: str, kind: str) -> "Signature":
        inputs, outputs = (side.split() for side in row.split("->"))
        return cls(
            inputs=tuple(_types(word, kind) for word in inputs),
            outputs=tuple(_types(word, kind) for word in outputs),
            repeats_inputs=inputs[-1].endswith("*"),
            repeats_outputs=outputs[-1].endswith("*"),
        )

    def allows(self, inputs: Sequence[str | None], outputs: Sequence[str]) -> bool:
        """Whether these data types fit; None is an operand left out."""
        return _fits(self.inputs, inputs, repeats=self.repeats_inputs) and _fits(
            self.outputs, outputs, repeats=self.repeats_outputs
        )


def _types(word: str, kind: str) -> frozenset[str]:
    """``float32|T*`` -> float32 and what T stands for."""
    return frozenset(kind if item == "T" else item for item in word.rstrip("*").split("|"))


def _fits(allowed: Sequence[frozenset[str]], found: Sequence[str | None], *, repeats: bool) -> bool:
    if len(found) > len(allowed) and not repeats:
        return False
    return all(kind is None or kind in allowed[min(i, len(allowed) - 1)] for i, kind in enumerate(found))


@cache
def load_operators() -> tuple[Mapping[str, OperatorFacts], Mapping[str, OperatorFacts]]:
    """Built-in operators by name, and custom ones by theirs."""
    data = read_table("operators")
    return (
        {name: _facts(row) for name, row in data["operators"].items()},
        {name: _facts(row) for name, row in data["custom"].items()},
    )


def _facts(row: Mapping[str, Any]) -> OperatorFacts:
    return OperatorFacts(
        inputs=tuple(row["inputs"]),
        outputs=tuple(row["outputs"]),
        omitted=tuple(row.get("omitted", ())),
        options=row["options"],
        is_bare=row.get("bare", False),
        rule=row["rule"],
        types=tuple(row["types"]),
        kinds=tuple(row.get("T", "").split()),
        known=tuple(row.get("known", ())),
        rank=row.get("rank", 8),
        float_rank=row.get("float_rank", row.get("rank", 8)),
        scales=row.get("scales"),
        runtime=tuple(row["runtime"]),
    )
