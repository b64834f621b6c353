"""Operators that work on each value by itself, or along one axis without changing the shape."""

from math import isfinite

from mninfer.model_file.rules.site import Shape, Site

__all__ = ["broadcast", "broadcast_shapes", "division", "prelu", "unary"]


def unary(site: Site) -> list[Shape]:
    """One input, an output of its shape."""
    options = site.operator.options
    for name in ("beta", "alpha"):
        if name in options and not (isfinite(options[name]) and abs(options[name]) < 1e6):
            site.fail(f"{name} is {options[name]}")
    if options.get("beta", 1.0) <= 0:
        site.fail(f"beta is {options['beta']}, not above 0")
    shape = site.shape(0)
    if not shape and ("beta" in options or site.operator.name in ("LOG_SOFTMAX", "L2_NORMALIZATION")):
        site.fail(f"{site.inputs[0]} has no dimension to work along")
    return [shape]


def broadcast(site: Site) -> list[Shape]:
    """Two inputs, stretched to each other where one has a single value."""
    return [broadcast_shapes(site, site.shape(0), site.shape(1))]


def division(site: Site) -> list[Shape]:
    """Integers divide as the processor does, which stops at 0 and at the least number by -1."""
    if site.tensor(0).dtype == "int32" and {0, -1} & set(site.known(1, "the divisor")):
        site.fail(f"the divisor, {site.inputs[1]}, has a 0 or -1")
    return broadcast(site)


def prelu(site: Site) -> list[Shape]:
    """Slopes stretch to the input, never the other way."""
    shape = site.shape(0)
    if broadcast_shapes(site, shape, site.shape(1)) != shape:
        site.fail(f"slopes of shape {list(site.shape(1))} do not fit {list(shape)}")
    return [shape]


def broadcast_shapes(site: Site, left: Shape, right: Shape) -> Shape:
    """The shape both stretch to."""
    if left == right:
        return left
    rank = max(len(left), len(right))
    padded = zip((1,) * (rank - len(left)) + left, (1,) * (rank - len(right)) + right, strict=True)
    result = []
    for a, b in padded:
        if a not in (b, 1) and b != 1:
            site.fail(f"shapes {list(left)} and {list(right)} do not go together")
        result.append(max(a, b))
    return tuple(result)
