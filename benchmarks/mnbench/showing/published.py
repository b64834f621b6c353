"""Figures that others have published, each with its source: what ours are shown beside. Data alone."""

from dataclasses import dataclass

from mnbench.cell import Device

__all__ = [
    "DEVICE_FIGURES",
    "DEVICE_MODELS",
    "FIGURES_2017",
    "INPUT_2017",
    "MODEL_2017",
    "SOURCE_2017",
    "DeviceFigures",
    "Figures2017",
]

SOURCE_2017 = "Zehaos/MobileNet on GitHub, 2017: Xeon E3-1231 v3, 4 cores at 3.4 GHz; GTX 1060; batch 1"
# What that table is of, in the registry's spelling.
MODEL_2017 = "mobilenet_v1_1.0_224"
INPUT_2017 = (224, 224, 3)


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures2017:
    """A row of the table of 2017, in milliseconds; the fields are its columns."""

    device: Device
    forward: int
    forward_backward: int | None = None
    has_avx2: bool = False
    is_quantized: bool = False
    is_fused: bool = False
    remark: str


_CUDA = "CUDA 8, cuDNN 5.1"
FIGURES_2017 = (
    Figures2017(device=Device.CPU, forward=52, forward_backward=503, remark="TF 1.0.1"),
    Figures2017(device=Device.CPU, forward=44, forward_backward=177, is_fused=True, remark="TF 1.0.1"),
    Figures2017(device=Device.CPU, forward=31, is_quantized=True, remark="TF 1.0.1"),
    Figures2017(device=Device.CPU, forward=26, forward_backward=75, has_avx2=True, remark="TF 1.1.0"),
    Figures2017(device=Device.CPU, forward=128, has_avx2=True, is_quantized=True, remark="TF 1.1.0"),
    Figures2017(device=Device.CPU, forward=19, forward_backward=89, has_avx2=True, is_fused=True, remark="TF 1.1.0"),
    Figures2017(device=Device.GPU, forward=3, forward_backward=16, remark=_CUDA),
    Figures2017(device=Device.GPU, forward=3, forward_backward=15, is_fused=True, remark=_CUDA),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceFigures:
    """Milliseconds of a forward pass on a device: by (model, variant), as ``DEVICE_MODELS`` has them."""

    device: str
    milliseconds: tuple[float, ...]
    source: str


# The models and variants of ``DeviceFigures``, in order.
DEVICE_MODELS = (
    ("mobilenet_v1_1.0_224", "float32"),
    ("mobilenet_v2_1.0_224", "float32"),
    ("mobilenet_v1_1.0_224", "int8"),
    ("mobilenet_v2_1.0_224", "int8"),
)
_XNNPACK = "XNNPACK's README"
DEVICE_FIGURES = (
    DeviceFigures(device="Raspberry Pi 3+", milliseconds=(114, 79, 46, 30), source=_XNNPACK),
    DeviceFigures(device="Raspberry Pi 4, 64-bit", milliseconds=(77, 46, 24, 17), source=_XNNPACK),
    DeviceFigures(
        device="Pixel 3, 4 threads", milliseconds=(24, 17.5, 13, 12), source="TensorFlow Lite's list of hosted models"
    ),
)
