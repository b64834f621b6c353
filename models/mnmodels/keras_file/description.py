"""A network as plain data: what a file describes, in today's words, before any of it is built."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import Any

__all__ = ["Call", "Era", "LayerKind", "LayerPlan", "ModelPlan", "TensorRef", "unique_name"]


@dataclass(frozen=True, slots=True)
class Era:
    """Which Keras wrote the file: its major version, the backend it ran on, and the version's text if it is known."""

    major: int
    backend: str | None = None
    version: str | None = None


class LayerKind(Enum):
    """What a layer is made of."""

    INPUT = auto()
    LAYER = auto()  # one of Keras' on our list
    OPERATION = auto()  # a function of keras.ops in a functional graph
    MODEL = auto()  # a network inside of the network
    EXPRESSION = auto()  # arithmetic that the user states in place of a function
    CUSTOM = auto()  # a class that the user names, or one of ours


@dataclass(frozen=True, slots=True)
class TensorRef:
    """Output ``output`` of the ``call``-th call of a layer, both from 0."""

    layer: str
    call: int
    output: int


@dataclass(frozen=True, slots=True)
class Call:
    """One call of a layer. Where tensors go in there are TensorRefs, also inside of lists and dictionaries."""

    args: tuple[Any, ...]
    kwargs: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class LayerPlan:
    """One layer. ``saved_name`` and ``saved_class`` are the file's words, under which its weights lie.

    ``what`` is the class' or operation's name, the nested ModelPlan, the user's expression or the user's class.
    ``then`` lists layers that follow on each of its outputs: what Keras has as no option of the layer any more.
    """

    name: str
    saved_name: str
    saved_class: str
    kind: LayerKind
    what: Any
    options: Mapping[str, Any] = field(default_factory=dict)
    calls: tuple[Call, ...] = ()
    then: tuple["LayerPlan", ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelPlan:
    """A functional network. ``inputs`` and ``outputs`` are TensorRefs in the structure that the model had.

    ``inputs`` is None for a chain of layers whose input nobody states: it is known when the chain is called.
    """

    name: str
    layers: tuple[LayerPlan, ...]
    inputs: Any
    outputs: Any


def unique_name(name: str, taken: set[str]) -> str:
    """``name`` with what Keras does not allow in one replaced, and a number where it is taken; takes it."""
    plain = name.replace("/", "_") or "layer"
    candidate, number = plain, 0
    while candidate in taken:
        number += 1
        candidate = f"{plain}_{number}"
    taken.add(candidate)
    return candidate
