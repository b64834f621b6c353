import math

import pytest

from mninfer.errors import MnError
from mnmodels.keras_file.expression import FUNCTIONS, Affine, parse_expression

pytestmark = pytest.mark.smoke
PYTHON = {
    "+": lambda a, b: a + b, "-": lambda a, b: a - b, "*": lambda a, b: a * b, "/": lambda a, b: a / b,
    "**": lambda a, b: a**b, "abs": abs, "min": min, "max": max, "sqrt": math.sqrt, "relu": lambda a: max(a, 0.0),
}  # fmt: skip


def value(text: str, **inputs: float) -> float:
    return parse_expression(text).apply(inputs, PYTHON)


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("x/127.5-1", 3 / 127.5 - 1), ("x - 1 - 1", 1.0), ("x-(1-1)", 3.0), ("2*x+1", 7.0), ("1/x/x", 1 / 9), ("-x",
        -3.0),
        ("--x", 3.0), ("-x**2", -9.0), ("x**-1", 1 / 3), ("2**x**1", 8.0), (".5*x", 1.5), ("1e-1*x", 0.3), ("5.*x",
        15.0),
        ("abs(1-x)", 2.0), ("min(x, 1)", 1.0), ("max(x,1)+min(1,2)", 4.0), ("((x))", 3.0), ("x*y", 12.0),
        ("relu(-x)", 0.0),
    ],
)  # fmt: skip
def test_arithmetic_is_pythons(text, wanted):
    assert value(text, x=3.0, y=4.0) == pytest.approx(wanted)


@pytest.mark.parametrize(
    ("text", "scale", "offset"),
    [("x/127.5-1", 1 / 127.5, -1), ("(x-127.5)/127.5", 1 / 127.5, -1), ("x", 1, 0), ("-x", -1, 0), ("2*(x+3)*2**2",
    8, 24),
     ("1-x/255", -1 / 255, 1), ("x+x", 2, 0)],
)  # fmt: skip
def test_scale_and_offset_are_found(text, scale, offset):
    found = parse_expression(text).affine
    assert found is not None
    assert (found.scale, found.offset) == pytest.approx((scale, offset))


@pytest.mark.parametrize("text", ["x*x", "abs(x)", "1/x", "x**2", "2**x", "x/0", "x*y", "x+1e308*1e308"])
def test_what_is_no_scale_and_offset(text):
    assert parse_expression(text).affine is None


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "it ends too early"), ("x/", "ends too early"), ("x 1", '"1" is one too much'), ("(x", '"\\)" is missing'),
        ("x)", '"\\)" is one too much'), ("__import__('os')", '"\'" is nothing'), ("sqr(x)", 'did you mean "sqrt"'),
        ("x.real", '"\\." is nothing that is known'), ("min(x)", "min takes 2 values, not 1"), ("1+2", "has no x"),
        ("abs x", '"\\(" is missing after "abs"'), ("x" * 1001, "1001 characters"), ("(" * 60 + "x" + ")" * 60,
        "nested more than"),
        ("2**" * 60 + "x", "nested more than"), ("lambda x: x", '":" is nothing'),
    ],
)  # fmt: skip
def test_what_cannot_be_read_is_told(text, message):
    with pytest.raises(MnError, match=message):
        parse_expression(text)


def test_every_function_parses():
    for name, count in FUNCTIONS.items():
        assert parse_expression(f"{name}({','.join('x' * count)})").inputs == {"x"}


def test_a_long_sum_is_no_deep_one():
    assert parse_expression("+".join("x" * 400)).affine == Affine(400.0, 0.0)
