"""As many dimensions as the check admits are as many as the kernels take: beyond, some engines end the process."""

import subprocess
import sys
from contextlib import nullcontext
from itertools import product
from pathlib import Path

import numpy as np
import pytest

from mninfer.errors import ModelFileError
from mninfer.model_file.check import check_model
from mninfer.model_file.operators import load_operators
from support.builder import GraphBuilder, quantization

OPERATORS = ("ADD", "DIV", "MAXIMUM", "MINIMUM", "MUL", "SQUARED_DIFFERENCE", "SUB")
INTEGERS = ("int8", "uint8", "int16")
# Without delegates, whose kernels take more than the engine's own.
RUN = """
import sys
import numpy as np
try:
    from ai_edge_litert.interpreter import Interpreter, OpResolverType
except ImportError:
    from tflite_runtime.interpreter import Interpreter, OpResolverType
for path in sys.argv[1:]:
    print(path, end=" ", flush=True)
    try:
        kernels = OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES
        interpreter = Interpreter(model_path=path, experimental_op_resolver_type=kernels)
        interpreter.allocate_tensors()
        for each in interpreter.get_input_details():
            interpreter.set_tensor(each["index"], np.ones(each["shape"], each["dtype"]))
        interpreter.invoke()
        print("ran", flush=True)
    except (RuntimeError, ValueError):
        print("refused", flush=True)
"""


def broadcasting(name: str, dtype: str = "float32", more: int = 0) -> bytes:
    """A constant repeated along an inner dimension, in as many dimensions as are admitted, or ``more``."""
    facts = load_operators()[0][name]
    b = GraphBuilder()
    quant = quantization(0.5, 0) if dtype in INTEGERS else None
    most = facts.float_rank if dtype == "float32" else facts.rank
    whole = (2, 3) + (2,) * (most - 2 + more)
    x = b.activation("x", whole, dtype, quant)
    y = b.constant("y", np.ones((2, 1, *whole[2:]), dtype), quant)
    z = b.activation("z", whole, dtype, quant)
    # ADD's older way with int16, which repeats no operand, is the schema's default.
    b.operator(name, [x, y], [z], facts.options, {"pot_scale_int16": False} if name == "ADD" else {})
    return b.build([x], [z])


def test_no_kernel_ends_the_process_over_dimensions_that_pass_the_check(tmp_path: Path) -> None:
    paths = []
    for name, dtype in product(OPERATORS, ("float32", "int32", *INTEGERS)):
        if dtype not in load_operators()[0][name].kinds:
            continue
        paths.append(tmp_path / f"{name}_{dtype}.tflite")
        paths[-1].write_bytes(broadcasting(name, dtype))
        check_model(paths[-1].read_bytes())
    done = subprocess.run([sys.executable, "-c", RUN, *paths], capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, f"ended after: {done.stdout.splitlines()[-1:]}, {done.stderr[-500:]}"
    assert done.stdout.count("ran") >= len(OPERATORS), "floats at least"


@pytest.mark.smoke
@pytest.mark.parametrize(("scale", "is_refused"), [(0.5, True), (0.3, False)])
def test_shifted_int16_that_an_operand_is_repeated_for_is_refused(scale: float, is_refused: bool) -> None:
    b = GraphBuilder()
    quant = quantization(scale, 0)
    x, z = (b.activation(name, (2, 3, 2), "int16", quant) for name in "xz")
    b.operator("ADD", [x, b.constant("y", np.ones((2, 1, 2), np.int16), quant)], [z], "AddOptions")
    with pytest.raises(ModelFileError, match="powers of two") if is_refused else nullcontext():
        check_model(b.build([x], [z]))


@pytest.mark.smoke
@pytest.mark.parametrize("name", OPERATORS)
def test_one_dimension_more_is_refused(name: str) -> None:
    assert check_model(broadcasting(name)).operators
    with pytest.raises(ModelFileError, match="dimensions, more than the"):
        check_model(broadcasting(name, more=1))
