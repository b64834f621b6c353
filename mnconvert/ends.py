"""The input and output dtype of an integer file, and how its input's numbers stand for pixels."""

import math
from dataclasses import dataclass

from mnconvert.config import ConvertConfig, Ends, Variant
from mninfer.preprocessing import PreprocessSpec

__all__ = ["InputNumbers", "choose_ends", "input_numbers", "takes_pixels"]


@dataclass(frozen=True, slots=True)
class InputNumbers:
    """``low`` to ``high`` is what pixels become. Where numbers are the pixels themselves: their scale and int8 zero
    point, and how far what the network should see of a pixel lies above what these two give.
    """

    low: float
    high: float
    pixel_scale: tuple[float, int] | None = None
    pixel_offset: float = 0.0


def choose_ends(config: ConvertConfig, preprocess: PreprocessSpec) -> tuple[Ends, str | None]:
    """What was asked for, else what suits; and a sentence where the usual could not be."""
    if config.ends is not None:
        return config.ends, None
    if config.variant is not Variant.INT8:
        return Ends.FLOAT32, None
    if takes_pixels(preprocess):
        return Ends.UINT8, None
    return Ends.INT8, "the ends are int8, not uint8: mean and std differ between channels, and a uint8 input has one"


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
