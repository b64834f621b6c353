"""What XLA computes in is read from its program."""

import pytest

from mnbench.cell import Variant
from mnbench.workloads.keras.compiled_types import computed_types, precision_in_effect
from mnbench.workloads.keras.precision import precision_of

pytestmark = pytest.mark.smoke

_WIDENED = """
  %convert.1 = f32[1,32,32,3]{3,2,1,0} convert(%arg)
  %convolution.2 = f32[1,32,32,8]{3,2,1,0} convolution(%convert.1, %kernel), window={size=3x3}
  ROOT %dot.3 = f32[1,10]{1,0} dot(%convolution.2, %weights)
"""
_NARROW = _WIDENED.replace("= f32[1,32,32,8]", "= bf16[1,32,32,8]")


def test_types_of_products_alone_are_told() -> None:
    assert computed_types(_WIDENED) == ("f32",)
    assert computed_types(_NARROW) == ("bf16", "f32")
    assert computed_types("%a = bf16[2]{0} add(%b, %c)") == ()


@pytest.mark.parametrize(
    ("variant", "program", "text", "is_emulated"),
    [
        (Variant.FLOAT32, _WIDENED, "float32", False),
        (Variant.BF16, _WIDENED, "bfloat16 in memory, computed in f32", True),
        (Variant.BF16, _NARROW, "bfloat16", False),
        (Variant.BF16, "", "bfloat16, asked for", None),  # a GPU's: its products are calls
        (Variant.FLOAT32, "", "float32", False),
    ],
)
def test_a_widened_type_is_named(variant: Variant, program: str, text: str, is_emulated: bool | None) -> None:
    expected = {"precision": text, "is_emulated": is_emulated}
    assert precision_in_effect(precision_of(variant), program) == expected
