"""uint8 RGB picture -> input tensor: the one preprocessing that every package and every device uses.

``docs/preprocessing.md`` states the rule in integers, for ports to other languages.
"""

from mninfer.preprocessing.geometry import Cover, Geometry, Region, input_geometry, input_region
from mninfer.preprocessing.parse import parse_interpolation, parse_preprocess, parse_resize
from mninfer.preprocessing.spec import PRESETS, Interpolation, PreprocessSource, PreprocessSpec, Resize
from mninfer.preprocessing.stated import StatedPreprocess
from mninfer.preprocessing.tensor import Preprocessor, covering_size, pixels_as_they_are, preprocess_image

__all__ = [
    "PRESETS",
    "Cover",
    "Geometry",
    "Interpolation",
    "PreprocessSource",
    "PreprocessSpec",
    "Preprocessor",
    "Region",
    "Resize",
    "StatedPreprocess",
    "covering_size",
    "input_geometry",
    "input_region",
    "parse_interpolation",
    "parse_preprocess",
    "parse_resize",
    "pixels_as_they_are",
    "preprocess_image",
]
