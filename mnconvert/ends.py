"""The input and output dtype of an integer file, and how its input's numbers stand for pixels."""

import math
from dataclasses import dataclass, replace

from mnconvert.config import ConvertConfig, Ends, Variant
from mninfer.model_file import limits_elsewhere
from mninfer.preprocessing import PreprocessSpec, Resize
from mninfer.tensors import TensorSpec

__all__ = ["InputNumbers", "choose_ends", "input_numbers", "remarks_on_ends", "takes_pixels"]


@dataclass(frozen=True, slots=True)
class InputNumbers:
    """``low`` to ``high`` is what pixels become. Where numbers are the pixels themselves: their scale and int8 zero
    point, and how far what the network should see of a pixel lies above what these two give.
    """

    low: float
    high: float
    pixel_scale: tuple[float, int] | None = None
    pixel_offset: float = 0.0


def choose_ends(config: ConvertConfig, preprocess: PreprocessSpec) -> Ends:
    """What was asked for, else what suits; ``preprocess`` is what an integer file would have."""
    if config.ends is not None:
        return config.ends
    if config.variant is not Variant.INT8:
        return Ends.FLOAT32
    return Ends.UINT8 if takes_pixels(preprocess) else Ends.INT8


def remarks_on_ends(config: ConvertConfig, ends: Ends, preprocess: PreprocessSpec, tensor: TensorSpec) -> list[str]:
    """Why an int8 file's ends are not the usual ones, and which readers its input does not suit."""
    if config.variant is not Variant.INT8:
        return []
    remarks = []
    if config.ends is None and ends is not Ends.UINT8:
        remarks.append(f"the ends are int8, not uint8: {_unlike(preprocess)}, and a uint8 input has one for all")
    return [*remarks, *limits_elsewhere(replace(preprocess, resize=Resize.STRETCH, crop_fraction=1.0), tensor)]


def _unlike(preprocess: PreprocessSpec) -> str:
    if len(set(preprocess.std)) > 1:
        return "mean and std differ between channels"
    if len(set(preprocess.mean)) > 1:
        return f"the channels' means are {', '.join(f'{mean:g}' for mean in preprocess.mean)}"
    return f"the mean of {preprocess.mean[0]:g} is no pixel's value"


def takes_pixels(preprocess: PreprocessSpec) -> bool:
    """Whether one scale and one zero point turn pixels into what the network sees."""
    return len(set(preprocess.mean)) == len(set(preprocess.std)) == 1 and 0 <= preprocess.mean[0] <= 255


def input_numbers(preprocess: PreprocessSpec) -> InputNumbers:
    """What pixels 0 to 255 become, at their widest over the channels."""
    channels = list(zip(preprocess.mean, preprocess.std, strict=True))
    low, high = min(-mean / std for mean, std in channels), max((255 - mean) / std for mean, std in channels)
    if not takes_pixels(preprocess):
        return InputNumbers(low, high)
    mean, std = channels[0]
    zero = min(max(math.floor(mean + 0.5), 0), 255)  # of the uint8 input: the pixel that is nearest to 0
    return InputNumbers(low, high, (1 / std, zero - 128), (zero - mean) / std)
