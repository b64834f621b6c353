"""Matrix products."""

from math import prod

from mninfer.model_file.rules.elementwise import broadcast_shapes
from mninfer.model_file.rules.site import Shape, Site

__all__ = ["batch_matmul", "fully_connected"]


def fully_connected(site: Site) -> list[Shape]:
    """Weights are [units, depth]; the input is taken as rows of ``depth`` values."""
    shape = site.shape(0)
    units, depth = site.shape(1, 2)
    if site.option("weights_format"):
        site.unsupported("its weights are shuffled, a form for old phones", "convert the model again")
    if not shape or prod(shape) % depth:
        site.fail(f"{site.inputs[1]} takes {depth} values, {site.inputs[0]} has shape {list(shape)}")
    site.same_count(2, units, "the bias")
    if not site.option("keep_num_dims"):
        return [(prod(shape) // depth, units)]
    if shape[-1] != depth:
        site.fail(f"{site.inputs[1]} takes {depth} values, the last dimension of {site.inputs[0]} is {shape[-1]}")
    return [(*shape[:-1], units)]


def batch_matmul(site: Site) -> list[Shape]:
    """Products of the last two dimensions; those before them broadcast."""
    left, right = site.shape(0), site.shape(1)
    if min(len(left), len(right)) < 2:
        site.fail(f"shapes {list(left)} and {list(right)} are not matrices")
    rows, inner = left[-2:][::-1] if site.option("adj_x") else left[-2:]
    other, columns = right[-2:][::-1] if site.option("adj_y") else right[-2:]
    if inner != other:
        site.fail(f"matrices of {rows} x {inner} and {other} x {columns} have no product")
    itemsize = 4
    site.workspace_bytes = itemsize * (prod(left) + prod(right))  # transposed or quantized copies
    return [(*broadcast_shapes(site, left[:-2], right[:-2]), rows, columns)]
