"""What is recorded about a model's preprocessing: mean, std, order, how the picture is fitted, and who said so."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Any, TypeVar

from mninfer.errors import PreprocessError

__all__ = ["PRESETS", "Interpolation", "PreprocessSource", "PreprocessSpec", "Resize"]

Choice = TypeVar("Choice", bound=StrEnum)

FRACTION_STEPS = 10_000  # a crop fraction is a whole number of ten-thousandths, so that every port crops alike


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
    """tensor = (pixel - mean) / std, per channel in the order the model sees them (``order``).

    ``crop_fraction`` is that of ``Resize.CROP``; it is 1 for the other two.
    """

    mean: tuple[float, float, float]
    std: tuple[float, float, float]
    order: str = "rgb"
    resize: Resize = Resize.STRETCH
    crop_fraction: float = 1.0
    interpolation: Interpolation = Interpolation.AREA
    source: PreprocessSource = PreprocessSource.STATED

    def __post_init__(self) -> None:
        object.__setattr__(self, "mean", _three_numbers("mean", self.mean))
        object.__setattr__(self, "std", _three_numbers("std", self.std))
        if min(self.std) <= 0:
            raise PreprocessError(f"std {_values(self.std)} is not above 0: pixels are divided by it")
        if self.order not in ("rgb", "bgr"):
            raise PreprocessError(f'channel order "{self.order}" is neither "rgb" nor "bgr"')
        object.__setattr__(self, "resize", Resize(self.resize))
        object.__setattr__(self, "interpolation", Interpolation(self.interpolation))
        object.__setattr__(self, "source", PreprocessSource(self.source))
        self._check_fraction()

    def _check_fraction(self) -> None:
        fraction = self.crop_fraction
        if not (_is_finite(fraction) and 0 < fraction <= 1):
            raise PreprocessError(f"crop fraction {fraction!r} is not above 0 and at most 1")
        if self.resize is not Resize.CROP and fraction != 1:
            raise PreprocessError(f'a crop fraction of {fraction!r} belongs to resize "crop", not "{self.resize}"')
        if not math.isclose(fraction * FRACTION_STEPS, round(fraction * FRACTION_STEPS), abs_tol=1e-6):
            raise PreprocessError(f"crop fraction {fraction!r} has more than four decimals")
        object.__setattr__(self, "crop_fraction", float(fraction))

    @property
    def is_raw(self) -> bool:
        """Whether pixels go in as they are."""
        return self.mean == (0.0, 0.0, 0.0) and self.std == (1.0, 1.0, 1.0)

    @property
    def fill(self) -> tuple[int, int, int]:
        """The RGB pixel that letterbox bars have: the mean, rounded half up, so that they are about 0 to the model."""
        channels = self.mean if self.order == "rgb" else self.mean[::-1]
        red, green, blue = (min(max(math.floor(value + 0.5), 0), 255) for value in channels)
        return red, green, blue

    def __str__(self) -> str:
        fraction = f":{self.crop_fraction:g}" if self.resize is Resize.CROP else ""
        return (
            f"mean={_values(self.mean)},std={_values(self.std)},order={self.order}; "
            f"resize {self.resize}{fraction}, {self.interpolation}"
        )

    def to_json(self) -> dict[str, Any]:
        return {
            "mean": list(self.mean),
            "std": list(self.std),
            "order": self.order,
            "resize": str(self.resize),
            "crop_fraction": self.crop_fraction,
            "interpolation": str(self.interpolation),
            "source": str(self.source),
        }

    @classmethod
    def from_json(cls, value: Any) -> "PreprocessSpec":
        """Read what ``to_json`` wrote; a PreprocessError names the first thing that is missing, unknown or wrong."""
        if not isinstance(value, Mapping):
            raise PreprocessError(f"the preprocessing is {type(value).__name__}, not an object")
        names = ("mean", "std", "order", "resize", "crop_fraction", "interpolation", "source")
        for wrong in sorted(set(value) ^ set(names)):
            raise PreprocessError(f'the preprocessing\'s "{wrong}" is {"unknown" if wrong in value else "missing"}')
        return cls(
            mean=value["mean"],
            std=value["std"],
            order=value["order"],
            resize=_member(Resize, "resize", value["resize"]),
            crop_fraction=value["crop_fraction"],
            interpolation=_member(Interpolation, "interpolation", value["interpolation"]),
            source=_member(PreprocessSource, "source", value["source"]),
        )


def _three_numbers(name: str, values: Any) -> tuple[float, float, float]:
    if not isinstance(values, list | tuple) or len(values) != 3:
        raise PreprocessError(f"{name} is {values!r}, not three numbers, one per channel")
    for value in values:
        if not _is_finite(value):
            raise PreprocessError(f"{name} holds {value!r}, which is not a finite number")
    first, second, third = (float(value) for value in values)
    return first, second, third


def _is_finite(value: Any) -> bool:
    try:
        return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
    except OverflowError:  # a whole number beyond every float
        return False


def _member(kind: type[Choice], name: str, value: Any) -> Choice:
    try:
        return kind(value)
    except ValueError:
        choices = ", ".join(f'"{choice}"' for choice in kind)
        raise PreprocessError(f"the preprocessing's {name} is {value!r}, not one of {choices}") from None


def _values(channels: tuple[float, ...]) -> str:
    return f"{channels[0]:g}" if len(set(channels)) == 1 else "/".join(f"{value:g}" for value in channels)


PRESETS: Mapping[str, PreprocessSpec] = MappingProxyType(
    {
        # TensorFlow's slim nets and Keras' mode "tf": [-1, 1]
        "inception": PreprocessSpec(mean=(127.5, 127.5, 127.5), std=(127.5, 127.5, 127.5)),
        # torchvision's 0.485/0.456/0.406 and 0.229/0.224/0.225, times 255
        "torch": PreprocessSpec(mean=(123.675, 116.28, 103.53), std=(58.395, 57.12, 57.375)),
        # Caffe's and Keras' VGG and ResNet: ImageNet's mean off, BGR
        "caffe": PreprocessSpec(mean=(103.939, 116.779, 123.68), std=(1.0, 1.0, 1.0), order="bgr"),
        "raw": PreprocessSpec(mean=(0.0, 0.0, 0.0), std=(1.0, 1.0, 1.0)),
    }
)
