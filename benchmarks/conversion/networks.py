"""The networks and the labelled pictures that conversion is measured on, prepared once as the model's own pixels."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from mnconvert.source import Source, open_source
from mninfer.images import load_image
from mninfer.preprocessing import Preprocessor
from mninfer.tensors import TensorSpec
from mnmodels.data import open_data

__all__ = ["NETWORKS", "Labelled", "labelled", "open_network"]

ROOT = Path(__file__).parents[2]
Pixels = npt.NDArray[np.uint8]
# Name in the tables -> file; those in the folder of other people's files have ImageNet's 1001 classes.
NETWORKS = {
    "V2 1.0/224": "models/imagenet_mobilenet_v2_100_224.h5",
    "V2 1.0/224 b": "models/imagenet_mobilenet_v2_100_224_b.keras",
    "V1 0.25/128": "models/imagenet_mobilenet_v1_025_128.h5",
    "V1 0.25 CIFAR-10": str(ROOT / "models/pretrained/mobilenet_v1_025_cifar10.h5"),
}


@dataclass(frozen=True, slots=True)
class Labelled:
    """Pictures [n, height, width, 3] resized as the network wants them, pixels as they are, and their classes."""

    pixels: Pixels
    classes: npt.NDArray[np.int64]

    def __getitem__(self, indices: Sequence[int] | npt.NDArray[np.int64]) -> "Labelled":
        return Labelled(self.pixels[indices], self.classes[indices])

    def __len__(self) -> int:
        return len(self.classes)


def open_network(name: str, shared: Path) -> Source:
    return open_source(shared / NETWORKS[name])


def labelled(name: str, source: Source, shared: Path) -> Labelled:
    """CIFAR-10's 10,000 test pictures, or 500 ImageNet sample pictures, which are easier than the validation set."""
    size = tuple(source.model.input_shape[1:3])
    if "CIFAR" in name:
        pictures = open_data(str(shared / "data/cifar10-test.tar.xz"), split="test")
        return Labelled(pictures.load(np.arange(len(pictures)), size), np.asarray(pictures.classes))
    shape = (1, *size, 3)
    prepare = Preprocessor(
        source.preprocess, TensorSpec(name="image", shape=shape, shape_signature=shape, dtype="float32")
    )
    mean, std = np.array(source.preprocess.mean), np.array(source.preprocess.std)
    paths = sorted((shared / "data/imagenet-dev").glob("*.jpg"))
    tensors = [prepare(load_image(path).pixels) for path in paths]
    pixels = [np.round(tensor * std + mean).astype(np.uint8) for tensor in tensors]
    return Labelled(np.concatenate(pixels), np.array([int(path.name[:4]) + 1 for path in paths]))
