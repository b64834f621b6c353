"""Operators that cut out, split, pick or pad."""

from math import prod

from mninfer.model_file.rules.site import Shape, Site

__all__ = ["gather", "mirror_pad", "pad", "slice_bounds", "slice_of", "split", "split_v", "strided_slice"]


def pad(site: Site) -> list[Shape]:
    """Put values before and behind, along each dimension."""
    shape = site.shape(0)
    if site.has(2) and prod(site.shape(2)) != 1:
        site.fail(f"the padding value, {site.inputs[2]}, is not a single value")
    return [tuple(before + size + behind for size, (before, behind) in zip(shape, _paddings(site, shape), strict=True))]


def mirror_pad(site: Site) -> list[Shape]:
    """Put mirrored values before and behind; REFLECT leaves the edge itself out."""
    shape = site.shape(0)
    mode = site.option("mode")
    if mode not in (0, 1):
        site.fail(f"mode {mode} is neither REFLECT (0) nor SYMMETRIC (1)")
    paddings = _paddings(site, shape)
    for size, pair in zip(shape, paddings, strict=True):
        if max(pair) > size - (mode == 0):
            site.fail(f"a padding of {max(pair)} mirrors more than the {size} values there are")
    return [tuple(before + size + behind for size, (before, behind) in zip(shape, paddings, strict=True))]


def _paddings(site: Site, shape: Shape) -> list[tuple[int, int]]:
    if site.shape(1) != (len(shape), 2):
        site.fail(f"the paddings, {site.inputs[1]}, have shape {list(site.shape(1))}, not [{len(shape)}, 2]")
    values = site.known(1, "the paddings", 2 * len(shape))
    if min(values, default=0) < 0:
        site.fail(f"paddings {list(values)} are negative")
    return list(zip(values[::2], values[1::2], strict=True))


def slice_of(site: Site) -> list[Shape]:
    """Cut a block out; size -1 reaches to the end."""
    shape = site.shape(0)
    begin = site.known(1, "the begin", len(shape))
    sizes = site.known(2, "the size", len(shape))
    result = []
    for size, first, wanted in zip(shape, begin, sizes, strict=True):
        count = size - first if wanted == -1 else wanted
        if first < 0 or count < 1 or first + count > size:
            site.fail(f"begin {list(begin)}, size {list(sizes)} leave shape {list(shape)}")
        result.append(count)
    return [tuple(result)]


def strided_slice(site: Site) -> list[Shape]:
    """Cut out as Python's slices do. The masks say where begin or end are open and which dimensions go."""
    shape = site.shape(0)
    options = site.operator.options
    if options["ellipsis_mask"] or options["new_axis_mask"] or options["offset"]:
        site.unsupported(
            "it has an ellipsis, a new axis or an offset, which mnkit does not follow",
            "convert the model again with every axis of the slice written out",
        )
    if any(not 0 <= options[f"{mask}_mask"] < 1 << len(shape) for mask in ("begin", "end", "shrink_axis")):
        site.fail(f"a mask names a dimension beyond {len(shape)}")
    result = []
    for axis, cut in enumerate(slice_bounds(site, len(shape))):
        picked = range(shape[axis])[cut]
        if options["shrink_axis_mask"] >> axis & 1:
            if cut.start is None or not -shape[axis] <= cut.start < shape[axis]:
                site.fail(f"index {cut.start} of {shape[axis]}")
        elif not picked:
            site.fail(f"nothing is left of dimension {axis} of shape {list(shape)}")
        else:
            result.append(len(picked))
    return [tuple(result)]


def slice_bounds(site: Site, rank: int) -> list[slice]:
    """One Python slice a dimension; a dimension that goes keeps its index as the start."""
    begin, end, stride = (
        site.known(i, name, rank) for i, name in enumerate(("the begin", "the end", "the strides"), 1)
    )
    options = site.operator.options
    result = []
    for axis in range(rank):
        bit = 1 << axis
        if stride[axis] == 0 or (options["shrink_axis_mask"] & bit and stride[axis] < 0):
            site.fail(f"stride {stride[axis]}")
        if options["shrink_axis_mask"] & bit:
            result.append(slice(0 if options["begin_mask"] & bit else begin[axis], None))
            continue
        first = None if options["begin_mask"] & bit else begin[axis]
        last = None if options["end_mask"] & bit else end[axis]
        result.append(slice(first, last, stride[axis]))
    return result


def split(site: Site) -> list[Shape]:
    """Cut into equal parts; the axis is the first operand."""
    shape = site.shape(1)
    axis = site.axis(site.known(0, "the axis", 1)[0], len(shape))
    parts = len(site.outputs)
    if site.option("num_splits") != parts or shape[axis] % parts:
        site.fail(f"num_splits {site.option('num_splits')}, {parts} outputs, {shape[axis]} values along axis {axis}")
    return [(*shape[:axis], shape[axis] // parts, *shape[axis + 1 :])] * parts


def split_v(site: Site) -> list[Shape]:
    """Cut into parts of the sizes given; one of them may be -1."""
    shape = site.shape(0)
    sizes = site.known(1, "the sizes", len(site.outputs))
    axis = site.axis(site.known(2, "the axis", 1)[0], len(shape))
    if site.option("num_splits") != len(sizes) or sizes.count(-1) > 1 or any(size < 1 and size != -1 for size in sizes):
        site.fail(f"num_splits {site.option('num_splits')}, sizes {list(sizes)}")
    rest = shape[axis] - sum(size for size in sizes if size != -1)
    sizes = tuple(rest if size == -1 else size for size in sizes)
    if sum(sizes) != shape[axis] or min(sizes) < 1:
        site.fail(f"sizes {list(sizes)} for {shape[axis]} values along axis {axis}")
    return [(*shape[:axis], size, *shape[axis + 1 :]) for size in sizes]


def gather(site: Site) -> list[Shape]:
    """Pick slices along an axis. The kernels of older runtimes don't check the indices, so they must be known."""
    shape, indices = site.shape(0), site.shape(1)
    axis = site.axis(site.option("axis"), len(shape))
    batch = site.option("batch_dims")
    if not 0 <= batch <= min(axis, len(indices)) or shape[:batch] != indices[:batch]:
        site.fail(f"batch_dims {batch} of shapes {list(shape)} and {list(indices)}, axis {axis}")
    values = site.known(1, "the indices")
    if values and not 0 <= min(values) <= max(values) < shape[axis]:
        site.fail(f"indices {min(values)} to {max(values)} of {shape[axis]}")
    return [(*shape[:axis], *indices[batch:], *shape[axis + 1 :])]
