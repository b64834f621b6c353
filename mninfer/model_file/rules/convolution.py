"""Operators that slide a window over a picture: convolutions and pooling. Shapes are NHWC, filters OHWI."""

from math import prod

from mninfer.model_file.dtypes import size_bytes
from mninfer.model_file.rules.site import MAX_STEP, Shape, Site

__all__ = ["conv_2d", "depthwise_conv_2d", "pool_2d", "transpose_conv"]

POINTER_BYTES = 8  # XNNPACK keeps a pointer for each input pixel of each output pixel


def conv_2d(site: Site) -> list[Shape]:
    """A convolution, possibly in groups."""
    batch, height, width, channels = site.shape(0, 4)
    filters, filter_height, filter_width, filter_channels = site.shape(1, 4)
    if channels % filter_channels:
        site.fail(f"{site.inputs[1]} takes {filter_channels} channels, {site.inputs[0]} has {channels}")
    groups = channels // filter_channels
    if filters % groups:
        site.fail(f"{filters} filters do not divide into {groups} groups")
    site.same_count(2, filters, "the bias")
    out_height, out_width = _window(site, (height, width), (filter_height, filter_width), dilated=True)
    _count_window(site, out_height * out_width, filter_height * filter_width, filter_channels)
    return [(batch, out_height, out_width, filters)]


def depthwise_conv_2d(site: Site) -> list[Shape]:
    """Each channel has filters of its own, ``depth_multiplier`` of them."""
    batch, height, width, channels = site.shape(0, 4)
    ones, filter_height, filter_width, filters = site.shape(1, 4)
    multiplier = site.step("depth_multiplier")
    if ones != 1 or filters != channels * multiplier:
        site.fail(
            f"{site.inputs[1]} has shape {list(site.shape(1))}; {channels} channels and depth multiplier {multiplier} "
            f"need [1, height, width, {channels * multiplier}]"
        )
    site.same_count(2, filters, "the bias")
    out_height, out_width = _window(site, (height, width), (filter_height, filter_width), dilated=True)
    _count_window(site, out_height * out_width, filter_height * filter_width, 1)
    return [(batch, out_height, out_width, filters)]


def pool_2d(site: Site) -> list[Shape]:
    """Average or maximum over a window."""
    batch, height, width, channels = site.shape(0, 4)
    window = (site.step("filter_height"), site.step("filter_width"))
    out_height, out_width = _window(site, (height, width), window, dilated=False)
    _count_window(site, out_height * out_width, prod(window), 1)
    if site.option("padding") == 0:
        _count_padded_pool(site, (height, width), window)
    return [(batch, out_height, out_width, channels)]


def _count_padded_pool(site: Site, size: tuple[int, int], window: tuple[int, int]) -> None:
    """XNNPACK of LiteRT 2.3 lays out about side * side * other side pointers for a padded average: measured."""
    if window[0] > max(2 * size[0], 64) or window[1] > max(2 * size[1], 64):
        site.fail(f"a window of {window[0]} x {window[1]} on {size[0]} x {size[1]} pixels")
    longest = max(window)
    site.workspace_bytes = max(site.workspace_bytes, longest * longest * max(*window, *size) * POINTER_BYTES)


def transpose_conv(site: Site) -> list[Shape]:
    """The output's shape is stated; a convolution over it must give the input's."""
    batch, height, width, channels = site.shape(2, 4)
    filters, filter_height, filter_width, filter_channels = site.shape(1, 4)
    output = site.known(0, "the output shape", 4)
    if min(output) < 1 or output[0] != batch or output[3] != filters:
        site.fail(f"output shape {list(output)} for a batch of {batch} and {filters} filters")
    if filter_channels != channels:
        site.fail(f"{site.inputs[1]} takes {filter_channels} channels, {site.inputs[2]} has {channels}")
    site.same_count(3, filters, "the bias")
    back = _window(site, output[1:3], (filter_height, filter_width), dilated=False)
    if back != (height, width):
        site.fail(
            f"output shape {list(output)} does not come from an input of {height} x {width}, but {back[0]} x {back[1]}"
        )
    site.workspace_bytes = height * width * filter_height * filter_width * filters * 4  # TFLite's col2im buffer
    return [output]


def _window(site: Site, size: tuple[int, ...], window: tuple[int, int], *, dilated: bool) -> tuple[int, int]:
    """Height and width of what the window gives, by stride, dilation and padding of the options."""
    height = _slide(site, size[0], window[0], site.step("stride_h"), site.step("dilation_hfactor") if dilated else 1)
    width = _slide(site, size[1], window[1], site.step("stride_w"), site.step("dilation_wfactor") if dilated else 1)
    return height, width


def _slide(site: Site, size: int, window: int, stride: int, dilation: int) -> int:
    padding = site.option("padding")
    reach = (window - 1) * dilation + 1
    if padding == 0:  # SAME
        if reach > max(size, MAX_STEP):
            site.fail(f"a filter of {window}, dilation {dilation}, reaches over {reach} of {size} pixels")
        return -(-size // stride)
    if padding != 1:
        site.fail(f"padding {padding} is neither SAME (0) nor VALID (1)")
    if reach > size:
        site.fail(f"a filter of {window}, dilation {dilation}, does not fit into {size} pixels without padding")
    return (size - reach) // stride + 1


def _count_window(site: Site, num_outputs: int, window: int, channels: int) -> None:
    """What a kernel may lay out beside its operands: the pixels under each window, or pointers to them."""
    if window > 1:
        patch = size_bytes(site.tensor(0).dtype, channels) if channels > 1 else 0
        site.workspace_bytes = num_outputs * window * max(patch, POINTER_BYTES)
