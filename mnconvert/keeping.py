"""Which operators ``--keep-float`` means: patterns against the Keras layers that an operator comes from."""

import re
from collections.abc import Iterator, Mapping, Sequence
from fnmatch import fnmatchcase
from math import prod
from typing import Any

from mnconvert.lowering.scope_names import scope_name
from mninfer.errors import RecipeError
from mninfer.model_file import Graph
from mninfer.near import near_names

__all__ = ["find_kept", "layers_by_operator"]

_SUFFIX = re.compile(r"_\d+$")  # TensorFlow's scopes are the layers' names, numbered by how often they were entered
_OUTPUT = re.compile(r"Identity(_\d+)?$")  # what it calls the tensors that a function returns
_MOST_NEAR = 3


def find_kept(patterns: Sequence[str], layers: Mapping[int, Sequence[str]]) -> tuple[int, ...]:
    """The operators one of whose layers matches a pattern, as ``attention_*``; ``layers`` are those of each operator.

    Raises:
        RecipeError: a pattern matches no layer.
    """
    names = dict.fromkeys(name for each in layers.values() for name in each)
    for pattern in patterns:
        if not any(fnmatchcase(name, pattern) for name in names):
            raise _unmatched(pattern, list(names))
    return tuple(
        operator
        for operator, own in layers.items()
        if any(fnmatchcase(name, pattern) for name in own for pattern in patterns)
    )


def _unmatched(pattern: str, names: Sequence[str]) -> RecipeError:
    near = near_names(pattern, names, most=_MOST_NEAR) or list(names[:_MOST_NEAR])
    return RecipeError(
        f'--keep-float "{pattern}" matches no layer of the network',
        hints=[f'--keep-float "{name}"' for name in near],
    )


def layers_by_operator(graph: Graph, model: Any) -> dict[int, tuple[str, ...]]:
    """The Keras layers of ``model`` that each operator of its float ``graph`` comes from, by the tensors' names.

    The one with the most parameters is first: the convolution, not its activation or the padding before it. Of a file
    whose model is not at hand (None) they are all words of these names.
    """
    if model is None:
        return {op.index: tuple(_words(graph.tensors[op.outputs[0]].name)) for op in graph.operators}
    known = dict(_sizes(model))
    scopes = {scope_name(name): name for name in known}
    ends = [tensor._keras_history.operation.name for tensor in model.outputs]
    outputs = dict(zip(graph.outputs, ends, strict=False))
    found = {}
    for operator in graph.operators:
        names = [name for index in operator.outputs for name in _layers_in(graph.tensors[index].name, scopes)]
        names += [outputs[index] for index in operator.outputs if _is_nameless(graph, index) and index in outputs]
        found[operator.index] = tuple(sorted(dict.fromkeys(names), key=lambda name: -known.get(name, 0)))
    return found


def _sizes(model: Any) -> Iterator[tuple[str, int]]:
    """Names and numbers of parameters of a model's operations, and of those of the models within it."""
    for operation in model.operations:
        is_model = hasattr(operation, "operations")
        yield (
            str(operation.name),
            0 if is_model else sum(prod(each.shape) for each in getattr(operation, "weights", ())),
        )
        if is_model:
            yield from _sizes(operation)


def _words(name: str) -> dict[str, None]:
    """``net/conv/Relu6;net/norm`` -> net, conv, Relu6, norm."""
    return dict.fromkeys(filter(None, name.replace(";", "/").split("/")))


def _layers_in(name: str, scopes: Mapping[str, str]) -> Iterator[str]:
    for part in _words(name):
        layer = next((scopes[each] for each in (_SUFFIX.sub("", part), part) if each in scopes), None)
        if layer is not None:
            yield layer


def _is_nameless(graph: Graph, index: int) -> bool:
    return _OUTPUT.match(graph.tensors[index].name.partition(";")[0]) is not None
