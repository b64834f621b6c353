"""Any picture -> uint8 RGB, upright, checked before a decoder sees it. Knows nothing of models.

See ``load_image`` for one picture and ``image_paths`` for folders and patterns of them.
"""

from mninfer.images.load import DEFAULT_MAX_PIXELS, ImageSource, LoadedImage, load_image, source_name
from mninfer.images.paths import IMAGE_SUFFIXES, FoundImage, find_images, image_paths

__all__ = [
    "DEFAULT_MAX_PIXELS",
    "IMAGE_SUFFIXES",
    "FoundImage",
    "ImageSource",
    "LoadedImage",
    "find_images",
    "image_paths",
    "load_image",
    "source_name",
]
