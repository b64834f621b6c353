"""uint8 RGB picture -> input tensor: the one preprocessing that every package and every device uses."""

from dataclasses import dataclass
from enum import StrEnum

__all__ = ["Interpolation", "PreprocessSource", "PreprocessSpec", "Resize"]


class Resize(StrEnum):
    """How a picture of any shape becomes the input's shape."""

    STRETCH = "stretch"
    CROP = "crop"
    LETTERBOX = "letterbox"


class Interpolation(StrEnum):
    """``area`` averages when shrinking and is bilinear when enlarging; ``bilinear`` is bilinear both ways."""

    AREA = "area"
    BILINEAR = "bilinear"


class PreprocessSource(StrEnum):
    """Who said so: the user, the file, layers of the graph, or the likeness to a known network."""

    STATED = "stated"
    FILE = "file"
    INFERRED = "inferred"
    ASSUMED = "assumed"


@dataclass(frozen=True, slots=True, kw_only=True)
class PreprocessSpec:
    """tensor = (pixel - mean) / std, per channel in the order the model sees them (``order``)."""

    mean: tuple[float, float, float]
    std: tuple[float, float, float]
    order: str = "rgb"
    resize: Resize = Resize.STRETCH
    crop_fraction: float = 1.0
    interpolation: Interpolation = Interpolation.AREA
    source: PreprocessSource = PreprocessSource.STATED
