"""Operators that only move values or give them another shape."""

from math import prod

from mninfer.model_file.rules.site import Shape, Site
from mninfer.model_file.tensors import MAX_RANK

__all__ = ["concatenation", "expand_dims", "pack", "reshape", "shape_of", "squeeze", "tile", "transpose", "unpack"]


def reshape(site: Site) -> list[Shape]:
    """The new shape is the second operand or, without one, in the options; one -1 stands for what is left."""
    count = prod(site.shape(0))
    wanted = _new_shape(site)
    if len(wanted) > MAX_RANK or wanted.count(-1) > 1 or any(size < 1 and size != -1 for size in wanted):
        site.fail(f"new shape {list(wanted)}")
    if -1 in wanted:
        rest = -prod(wanted)
        wanted = tuple(count // rest if size == -1 else size for size in wanted)
    if prod(wanted) != count:
        site.fail(f"{site.inputs[0]} of shape {list(site.shape(0))} has {count} values, the new shape {list(wanted)} "
                  f"{prod(wanted)}")  # fmt: skip
    return [wanted]


def _new_shape(site: Site) -> Shape:
    if site.has(1):
        if len(site.shape(1)) != 1:
            site.fail(f"the new shape, {site.inputs[1]}, is not one-dimensional")
        return site.known(1, "the new shape")
    wanted: Shape = site.operator.options.get("new_shape", ())
    return () if wanted == (0,) else wanted  # how TOCO wrote a scalar (reshape.cc)


def squeeze(site: Site) -> list[Shape]:
    """Leave out dimensions of size 1: those named, or all."""
    shape = site.shape(0)
    named = site.option("squeeze_dims") if "squeeze_dims" in site.operator.options else ()
    if len(named) > MAX_RANK or len(shape) > MAX_RANK:
        site.fail(f"more than {MAX_RANK} dimensions")
    axes = {site.axis(axis, len(shape)) for axis in named} or {i for i, size in enumerate(shape) if size == 1}
    if any(shape[axis] != 1 for axis in axes):
        site.fail(f"dimensions {sorted(axes)} of shape {list(shape)} are not all 1")
    return [tuple(size for i, size in enumerate(shape) if i not in axes)]


def expand_dims(site: Site) -> list[Shape]:
    """Put a dimension of size 1 in."""
    shape = site.shape(0)
    axis = site.axis(site.known(1, "the axis", 1)[0], len(shape) + 1)
    return [(*shape[:axis], 1, *shape[axis:])]


def transpose(site: Site) -> list[Shape]:
    """Order the dimensions anew. LiteRT is killed by a single value, which has none."""
    shape = site.shape(0)
    if not shape:
        site.fail(f"{site.inputs[0]} has no dimensions to order")
    order = site.known(1, "the order", len(shape))
    axes = [site.axis(axis, len(shape)) for axis in order]
    if len(set(axes)) != len(shape):
        site.fail(f"{list(order)} is not an order of {len(shape)} dimensions")
    return [tuple(shape[axis] for axis in axes)]


def tile(site: Site) -> list[Shape]:
    """Repeat along each dimension."""
    shape = site.shape(0)
    times = site.known(1, "the multiples", len(shape))
    if any(count < 1 for count in times):
        site.fail(f"multiples {list(times)}")
    return [tuple(size * count for size, count in zip(shape, times, strict=True))]


def concatenation(site: Site) -> list[Shape]:
    """Join along an axis."""
    shapes = [site.shape(i) for i in range(len(site.inputs))]
    axis = site.axis(site.option("axis"), len(shapes[0]))
    for i, shape in enumerate(shapes):
        if len(shape) != len(shapes[0]) or _without(shape, axis) != _without(shapes[0], axis):
            site.fail(f"{site.inputs[i]} of shape {list(shape)} does not join {list(shapes[0])} along axis {axis}")
    return [(*shapes[0][:axis], sum(shape[axis] for shape in shapes), *shapes[0][axis + 1 :])]


def _without(shape: Shape, axis: int) -> Shape:
    return shape[:axis] + shape[axis + 1 :]


def pack(site: Site) -> list[Shape]:
    """Lay tensors of one shape side by side along a new axis."""
    shape = site.shape(0)
    if site.option("values_count") != len(site.inputs):
        site.fail(f"values_count is {site.option('values_count')}, operands are {len(site.inputs)}")
    for i in range(1, len(site.inputs)):
        if site.shape(i) != shape:
            site.fail(f"{site.inputs[i]} has shape {list(site.shape(i))}, the first operand {list(shape)}")
    axis = site.axis(site.option("axis"), len(shape) + 1)
    return [(*shape[:axis], len(site.inputs), *shape[axis:])]


def unpack(site: Site) -> list[Shape]:
    """Take a tensor apart along an axis."""
    shape = site.shape(0)
    axis = site.axis(site.option("axis"), len(shape))
    if not shape[axis] == site.option("num") == len(site.outputs):
        site.fail(f"{shape[axis]} parts along axis {axis}, num is {site.option('num')}, outputs {len(site.outputs)}")
    return [_without(shape, axis)] * len(site.outputs)


def shape_of(site: Site) -> list[Shape]:
    """The shape as a tensor."""
    wanted = {2: "int32", 4: "int64"}.get(site.option("out_type"))
    if site.outputs[0].dtype != wanted:
        site.fail(f"out_type {site.option('out_type')} for an output of {site.outputs[0].dtype}")
    return [(len(site.shape(0)),)]
