"""What a framework's facts say where nothing is looked into, and whose word they take."""

from types import SimpleNamespace
from typing import Any

import pytest

from mnbench.cell import Cell, Device, Variant, Work
from mnbench.workloads.keras.precision import precision_of


def test_whether_onednn_is_on_is_tensorflow_s_word(monkeypatch: pytest.MonkeyPatch) -> None:
    """On ARM, and on older CPUs, it is off unless the variable says otherwise; on x86 with VNNI it is on."""
    pytest.importorskip("tensorflow", reason="needs TensorFlow: make test")
    from tensorflow.python.util import _pywrap_util_port

    from mnbench.workloads.keras import on_tensorflow

    monkeypatch.delenv("TF_ENABLE_ONEDNN_OPTS", raising=False)
    for is_on in (False, True):
        monkeypatch.setattr(_pywrap_util_port, "IsMklEnabled", lambda is_on=is_on: is_on)
        assert on_tensorflow._has_onednn() is is_on
    monkeypatch.delattr(_pywrap_util_port, "IsMklEnabled")
    assert on_tensorflow._has_onednn() is None


@pytest.mark.parametrize(
    ("variant", "precision", "is_emulated"),
    [
        (Variant.FLOAT32, "float32, TF32 in convolutions (JAX's default)", False),
        (Variant.BF16, "bfloat16, asked for", None),
    ],
)
def test_a_gpu_s_products_are_calls_that_tell_nothing(
    variant: Variant, precision: str, is_emulated: bool | None
) -> None:
    pytest.importorskip("jax", reason="needs JAX: make test")
    from mnbench.workloads.keras import on_jax

    cell = Cell(work=Work.FORWARD, model="m", engine="keras-jax", variant=variant, device=Device.GPU)
    network: Any = SimpleNamespace(precision=precision_of(variant))
    device = SimpleNamespace(device_kind="a GPU", compute_capability="9.0")
    facts = on_jax._facts(network, cell, "", device)
    assert (facts["precision"], facts["is_emulated"], facts["gpu"]) == (precision, is_emulated, "a GPU")
