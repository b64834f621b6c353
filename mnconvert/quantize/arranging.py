"""Rules of the operators that move values about, and of those that average over places."""

from collections.abc import Callable, Iterator, Mapping
from math import prod
from types import MappingProxyType

import numpy as np

from mnconvert.quantize.plan import Array
from mnconvert.quantize.site import Site
from mnconvert.quantize.state import State

__all__ = ["ARRANGING"]


def _reshape(site: Site) -> Iterator[State]:
    new = site.output_shape
    yield site.state(0).arranged(lambda array: _reshaped(array, new))


def _reshaped(array: Array, new: tuple[int, ...]) -> Array:
    """An array that stands for all places, for the new shape: split, joined, or repeated where places are flattened."""
    for split in range(len(new), -1, -1):
        if prod(new[split:]) == array.size:
            return array.reshape((1,) * split + new[split:])
    if new and new[-1] % array.size == 0:
        return np.tile(array.ravel(), new[-1] // array.size).reshape((1,) * (len(new) - 1) + (new[-1],))
    return np.full((1,) * len(new), array.mean())


def _transpose(site: Site) -> Iterator[State]:
    order = site.integers(1)
    yield site.state(0).arranged(lambda array: array.transpose(order))


def _reduced(site: Site) -> Iterator[State]:
    """MEAN, or the largest or smallest: over places where all are alike; over channels as one more average."""
    rank = len(site.input_shape)
    axes = tuple(sorted({axis % rank for axis in site.integers(1)}))
    keep = bool(site.option("keep_dims", False))

    def average(array: Array) -> Array:
        return np.asarray(array.mean(axes, keepdims=keep))

    reduced = site.state(0).arranged(average)
    yield reduced.averaged() if site.operator.name == "MEAN" and rank - 1 not in axes else reduced.pooled()


def _concatenated(site: Site) -> Iterator[State]:
    rank = len(site.output_shape)
    axis = int(site.option("axis", 0)) % rank
    parts = [
        site.constant(place)[..., None] if site.is_constant(place) else site.state(place).values
        for place in range(len(site.operator.inputs))
    ]
    shapes = [part.shape[:axis] + part.shape[axis + 1 :] for part in parts]
    common = np.broadcast_shapes(*shapes)
    full = [
        np.broadcast_to(part, (*common[:axis], _size(site, place, axis), *common[axis:]))
        for place, part in enumerate(parts)
    ]
    yield State(np.concatenate(full, axis), site.state(_first(site)).root).pooled()


def _first(site: Site) -> int:
    return next(place for place in range(len(site.operator.inputs)) if not site.is_constant(place))


def _size(site: Site, place: int, axis: int) -> int:
    """Along the axis: all of it where channels are joined, one where places are."""
    is_channels = axis == len(site.output_shape) - 1
    return site.graph.tensors[site.operator.inputs[place]].shape[axis] if is_channels else 1


def _split(site: Site) -> Iterator[State]:
    """SPLIT has the axis first, SPLIT_V last."""
    is_sized = site.operator.name == "SPLIT_V"
    state = site.state(0 if is_sized else 1)
    axis = site.integers(2 if is_sized else 0)[0] % (state.values.ndim - 1)
    start = 0
    for index in site.operator.outputs:
        size = site.graph.tensors[index].shape[axis]
        yield state.arranged(_taking(axis, slice(start, start + size)))
        start += size


def _taking(axis: int, part: slice) -> Callable[[Array], Array]:
    def take(array: Array) -> Array:
        return array if array.shape[axis] == 1 else array[(slice(None),) * axis + (part,)]

    return take


def _sliced(site: Site) -> Iterator[State]:
    begins, sizes = site.integers(1), site.output_shape
    state = site.state(0)
    for axis, (begin, size) in enumerate(zip(begins, sizes, strict=True)):
        state = state.arranged(_taking(axis, slice(begin, begin + size)))
    yield state


def _strided(site: Site) -> Iterator[State]:
    """Masks as in schema.fbs, StridedSliceOptions; an ellipsis or a new axis has no rule here."""
    begins, ends, strides = (site.integers(place) for place in (1, 2, 3))
    masks = {name: int(site.option(f"{name}_mask", 0)) for name in ("begin", "end", "shrink_axis")}
    state = site.state(0)
    for axis, (begin, end, stride) in enumerate(zip(begins, ends, strides, strict=True)):
        start = None if masks["begin"] >> axis & 1 else begin
        stop = None if masks["end"] >> axis & 1 else end
        if masks["shrink_axis"] >> axis & 1:
            start, stop = begin, begin + 1 or None
        state = state.arranged(_taking(axis, slice(start, stop, stride)))
    shape = site.output_shape
    yield state.arranged(lambda array: array.reshape(shape) if array.size == prod(shape) else _reshaped(array, shape))


def _gathered(site: Site) -> Iterator[State]:
    state = site.state(0)
    axis = int(site.option("axis", 0)) % (state.values.ndim - 1)
    places = site.integers(1)
    yield state.arranged(lambda array: array if array.shape[axis] == 1 else array.take(places, axis))


def _padded(site: Site) -> Iterator[State]:
    """Zeros at the border are within every range; only new channels count."""
    amounts = np.reshape(site.integers(1), (-1, 2))
    state = site.state(0)
    sizes = state.values.shape
    widths = [(int(a), int(b)) if size > 1 else (0, 0) for (a, b), size in zip(amounts, sizes, strict=False)]
    yield state.arranged(lambda array: np.pad(array, widths))


def _repeated(site: Site) -> Iterator[State]:
    """SPACE_TO_DEPTH: the channels of each place in a row."""
    num_channels = site.output_shape[-1]
    yield site.state(0).arranged(lambda array: np.tile(array, num_channels // array.shape[-1]))


def _tiled(site: Site) -> Iterator[State]:
    repeats = site.integers(1)
    yield site.state(0).arranged(
        lambda array: np.tile(array, [n if size > 1 else 1 for n, size in zip(repeats, array.shape, strict=True)])
    )


def _same(site: Site) -> Iterator[State]:
    yield site.state(0)


ARRANGING: Mapping[str, Callable[[Site], Iterator[State]]] = MappingProxyType(
    {
        "CONCATENATION": _concatenated,
        "EXPAND_DIMS": _reshape,
        "GATHER": _gathered,
        "MEAN": _reduced,
        "MIRROR_PAD": _same,
        "PAD": _padded,
        "REDUCE_MAX": _reduced,
        "REDUCE_MIN": _reduced,
        "RESHAPE": _reshape,
        "SLICE": _sliced,
        "SPACE_TO_DEPTH": _repeated,
        "SPLIT": _split,
        "SPLIT_V": _split,
        "SQUEEZE": _reshape,
        "STRIDED_SLICE": _strided,
        "TILE": _tiled,
        "TRANSPOSE": _transpose,
    }
)
