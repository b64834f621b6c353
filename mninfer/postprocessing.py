"""Output tensors -> typed results: scores, boxes in the original's pixels, masks in the original's size.

What a model's outputs mean is read from its graph (``outputs.py``), never guessed from their values.
"""

import math
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from mninfer.errors import EngineError
from mninfer.preprocessing.geometry import Geometry, Region
from mninfer.results import Box, Detection, Prediction, label_of
from mninfer.tensors import Quantization

__all__ = ["best_classes", "dequantize", "detections", "segment_mask"]

Array = npt.NDArray[Any]
UNSEEN = -1  # a mask's value where the model saw nothing: outside the crop
MASK_BLOCK_PIXELS = 1 << 20  # rows are done in blocks of about this many pixels, so that memory stays bounded


def dequantize(array: Array, quantization: Quantization | None) -> Array:
    """Real values as float32; floats pass through."""
    if quantization is None or array.dtype.kind == "f":
        return array.astype(np.float32, copy=False)
    scale, zero_point = np.float32(quantization.scales[0]), quantization.zero_points[0]
    return (array.astype(np.int32) - zero_point).astype(np.float32) * scale


def best_classes(
    output: Array,
    quantization: Quantization | None,
    *,
    top: int,
    needs_softmax: bool,
    labels: Sequence[str] | None,
) -> tuple[Prediction, ...]:
    """The ``top`` classes of one score per class, best first; equal scores by index.

    Quantized scores are ranked as integers, and only the winners become real numbers. Kept to few and cheap steps: an
    engine leaves the processor's caches cold, which makes each of them cost several times what it does in a loop.
    """
    scores = output.reshape(-1)
    if needs_softmax:
        scores, quantization = _softmax(dequantize(scores, quantization)), None
    scale, zero_point = (quantization.scales[0], quantization.zero_points[0]) if quantization else (1.0, 0)
    return tuple(
        [
            Prediction(label_of(labels, index), index, (value - zero_point) * scale)
            for index, value in _largest(scores, min(top, scores.size))
        ]
    )


def _softmax(logits: Array) -> Array:
    exponents = np.exp(logits - logits.max())
    return np.asarray(exponents / exponents.sum())


def _largest(scores: Array, count: int) -> list[tuple[int, Any]]:
    """(index, value) of the ``count`` largest, descending; equal ones by index, which argpartition doesn't promise."""
    if count < 1:
        return []
    if scores.dtype.kind in "iu":  # numpy sorts small integers by radix; backwards, so that the first of equals is last
        from_end = scores[::-1].argsort(kind="stable")[: -count - 1 : -1].tolist()
        return [(scores.size - 1 - index, scores.item(-1 - index)) for index in from_end]
    ranked = scores.copy()
    first = scores.size - count
    ranked.partition(first)
    winners = ranked[first:].tolist()
    if any(map(math.isnan, winners)):  # it counts as the largest
        raise EngineError("the model's output holds NaN", hints='"mninfer check MODEL" compares with what it should be')
    least = winners[0]
    above = [(index, scores.item(index)) for index in (scores > least).nonzero()[0].tolist()]
    above.sort(key=lambda pair: -pair[1])
    equal = (scores == least).nonzero()[0][: count - len(above)].tolist()
    return above + [(index, least) for index in equal]


def detections(
    boxes: Array,
    classes: Array,
    scores: Array,
    *,
    geometry: Geometry,
    threshold: float,
    labels: Sequence[str] | None,
    label_offset: int,
) -> tuple[Detection, ...]:
    """Objects at or above ``threshold``, best first; boxes in the picture's pixels, clipped to it.

    ``boxes`` are rows of ymin, xmin, ymax, xmax relative to the input. A box without area in the picture is left out.
    """
    corners = boxes.reshape(-1, 4)[:, [1, 0, 3, 2]]
    placed = geometry.boxes_to_image(corners).tolist()
    found = []
    for edges, number, score in zip(placed, classes.ravel().tolist(), scores.ravel().tolist(), strict=True):
        box = Box(*edges)
        # written so that NaN, in the score or an edge, is left out
        if score >= threshold and box.right > box.left and box.bottom > box.top:
            index = int(number) + label_offset
            found.append(Detection(label_of(labels, index), index, score, box))
    return tuple(sorted(found, key=lambda detection: -detection.score))


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
