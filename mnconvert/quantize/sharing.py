"""Which tensors must have one scale: operators that move or pick numbers can't rescale them."""

from collections.abc import Iterator

from mninfer.model_file import Graph, Operator

__all__ = ["bound_constants", "shared_scales"]

# TFLite's 8-bit quantization specification, "restriction: input and output must all have same scale/zero_point".
_KEEPING = frozenset(
    {
        "AVERAGE_POOL_2D", "BATCH_TO_SPACE_ND", "DEPTH_TO_SPACE", "EXPAND_DIMS", "GATHER", "MAX_POOL_2D", "MIRROR_PAD",
        "PAD", "REDUCE_MAX", "REDUCE_MIN", "RESHAPE", "RESIZE_BILINEAR", "RESIZE_NEAREST_NEIGHBOR", "SLICE",
        "SPACE_TO_BATCH_ND", "SPACE_TO_DEPTH", "SPLIT", "SPLIT_V", "SQUEEZE", "STRIDED_SLICE", "TILE", "TRANSPOSE",
        "UNPACK",
    }
)  # fmt: skip
_JOINING = frozenset({"CONCATENATION", "MAXIMUM", "MINIMUM", "PACK", "PADV2"})


def shared_scales(graph: Graph) -> dict[int, int]:
    """Each activation -> one that stands for all of its kind, the earliest in the graph."""
    parents = {index: index for index in graph.inputs}
    for operator in graph.operators:
        parents |= {index: index for index in operator.outputs}
    for operator in graph.operators:
        tied = [index for index in _tied(graph, operator) if index in parents]
        for index in tied[1:]:
            _join(parents, tied[0], index)
    return {index: _root(parents, index) for index in parents}


def bound_constants(graph: Graph) -> Iterator[tuple[Operator, int]]:
    """The constants that have to have their operator's scale, as the 4 of a MINIMUM: the operator and their place."""
    for operator in graph.operators:
        if operator.name in _JOINING:
            for place, index in enumerate(operator.inputs):
                if index >= 0 and graph.tensors[index].data is not None and graph.tensors[index].dtype == "float32":
                    yield operator, place


def _tied(graph: Graph, operator: Operator) -> Iterator[int]:
    if operator.name in _KEEPING:
        yield next(index for index in operator.inputs if graph.tensors[index].data is None)
        yield from operator.outputs
    elif operator.name in _JOINING:
        yield from (index for index in operator.inputs if graph.tensors[index].data is None)
        yield from operator.outputs


def _root(parents: dict[int, int], index: int) -> int:
    while parents[index] != index:
        index = parents[index]
    return index


def _join(parents: dict[int, int], first: int, second: int) -> None:
    roots = _root(parents, first), _root(parents, second)
    order = list(parents)
    early, late = sorted(roots, key=order.index)
    parents[late] = early
