"""What each operator of a model took: typed data and its JSON, as it stands in a row's facts under "profile"."""

from dataclasses import dataclass
from typing import Any

from mnbench.fields import Fields

__all__ = ["OperatorTime", "Profile"]


@dataclass(frozen=True, slots=True, kw_only=True)
class OperatorTime:
    """One operator, or several that the engine computes in one go: ``name`` is then "PAD+CONV_2D".

    ``shape`` and ``tensor`` are its (last) first output's. ``is_delegated`` None: the engine doesn't tell.
    """

    index: int
    name: str
    tensor: str
    shape: tuple[int, ...]
    dtype: str
    macs: int
    median_ns: int
    is_delegated: bool | None

    def to_json(self) -> dict[str, Any]:
        return {
            "index": self.index,
            "name": self.name,
            "tensor": self.tensor,
            "shape": list(self.shape),
            "dtype": self.dtype,
            "macs": self.macs,
            "median_ns": self.median_ns,
            "is_delegated": self.is_delegated,
        }

    @classmethod
    def from_json(cls, value: object, where: str) -> "OperatorTime":
        fields = Fields(value, where)
        return cls(
            index=fields.count("index"),
            name=fields.text("name"),
            tensor=fields.text("tensor"),
            shape=fields.counts("shape"),
            dtype=fields.text("dtype"),
            macs=fields.count("macs"),
            median_ns=fields.count("median_ns"),
            is_delegated=fields.optional("is_delegated", fields.flag),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """``whole_ns`` is the whole model's median, taken in turn with the operators', over ``num_rounds``."""

    engine: str
    threads: int
    num_rounds: int
    whole_ns: int
    operators: tuple[OperatorTime, ...]

    @property
    def sum_ns(self) -> int:
        """What the operators take together."""
        return sum(operator.median_ns for operator in self.operators)

    @property
    def ratio(self) -> float:
        """The sum over the whole: far from 1, the operators alone are not what they are in the whole."""
        return self.sum_ns / self.whole_ns

    def to_json(self) -> dict[str, Any]:
        return {
            "engine": self.engine,
            "threads": self.threads,
            "num_rounds": self.num_rounds,
            "whole_ns": self.whole_ns,
            "sum_ns": self.sum_ns,
            "operators": [operator.to_json() for operator in self.operators],
        }

    @classmethod
    def from_json(cls, value: object, where: str = "profile") -> "Profile":
        """Raise InputError naming what is wrong."""
        fields = Fields(value, where)
        profile = cls(
            engine=fields.text("engine"),
            threads=fields.count("threads"),
            num_rounds=fields.count("num_rounds"),
            whole_ns=fields.count("whole_ns"),
            operators=tuple(
                OperatorTime.from_json(each, f"{where}: operators[{i}]")
                for i, each in enumerate(fields.list("operators"))
            ),
        )
        if not profile.whole_ns:
            raise fields.wrong("whole_ns", "a time above 0")
        return profile
