"""Operators that change a picture's size: resizing, and blocks of pixels to channels or batch and back."""

from math import prod

from mninfer.model_file.rules.site import MAX_STEP, Shape, Site

__all__ = ["batch_to_space", "depth_to_space", "resize", "space_to_batch", "space_to_depth"]


def resize(site: Site) -> list[Shape]:
    """To the height and width of the second operand."""
    batch, _, _, channels = site.shape(0, 4)
    height, width = site.known(1, "the size", 2)
    if min(height, width) < 1:
        site.fail(f"size {height} x {width}")
    if site.option("align_corners") and site.option("half_pixel_centers"):
        site.fail("align_corners and half_pixel_centers exclude each other")
    return [(batch, height, width, channels)]


def space_to_depth(site: Site) -> list[Shape]:
    """Blocks of pixels become channels."""
    batch, height, width, channels = site.shape(0, 4)
    block = site.step("block_size")
    if height % block or width % block:
        site.fail(f"{height} x {width} pixels do not divide into blocks of {block}")
    return [(batch, height // block, width // block, channels * block * block)]


def depth_to_space(site: Site) -> list[Shape]:
    """Channels become blocks of pixels."""
    batch, height, width, channels = site.shape(0, 4)
    block = site.step("block_size")
    if channels % (block * block):
        site.fail(f"{channels} channels do not divide into blocks of {block} x {block}")
    return [(batch, height * block, width * block, channels // (block * block))]


def space_to_batch(site: Site) -> list[Shape]:
    """Pad, then blocks of pixels become pictures of the batch."""
    shape = site.shape(0)
    block, edges = _blocks(site, shape)
    padded = [size + before + behind for size, (before, behind) in zip(shape[1:-1], edges, strict=True)]
    if any(size % side for size, side in zip(padded, block, strict=True)):
        site.fail(f"{padded} pixels do not divide into blocks of {list(block)}")
    inner = (size // side for size, side in zip(padded, block, strict=True))
    return [(shape[0] * prod(block), *inner, shape[-1])]


def batch_to_space(site: Site) -> list[Shape]:
    """Pictures of the batch become blocks of pixels; then the edges are cropped."""
    shape = site.shape(0)
    block, edges = _blocks(site, shape)
    if shape[0] % prod(block):
        site.fail(f"a batch of {shape[0]} does not divide into blocks of {list(block)}")
    inner = [size * side - sum(crop) for size, side, crop in zip(shape[1:-1], block, edges, strict=True)]
    if min(inner) < 1:
        site.fail(f"crops {edges} leave nothing")
    return [(shape[0] // prod(block), *inner, shape[-1])]


def _blocks(site: Site, shape: Shape) -> tuple[tuple[int, ...], list[tuple[int, int]]]:
    """The block's sides, and what is added or cropped at either edge."""
    if not 3 <= len(shape) <= 4:
        site.fail(f"{site.inputs[0]} has shape {list(shape)}, neither 3 nor 4 dimensions")
    rank = len(shape) - 2
    block = site.known(1, "the block shape", rank)
    edges = site.known(2, "the edges", 2 * rank)
    if site.shape(2) != (rank, 2) or min(edges) < 0 or max(edges) > 1 << 20:
        site.fail(f"edges {list(edges)} of shape {list(site.shape(2))}")
    if not all(1 <= side <= MAX_STEP for side in block):
        site.fail(f"block shape {list(block)}")
    return block, list(zip(edges[::2], edges[1::2], strict=True))
