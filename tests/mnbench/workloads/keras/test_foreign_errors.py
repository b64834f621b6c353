"""What a framework raises while it compiles or runs is a known error with its own word in it."""

from importlib import import_module
from typing import Any

import pytest

from mninfer.errors import EngineError


def no_memory(backend: str) -> Exception:
    if backend == "tensorflow":
        error: Exception = import_module("tensorflow").errors.ResourceExhaustedError(None, None, "no memory\nat all")
    else:
        error = import_module("jax").errors.JaxRuntimeError("RESOURCE_EXHAUSTED: no memory\nat all")
    return error


@pytest.mark.parametrize(("backend", "title"), [("tensorflow", "TensorFlow"), ("jax", "JAX")])
def test_memory_that_is_short_is_the_engine_s_word(backend: str, title: str) -> None:
    pytest.importorskip(backend, reason=f"needs {backend}: make test")
    module = import_module(f"mnbench.workloads.keras.on_{backend}")

    def call() -> Any:
        raise no_memory(backend)

    with pytest.raises(EngineError, match=f"^{title}: .*no memory$") as caught:
        module._named_errors(call)()
    assert caught.value.__cause__ is not None
