"""Operators that reduce along axes."""

from mninfer.model_file.rules.site import Shape, Site

__all__ = ["arg_extremum", "reduce"]


def reduce(site: Site) -> list[Shape]:
    """Mean, sum, maximum or minimum along axes."""
    shape = site.shape(0)
    named = site.known(1, "the axes")
    if len(named) > len(shape):  # tflite-runtime 2.14 writes beyond its list of them, and is killed
        site.fail(f"{len(named)} axes of {len(shape)} dimensions")
    axes = {site.axis(axis, len(shape)) for axis in named}
    if site.option("keep_dims"):
        return [tuple(1 if i in axes else size for i, size in enumerate(shape))]
    return [tuple(size for i, size in enumerate(shape) if i not in axes)]


def arg_extremum(site: Site) -> list[Shape]:
    """The place of the largest or smallest value along an axis."""
    shape = site.shape(0)
    axis = site.axis(site.known(1, "the axis", 1)[0], len(shape))
    wanted = {2: "int32", 4: "int64"}.get(site.option("output_type"))
    if site.outputs[0].dtype != wanted:
        site.fail(f"output_type {site.option('output_type')} for an output of {site.outputs[0].dtype}")
    return [shape[:axis] + shape[axis + 1 :]]
