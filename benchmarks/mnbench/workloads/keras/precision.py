"""What a variant means to a training framework: Keras' policy, the scale of the loss, and what a CPU must have for it.

Pure. A precision that the hardware has no instructions for is refused: it would run, many times slower than float32,
and its figure would tell of the emulation alone.
"""

from collections.abc import Collection
from dataclasses import dataclass

from mnbench.cell import InstructionSet, Variant
from mninfer.errors import UnsupportedModelError

__all__ = ["PRECISIONS", "Precision", "asked_for", "check_gpu_has", "check_hardware_has", "precision_of"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Precision:
    """``type``: what it computes in, as XLA spells it. ``loss_scale``: keeps small gradients above float16's least.

    ``cpu_flags``: any of them will do, as /proc/cpuinfo spells them on x86 or ARM; ``compute_capability``: the least of
    NVIDIA's that has it.
    """

    policy: str
    type: str
    title: str
    loss_scale: float = 1.0
    cpu_flags: frozenset[str] = frozenset()
    compute_capability: tuple[int, int] = (0, 0)


PRECISIONS = {
    Variant.FLOAT32: Precision(policy="float32", type="f32", title="float32"),
    Variant.BF16: Precision(
        policy="mixed_bfloat16",
        type="bf16",
        title="bfloat16",
        cpu_flags=frozenset({"avx512_bf16", "amx_bf16", "bf16"}),
        compute_capability=(8, 0),
    ),
    Variant.FP16: Precision(
        policy="mixed_float16",
        type="f16",
        title="float16",
        # A fixed one: Keras' own starts at 2^15 and is adapted over steps, of which there is one here.
        loss_scale=1024.0,
        cpu_flags=frozenset({"avx512_fp16", "amx_fp16", "asimdhp"}),
        compute_capability=(6, 0),
    ),
}
_WITHOUT_HALVES = (InstructionSet.SSE41, InstructionSet.AVX2)


def precision_of(variant: Variant) -> Precision:
    """Raise UnsupportedModelError where the variant is one of flatbuffers alone."""
    if variant not in PRECISIONS:
        raise UnsupportedModelError(
            f'a training framework has no variant "{variant}"', hints=f"one of {', '.join(PRECISIONS)}"
        )
    return PRECISIONS[variant]


def asked_for(precision: Precision) -> dict[str, object]:
    """The facts where nobody looked what is computed in: a policy is but a wish, save float32's, the default."""
    if precision.type == PRECISIONS[Variant.FLOAT32].type:
        return {"precision": precision.title, "is_emulated": False}
    return {"precision": f"{precision.title}, asked for", "is_emulated": None}


def check_hardware_has(variant: Variant, flags: Collection[str], limit: InstructionSet | None) -> None:
    """Raise UnsupportedModelError where a CPU with these flags, limited so, has no instructions for the variant."""
    precision = precision_of(variant)
    if not precision.cpu_flags:
        return
    if limit in _WITHOUT_HALVES:
        raise UnsupportedModelError(f"{limit} has no instructions for {precision.title}: it would be emulated")
    if not precision.cpu_flags & set(flags):
        raise UnsupportedModelError(
            f"this CPU has no instructions for {precision.title}: it would be emulated",
            hints=f"a CPU that has one of {', '.join(sorted(precision.cpu_flags))}",
        )


def check_gpu_has(variant: Variant, capability: tuple[int, int] | None) -> None:
    """Raise UnsupportedModelError where an NVIDIA GPU of that compute capability is too old; None isn't known."""
    precision = precision_of(variant)
    if capability is not None and capability < precision.compute_capability:
        major, minor = precision.compute_capability
        raise UnsupportedModelError(
            f"this GPU has compute capability {capability[0]}.{capability[1]}, {precision.title} begins at "
            f"{major}.{minor}"
        )
