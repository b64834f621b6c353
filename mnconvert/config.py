"""What is asked of one conversion: frozen, checked, without defaults that depend on the model."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from re import fullmatch
from typing import Any

from mninfer.errors import RecipeError
from mninfer.preprocessing import StatedPreprocess

__all__ = ["OF_THE_SOURCE", "ConvertConfig", "Ends", "Scores", "Variant", "is_release"]

OF_THE_SOURCE = ("batch", "size", "scores", "preprocess", "labels")
"""What a request says of the network itself: variants that are made together have it in common."""


class Variant(StrEnum):
    """How the numbers of a file are stored; a float file that is not fused keeps BatchNorm as MUL and ADD."""

    NONE = "none"
    FP16 = "fp16"
    DYNAMIC = "dynamic"
    INT8 = "int8"
    INT16X8 = "int16x8"

    @property
    def is_static(self) -> bool:
        """Whether activations are stored as integers, so that their ranges must be known beforehand."""
        return self in (Variant.INT8, Variant.INT16X8)


class Ends(StrEnum):
    """The dtype of the input, and of the outputs where they are quantized."""

    UINT8 = "uint8"
    INT8 = "int8"
    FLOAT32 = "float32"


class Scores(StrEnum):
    """What a classifier's output is: after its softmax, or before it."""

    PROBABILITIES = "probabilities"
    LOGITS = "logits"


@dataclass(frozen=True, slots=True, kw_only=True)
class ConvertConfig:
    """One conversion's request.

    ``ends`` None: uint8 for int8, float32 for all others, which have no other. ``scores`` None: as the model has them.
    ``preprocess`` may be a text or a PreprocessSpec as well, as for ``mninfer.load``.
    ``size`` is (height, width) where the model leaves it open. ``keep_float`` are patterns of layers' names that stay
    float in an int8 file. ``target_runtime`` is a release, as ``2.14``, whose operator versions the file must keep to.
    """

    variant: Variant = Variant.NONE
    is_fused: bool = True
    is_per_tensor: bool = False
    ends: Ends | None = None
    scores: Scores | None = None
    keep_float: tuple[str, ...] = ()
    batch: int = 1
    size: tuple[int, int] | None = None
    target_runtime: str | None = None
    preprocess: StatedPreprocess = field(default_factory=StatedPreprocess)
    labels: tuple[str, ...] | None = None
    seed: int = 0

    def __post_init__(self) -> None:
        object.__setattr__(self, "variant", Variant(self.variant))
        if not isinstance(self.preprocess, StatedPreprocess):
            object.__setattr__(self, "preprocess", StatedPreprocess.parse(preprocess=self.preprocess))
        _check_lists(keep_float=self.keep_float, labels=self.labels)
        if self.ends is not None:
            object.__setattr__(self, "ends", Ends(self.ends))
        if self.scores is not None:
            object.__setattr__(self, "scores", Scores(self.scores))
        if not self.is_fused and self.variant not in (Variant.NONE, Variant.FP16):
            raise RecipeError(
                f"unfused BatchNorm and {self.variant} exclude each other: its layers are for float files",
                hints="--quantize none or fp16, or without --no-fuse-bn",
            )
        if self.is_per_tensor and self.variant is not Variant.INT8:
            raise RecipeError("scales per tensor are for int8 alone", hints="--quantize int8")
        if self.keep_float and self.variant is not Variant.INT8:
            raise RecipeError("layers are kept float in an int8 file alone", hints="--quantize int8")
        if self.ends not in (None, Ends.FLOAT32) and self.variant is not Variant.INT8:
            raise RecipeError(
                f"--quantize {self.variant} makes float32 ends, not {self.ends}",
                hints="--quantize int8, or --io float32",
            )
        if self.batch < 1:
            raise RecipeError(f"a batch of {self.batch} pictures is none", hints="--batch 1")
        if self.size is not None and [side > 0 for side in self.size] != [True, True]:
            raise RecipeError(f"a size of {self.size} is none", hints="--size HEIGHT WIDTH, as --size 224 224")
        if self.target_runtime is not None and not is_release(self.target_runtime):
            raise RecipeError(
                f'"{self.target_runtime}" is no release of TensorFlow Lite', hints="--target-runtime 2.14"
            )

    def to_json(self) -> Mapping[str, Any]:
        """What was asked, for a report; preprocessing and labels stand there of their own."""
        return {
            "variant": str(self.variant),
            "is_fused": self.is_fused,
            "is_per_tensor": self.is_per_tensor,
            "ends": None if self.ends is None else str(self.ends),
            "scores": None if self.scores is None else str(self.scores),
            "keep_float": list(self.keep_float),
            "batch": self.batch,
            "size": None if self.size is None else list(self.size),
            "target_runtime": self.target_runtime,
            "seed": self.seed,
        }


def is_release(text: str) -> bool:
    """Whether a text names a release of TensorFlow Lite, as ``2.14`` or ``2.14.0``."""
    return fullmatch(r"[0-9]+\.[0-9]+(\.[0-9]+)?", text) is not None


def _check_lists(**given: Any) -> None:
    """A text is a sequence, too, of its letters: never what is meant."""
    for name, value in given.items():
        if isinstance(value, str):
            raise TypeError(f"{name} takes several texts, as [{value!r}], not one")
