"""Passes compute what plain ones compute, and each framework what the others do, from the same weights."""

import json
import subprocess
import sys
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from support.commands import environment_for

pytest.importorskip("keras", reason="needs Keras: make test")

# Of each gradient's norm; 2e-5 at the most was seen. At mere random weights, where a net turns rounding into per cent,
# it would be 3e-2, whoever computes.
_GRADIENTS_AGREE = 3e-4


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("passes")


def child(backend: str, folder: Path, *options: str) -> dict[str, Any]:
    """What support.keras_passes found; XLA need not optimize for that."""
    pytest.importorskip(backend, reason=f"needs {backend}: make test")
    environment = environment_for(
        KERAS_BACKEND=backend,
        XLA_FLAGS="--xla_backend_optimization_level=0",
        CUDA_VISIBLE_DEVICES="-1",
        JAX_PLATFORMS="cpu",
    )
    environment["PYTHONPATH"] += f":{Path(__file__).parents[3]}"
    done = subprocess.run(
        [sys.executable, "-m", "support.keras_passes", str(folder), *options],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


@pytest.fixture(scope="module")
def on_tensorflow(folder: Path) -> Mapping[str, Any]:
    return child("tensorflow", folder)


@pytest.fixture(scope="module")
def on_jax(folder: Path) -> Mapping[str, Any]:
    return child("jax", folder, "--without-tensorflow")


@pytest.fixture(scope="module")
def on_torch(folder: Path) -> Mapping[str, Any]:
    return child("torch", folder)


each_backend = pytest.mark.parametrize("backend", ["tensorflow", "jax", "torch"])


@pytest.fixture
def found(request: pytest.FixtureRequest, backend: str) -> Mapping[str, Any]:
    passes: Mapping[str, Any] = request.getfixturevalue(f"on_{backend}")
    return passes


@each_backend
def test_forward_is_the_model_s_inference(found: Mapping[str, Any]) -> None:
    assert found["forward"] < 1e-6


@each_backend
def test_gradients_are_those_of_a_plain_differentiation(found: Mapping[str, Any]) -> None:
    assert found["loss"] < 1e-6
    assert found["gradients"] < 1e-3


@each_backend
def test_there_is_a_gradient_for_every_weight_and_none_is_left_out(found: Mapping[str, Any]) -> None:
    assert found["num_gradients"] == found["num_weights"] == 83
    assert found["smallest_norm"] > 1e-3


@each_backend
def test_outputs_tell_the_loss_and_every_norm(found: Mapping[str, Any]) -> None:
    assert found["told_loss"] < 1e-6
    assert found["told_norms"] < 1e-6


@each_backend
def test_other_forms_compute_the_same_scores(found: Mapping[str, Any], backend: str) -> None:
    assert set(found["others"]) == ({"fused", "xla"} if backend == "tensorflow" else {"fused"})
    assert max(found["others"].values()) < 1e-5


@each_backend
def test_narrow_floats_are_narrow_and_near(found: Mapping[str, Any]) -> None:
    narrow = found["narrow"]
    assert 1e-3 < narrow["distance"] < 0.25  # 0.12 was seen: bfloat16 has 8 bits, and there are 27 layers
    assert narrow["dtype"] == "float32"
    smallest, greatest = narrow["fp16_norms"]
    assert smallest == pytest.approx(found["smallest_norm"], rel=0.05)
    assert np.isfinite(greatest)
    assert narrow["fp16_loss"] == pytest.approx(found["true_loss"], rel=0.05)


def test_xla_s_widening_on_a_cpu_is_told(on_jax: Mapping[str, Any], on_tensorflow: Mapping[str, Any]) -> None:
    assert on_jax["narrow"]["facts"]["precision"] == "bfloat16 in memory, computed in f32"
    assert on_jax["narrow"]["facts"]["is_emulated"] is True
    assert on_jax["facts"]["precision"] == on_tensorflow["facts"]["precision"] == "float32"
    assert on_tensorflow["narrow"]["facts"]["precision"] == "bfloat16, asked for", "its graph is not looked into"


@each_backend
def test_facts_say_what_is_in_effect(found: Mapping[str, Any], backend: str) -> None:
    facts = found["facts"]
    assert facts["version"] == version(backend)
    assert facts["keras_version"] == version("keras")
    assert facts["batch_norm"].startswith("composed" if backend != "torch" else "Keras' own")


def test_jax_needs_no_tensorflow(on_jax: Mapping[str, Any]) -> None:
    assert on_jax["modules"] == []


@pytest.mark.parametrize("backend", ["jax", "torch"])
def test_frameworks_agree_on_the_same_weights(
    on_tensorflow: Mapping[str, Any], found: Mapping[str, Any], folder: Path, backend: str
) -> None:
    assert on_tensorflow["num_weights"] == found["num_weights"]
    with np.load(folder / "tensorflow.npz") as ours, np.load(folder / f"{backend}.npz") as theirs:
        names = [name for name in ours if name.startswith("gradient_")]
        distances = [np.linalg.norm(ours[name] - theirs[name]) / np.linalg.norm(ours[name]) for name in names]
        assert float(ours["loss"]) == pytest.approx(float(theirs["loss"]), rel=1e-5)
        assert np.allclose(ours["scores"], theirs["scores"], rtol=1e-4, atol=1e-7)
    assert max(distances) < _GRADIENTS_AGREE
