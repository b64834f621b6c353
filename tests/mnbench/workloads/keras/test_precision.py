"""What a precision is, and what has instructions for it."""

import pytest

from mnbench.cell import InstructionSet, Variant
from mnbench.workloads.keras.precision import (
    PRECISIONS,
    asked_for,
    check_gpu_has,
    check_hardware_has,
    precision_of,
)
from mninfer.errors import UnsupportedModelError

pytestmark = pytest.mark.smoke

_HALVES = (Variant.BF16, Variant.FP16)


@pytest.mark.parametrize("variant", [variant for variant in Variant if variant not in PRECISIONS])
def test_forms_of_flatbuffers_are_no_precisions(variant: Variant) -> None:
    with pytest.raises(UnsupportedModelError, match=f'no variant "{variant}"') as caught:
        precision_of(variant)
    assert caught.value.hints == ("one of float32, bf16, fp16",)


@pytest.mark.parametrize("variant", _HALVES)
def test_a_cpu_without_instructions_for_it_is_refused(variant: Variant) -> None:
    with pytest.raises(UnsupportedModelError, match=r"this CPU has no instructions for .*: it would be emulated"):
        check_hardware_has(variant, {"avx2", "avx512f"}, None)


@pytest.mark.parametrize(
    ("variant", "flag"),
    [(variant, flag) for variant in _HALVES for flag in sorted(PRECISIONS[variant].cpu_flags)],
)
def test_a_cpu_with_one_of_the_flags_will_do(variant: Variant, flag: str) -> None:
    check_hardware_has(variant, {"sse4_1", flag}, None)
    check_hardware_has(variant, {"sse4_1", flag}, InstructionSet.AVX512)


@pytest.mark.parametrize("limit", [InstructionSet.SSE41, InstructionSet.AVX2])
def test_a_limit_that_takes_the_instructions_away_is_refused(limit: InstructionSet) -> None:
    with pytest.raises(UnsupportedModelError, match=f"{limit} has no instructions for bfloat16"):
        check_hardware_has(Variant.BF16, {"avx512_bf16"}, limit)


@pytest.mark.parametrize("variant", _HALVES)
def test_a_policy_is_but_a_wish(variant: Variant) -> None:
    precision = precision_of(variant)
    assert asked_for(precision) == {"precision": f"{precision.title}, asked for", "is_emulated": None}


def test_every_cpu_has_float32() -> None:
    check_hardware_has(Variant.FLOAT32, (), InstructionSet.SSE41)


def test_an_old_gpu_is_refused() -> None:
    with pytest.raises(UnsupportedModelError, match=r"compute capability 7\.5, bfloat16 begins at 8\.0"):
        check_gpu_has(Variant.BF16, (7, 5))


@pytest.mark.parametrize(
    ("variant", "capability"),
    [
        (Variant.BF16, (8, 0)),
        (Variant.BF16, (9, 0)),
        (Variant.FP16, (7, 5)),
        (Variant.FLOAT32, (3, 5)),
        (Variant.BF16, None),
    ],
)
def test_a_gpu_that_has_it_or_does_not_tell_is_let_through(
    variant: Variant, capability: tuple[int, int] | None
) -> None:
    check_gpu_has(variant, capability)
