"""What a tensor is: names, shapes, dtypes and quantization, as model files, engines and preprocessing share them."""

from dataclasses import dataclass

__all__ = ["Quantization", "TensorSpec"]


@dataclass(frozen=True, slots=True)
class Quantization:
    """real = (quantized - zero_point) * scale; several scales run along ``dimension``."""

    scales: tuple[float, ...]
    zero_points: tuple[int, ...]
    dimension: int = 0

    @property
    def is_per_channel(self) -> bool:
        return len(self.scales) > 1


@dataclass(frozen=True, slots=True, kw_only=True)
class TensorSpec:
    """An input or output. ``shape`` is what the engine runs; ``shape_signature`` has -1 where the file left it open."""

    name: str
    shape: tuple[int, ...]
    shape_signature: tuple[int, ...]
    dtype: str
    quantization: Quantization | None = None
