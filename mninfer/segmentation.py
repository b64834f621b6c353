"""A segmenter's output tensor -> a mask in the original picture's size."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from mninfer.preprocessing.geometry import Geometry, Region
from mninfer.results import label_of

__all__ = ["Segmentation", "segment_mask"]

Array = npt.NDArray[Any]
UNSEEN = -1  # a mask's value where the model saw nothing: outside the crop
MASK_BLOCK_PIXELS = 1 << 20  # rows are done in blocks of about this many pixels, so that memory stays bounded


@dataclass(frozen=True, slots=True, eq=False)
class Segmentation:
    """``mask[y, x]`` is a class index, in the original picture's size; ``labels`` names the indices where known."""

    mask: npt.NDArray[np.int32]
    labels: tuple[str, ...] | None = None
    source: str | None = None

    def shares(self) -> dict[int, float]:
        """The part of the picture that each class present covers, largest first."""
        counts: Counter[int] = Counter()
        rows_at_once = max(1, MASK_BLOCK_PIXELS // self.mask.shape[1])
        for top in range(0, len(self.mask), rows_at_once):
            found, numbers = np.unique(self.mask[top : top + rows_at_once], return_counts=True)
            counts.update(dict(zip(found.tolist(), numbers.tolist(), strict=True)))
        pairs = sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))
        return {index: count / self.mask.size for index, count in pairs}

    def name(self, index: int) -> str:
        """The label; the number where there is none; -1 is what a crop left out, where the model saw nothing."""
        if index < 0:
            return "unseen"
        return label_of(self.labels, index)

    def to_json(self) -> dict[str, Any]:
        height, width = self.mask.shape
        classes = [{"label": self.name(i), "index": i, "share": share} for i, share in self.shares().items()]
        return {"image": self.source, "width": width, "height": height, "classes": classes}


def segment_mask(output: Array, geometry: Geometry, *, foreground_above: float) -> npt.NDArray[np.int32]:
    """The best class of every pixel of the picture; -1 outside a crop, where the model saw nothing.

    ``output`` is [height, width] of class indices, or [height, width, classes] of scores, which are enlarged linearly
    before the best one is taken, so that edges are smooth. A class that is nowhere the best in the model's own size
    doesn't take part. A single channel is class 1 where it is above ``foreground_above``.
    """
    width, height = geometry.image_size
    seen = _seen(geometry)
    mask = np.full((height, width), UNSEEN, np.int32)
    is_smooth = output.ndim == 3
    classes = np.unique(output.argmax(axis=2)).tolist() if is_smooth else []
    planes = [np.ascontiguousarray(output[:, :, index], np.float32) for index in classes] or [output.astype(np.float32)]
    rows_at_once = max(1, MASK_BLOCK_PIXELS // seen.width)
    for top in range(seen.top, seen.bottom, rows_at_once):
        block = Region(seen.left, top, seen.width, min(rows_at_once, seen.bottom - top))
        enlarged = (_enlarge(plane, geometry, block, is_smooth=is_smooth) for plane in planes)
        if not is_smooth:
            best = next(enlarged).astype(np.int32)
        elif output.shape[2] == 1:
            best = (next(enlarged) > foreground_above).astype(np.int32)
        else:
            best = _best(classes, enlarged)
        mask[top : block.bottom, seen.left : seen.right] = best
    return mask


def _seen(geometry: Geometry) -> Region:
    """What the model saw, together with odd rows and columns at the edges that halving left out."""
    region, (width, height) = geometry.region, geometry.image_size
    left_out = 1 << geometry.num_halvings
    left, top = (edge if edge >= left_out else 0 for edge in (region.left, region.top))
    right = region.right if width - region.right >= left_out else width
    bottom = region.bottom if height - region.bottom >= left_out else height
    return Region(left, top, right - left, bottom - top)


def _best(classes: Sequence[int], planes: Iterator[Array]) -> npt.NDArray[np.int32]:
    """The class of the highest plane at each place; one plane at a time, so that many classes need no memory."""
    highest = next(planes)
    best = np.full(highest.shape, classes[0], np.int32)
    for index, plane in zip(classes[1:], planes, strict=True):
        best[plane > highest] = index
        np.maximum(highest, plane, out=highest)
    return best


def _enlarge(plane: Array, geometry: Geometry, block: Region, *, is_smooth: bool) -> Array:
    """A block of the picture's pixels, each looked up in the model's plane, pixel centre to pixel centre."""
    import cv2

    corners = geometry.to_input([(block.left + 0.5, block.top + 0.5), (block.right + 0.5, block.bottom + 0.5)])
    to_plane = np.array([plane.shape[1] / geometry.input_size[0], plane.shape[0] / geometry.input_size[1]])
    (x, y), (end_x, end_y) = (corners * to_plane - 0.5).tolist()
    matrix = np.array([[(end_x - x) / block.width, 0, x], [0, (end_y - y) / block.height, y]])
    flags = cv2.WARP_INVERSE_MAP | (cv2.INTER_LINEAR if is_smooth else cv2.INTER_NEAREST)
    enlarged = cv2.warpAffine(plane, matrix, block.size, flags=flags, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(enlarged)
