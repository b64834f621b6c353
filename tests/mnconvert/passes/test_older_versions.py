"""Files for older runtimes: Dense per tensor where that is what is missing, an error that names the rest."""

import numpy as np
import pytest

from mnconvert.passes.older_versions import older_versions, release_number
from mninfer.engines import open_engine
from mninfer.errors import VariantError
from mninfer.model_file import check_model, oldest_runtime
from support.builder import GraphBuilder, quantization

pytestmark = pytest.mark.smoke

IN, OUT = 64, 8
WEIGHTS = (np.random.default_rng(0).normal(size=(OUT, IN)) * np.linspace(0.5, 1.5, OUT)[:, None]).astype(np.float32)


def dense(
    dtype: str = "float32", *, version: int = 1, is_per_channel: bool = False, is_asymmetric: bool = True
) -> bytes:
    """One FULLY_CONNECTED: ``float32``, ``dynamic`` (int8 weights on float activations) or ``int8``."""
    b = GraphBuilder()
    activation = "int8" if dtype == "int8" else "float32"
    quant = quantization(0.05) if dtype == "int8" else None
    x, y = b.activation("x", (1, IN), activation, quant), b.activation("dense/MatMul;more", (1, OUT), activation, quant)
    if dtype == "float32":
        weights = b.constant("w", WEIGHTS)
    else:
        scales = np.abs(WEIGHTS).max(1 if is_per_channel else None) / 127
        steps = np.round(WEIGHTS / (scales[:, None] if is_per_channel else scales)).astype(np.int8)
        weights = b.constant("w", steps, quantization(scales))
    options = {"asymmetric_quantize_inputs": is_asymmetric and dtype == "dynamic"}
    b.operator("FULLY_CONNECTED", [x, weights, -1], [y], "FullyConnectedOptions", options, version=version)
    return b.build([x], [y])


def dynamic() -> bytes:
    return dense("dynamic", version=12, is_per_channel=True)


def the_dense(data: bytes):
    graph = check_model(data)
    (operator,) = graph.operators
    return operator, graph.tensors[operator.inputs[1]]


def test_dense_gets_one_scale_and_the_version_of_that():
    operator, weights = the_dense(older_versions(dynamic(), "2.14", dense()))
    assert operator.version == 9
    assert weights.quantization is not None
    assert len(weights.quantization.scales) == 1
    restored = np.frombuffer(weights.data, np.int8).reshape(OUT, IN) * weights.quantization.scales[0]
    assert (
        np.abs(restored - WEIGHTS).max() <= weights.quantization.scales[0] * 0.501
    )  # rounded once, from the float file


def test_it_computes_what_the_float_file_does():
    x = np.random.default_rng(1).normal(size=(1, IN)).astype(np.float32)
    wanted, found = (open_engine(data).run([x])[0] for data in (dense(), older_versions(dynamic(), "2.14", dense())))
    assert np.abs(found - wanted).max() < 0.03 * np.abs(wanted).max()


def test_symmetric_inputs_have_the_version_before():
    data = older_versions(dense("dynamic", version=12, is_per_channel=True, is_asymmetric=False), "2.14", dense())
    assert the_dense(data)[0].version == 3
    assert oldest_runtime(check_model(data)) == "1.14.0"


@pytest.mark.parametrize("data", [dense(), dense("dynamic", version=9), dense("int8", version=4)], ids=["f", "d", "i"])
def test_what_the_runtime_has_is_left_alone(data):
    assert older_versions(data, "2.14", dense()) == data


def test_a_runtime_that_has_the_version_gets_it():
    assert older_versions(dynamic(), "2.17", dense()) == dynamic()


def test_twice_is_once():
    once = older_versions(dynamic(), "2.14", dense())
    assert older_versions(once, "2.14", dense()) == once


def test_operators_of_later_releases_are_named():
    with pytest.raises(VariantError) as caught:
        older_versions(dynamic(), "2.2", dense())
    wanted = "TensorFlow Lite 2.2 can't run the file: FULLY_CONNECTED version 9 needs 2.3.0, at 'dense/MatMul'"
    assert wanted in str(caught.value)
    assert len(caught.value.offenders) == 1
    assert caught.value.hints == ("--target-runtime 2.3.0", "another --quantize")


def test_int8_dense_with_many_scales_is_no_matter_of_its_version():
    """Old kernels load version 4 and read the first of the scales."""
    data = dense("int8", version=4, is_per_channel=True)
    assert older_versions(data, "2.14", dense()) == data
    with pytest.raises(VariantError, match=r"with a scale for each channel needs 2\.14\.0") as caught:
        older_versions(data, "2.11", dense())
    assert caught.value.hints[0] == "--per-tensor"


def test_releases_compare_as_numbers():
    assert release_number("2.14") == release_number("2.14.0")
    assert release_number("2.9") < release_number("2.14")
