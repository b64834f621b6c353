"""MobileNet V1 files with seeded random weights, for timing: the right shapes and operators, no meaning."""

import sys
from functools import cache
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[2] / "tests"))

from support.network import Layer, float_model, initial_network, int8_model

__all__ = ["V1_BLOCKS", "annotated_v1", "mobilenet_v1"]

V1_BLOCKS = [(32, 2), (64, 1), (128, 2), (128, 1), (256, 2), (256, 1), (512, 2), *[(512, 1)] * 5, (1024, 2), (1024, 1)]
NUM_CLASSES = 1001


@cache
def _network(alpha: float) -> tuple[Layer, ...]:
    return tuple(initial_network([(int(width * alpha), stride) for width, stride in V1_BLOCKS], NUM_CLASSES, seed=0))


@cache
def mobilenet_v1(alpha: float, size: int, kind: str) -> bytes:
    """``kind`` is float, uint8 or int8 (the ends of a full int8 file)."""
    network = _network(alpha)
    if kind == "float":
        return float_model(network, (size, size))
    pictures = np.random.default_rng(0).integers(0, 256, (2, size, size, 3), np.uint8)
    return int8_model(network, (size, size), pictures, ends=kind)


def annotated_v1(alpha: float, size: int, kind: str, *, resize: str = "crop:0.875") -> bytes:
    """The same as a file of ours: preprocessing, labels and golden vectors inside."""
    import mninfer
    from mninfer.model_file.annotating import annotate
    from mninfer.preprocessing import parse_preprocess

    data = mobilenet_v1(alpha, size, kind)
    spec = parse_preprocess("inception", resize=resize)
    with mninfer.load(data) as model:
        return annotate(data, run=model.engine.run, preprocess=spec, labels=[f"class {i}" for i in range(NUM_CLASSES)])
