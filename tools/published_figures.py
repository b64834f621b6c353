"""What others published of the zoo's networks and of their neighbours: figures with their sources. Data, no code.

Multiply-adds and parameters in millions, top-1 in per cent, as printed; None where the source does not say.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

__all__ = ["CIFAR_100", "IMAGENET", "OTHERS", "Published"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Published:
    """A published row; ``network`` describes ours, None where the registry doesn't have it."""

    title: str
    macs: float
    parameters: float
    top1: float | None
    source: str
    network: Mapping[str, Any] | None = None


_SLIM_V1 = "tensorflow/models, research/slim/nets/mobilenet_v1.md"
_SLIM = "tensorflow/models, research/slim/nets/mobilenet/README.md"
_CIFAR = "the list that this project started from, which names no source"


def _v1(alpha: float, size: int, macs: float, parameters: float, top1: float) -> Published:
    network = {"name": "mobilenet_v1", "alpha": alpha, "input_shape": (size, size, 3)}
    return Published(
        title=f"V1 {alpha:g} / {size}", macs=macs, parameters=parameters, top1=top1, source=_SLIM_V1, network=network
    )


def _v2(alpha: float, size: int, macs: float, parameters: float, top1: float) -> Published:
    network = {"name": "mobilenet_v2", "alpha": alpha, "input_shape": (size, size, 3)}
    return Published(
        title=f"V2 {alpha:g} / {size}", macs=macs, parameters=parameters, top1=top1, source=_SLIM, network=network
    )


def _v3(size: str, alpha: float, macs: float, parameters: float, top1: float, *, plain: bool = False) -> Published:
    network = {"name": f"mobilenet_v3_{size}", "alpha": alpha} | ({"minimalistic": True} if plain else {})
    return Published(
        title=f"V3 {size} {'minimalistic ' if plain else ''}{alpha:g} / 224",
        macs=macs,
        parameters=parameters,
        top1=top1,
        source=_SLIM,
        network=network,
    )


def _cifar(title: str, macs: float, parameters: float, top1: float, **network: Any) -> Published:
    described = network | {"form": "cifar", "classes": 100}
    return Published(title=title, macs=macs, parameters=parameters, top1=top1, source=_CIFAR, network=described)


IMAGENET = (
    _v1(1.0, 224, 569, 4.24, 70.9),
    _v1(0.75, 224, 317, 2.59, 68.4),
    _v1(0.5, 224, 150, 1.34, 63.3),
    _v1(0.25, 224, 41, 0.47, 49.8),
    _v1(0.25, 128, 14, 0.47, 41.5),
    _v2(1.4, 224, 582, 6.06, 75.0),
    _v2(1.0, 224, 300, 3.47, 71.8),
    _v2(0.75, 224, 209, 2.61, 69.8),
    _v2(0.5, 224, 97, 1.95, 65.4),
    _v2(0.35, 224, 59, 1.66, 60.3),
    _v2(0.35, 96, 11, 1.66, 45.5),
    _v3("large", 1.0, 217, 5.4, 75.2),
    _v3("large", 0.75, 155, 4.0, 73.3),
    _v3("large", 1.0, 209, 3.9, 72.3, plain=True),
    _v3("small", 1.0, 66, 2.9, 67.5),
    _v3("small", 0.75, 44, 2.4, 65.4),
    _v3("small", 1.0, 65, 2.0, 61.9, plain=True),
)

_LGC = "mobilenet_v2_lgc"
CIFAR_100 = (
    _cifar("V1 1.0", 627, 3.3, 77.10, name="mobilenet_v1"),
    _cifar("V1 0.5", 161, 0.87, 75.30, name="mobilenet_v1", alpha=0.5),
    _cifar("V1 0.25", 42.5, 0.239, 72.58, name="mobilenet_v1", alpha=0.25),
    _cifar("V2", 314, 2.36, 77.40, name="mobilenet_v2"),
    _cifar("V2 t=4", 221, 1.758, 76.00, name="mobilenet_v2", expansion_factor=4),
    _cifar("V2 t=1", 79, 0.853, 74.32, name="mobilenet_v2", expansion_factor=1),
    _cifar("V2 LGC", 119, 1.074, 76.30, name=_LGC),
    _cifar("V2 LGC projection", 215, 1.638, 77.20, name=_LGC, expansion="plain"),
    _cifar("V2 GC expansion + LGC projection", 119, 1.074, 76.60, name=_LGC, expansion="group"),
)

_TORCHVISION = "torchvision's table of SqueezeNet weights; the authors say 1.72 and 0.72 GFLOPs, 2 to a multiply-add"
_MNASNET = "tensorflow/tpu, models/official/mnasnet/README.md"
_LITE = "tensorflow/tpu, models/official/efficientnet/lite/README.md"
_SHUFFLE = "megvii-model/ShuffleNet-Series, ShuffleNetV2/README.md (top-1 is 100 less the error)"
OTHERS = (
    Published(title="SqueezeNet 1.0", macs=823, parameters=1.248, top1=58.09, source=_TORCHVISION),
    Published(title="SqueezeNet 1.1", macs=352, parameters=1.235, top1=58.18, source=_TORCHVISION),
    Published(title="ShuffleNet V2 0.5", macs=41, parameters=1.4, top1=61.1, source=_SHUFFLE),
    Published(title="ShuffleNet V2 1.0", macs=146, parameters=2.3, top1=69.4, source=_SHUFFLE),
    Published(title="ShuffleNet V2 1.5", macs=299, parameters=3.5, top1=72.6, source=_SHUFFLE),
    Published(title="MnasNet-A1 0.35", macs=63.2, parameters=1.7, top1=64.1, source=_MNASNET),
    Published(title="MnasNet-A1 1.0", macs=315.2, parameters=3.9, top1=75.2, source=_MNASNET),
    Published(title="EfficientNet-Lite0", macs=407, parameters=4.7, top1=75.1, source=_LITE),
)
