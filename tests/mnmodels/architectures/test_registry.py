"""What holds for every network by name: it builds, trains, saves and loads on both backends; wrong options are told."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("keras", reason="needs Keras: make test")

from mninfer.errors import MnError
from mnmodels.architectures.registry import ARCHITECTURES, architecture, build_model
from mnmodels.keras_file import load_keras, save_keras
from support.commands import environment_for
from support.foreign_warnings import KERAS_READS_VARIABLES
from support.two_steps import SMALLEST, two_steps

pytestmark = KERAS_READS_VARIABLES

TESTS = Path(__file__).resolve().parents[2]


def check(result: dict[str, Any]) -> None:
    first, second, third = result["losses"]
    assert third < second < first
    assert result["weights_are_equal"]
    assert result["is_the_same_network"]


def test_a_width_that_leaves_no_filter_is_told() -> None:
    with pytest.raises(MnError, match=r'MobileNet can.t have alpha "0\.02"') as caught:
        build_model("mobilenet_v1", alpha=0.02)
    assert caught.value.hints == ("alpha: at least 0.03125",)
    assert build_model("mobilenet_v1", alpha=0.03125, form="cifar_small").get_layer("conv1").filters == 1


def test_every_network_is_tried() -> None:
    assert list(SMALLEST) == list(ARCHITECTURES)


@pytest.mark.slow
@pytest.mark.parametrize("name", ARCHITECTURES)
def test_it_trains_saves_and_loads(name: str, tmp_path: Path) -> None:
    check(two_steps(name, tmp_path))


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_it_travels_as_hdf5(name: str, tmp_path: Path) -> None:
    model = build_model(name, **SMALLEST[name], form="cifar_small", classes=4)
    save_keras(model, tmp_path / "net.h5")
    loaded = load_keras(tmp_path / "net.h5").model
    assert [layer.name for layer in loaded.layers] == [layer.name for layer in model.layers]
    for one, other in zip(model.get_weights(), loaded.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.slow
def test_all_train_save_and_load_on_jax(tmp_path: Path) -> None:
    pytest.importorskip("jax", reason="needs JAX: make test")
    environment = environment_for(KERAS_BACKEND="jax", XLA_FLAGS="--xla_backend_optimization_level=0")
    environment["PYTHONPATH"] += f":{TESTS}"
    done = subprocess.run(
        [sys.executable, "-m", "support.two_steps", tmp_path],
        env=environment,
        capture_output=True,
        text=True,
        timeout=570,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    results = json.loads(done.stdout.splitlines()[-1])
    assert list(results) == list(ARCHITECTURES)
    for result in results.values():
        check(result)


def test_options_are_those_of_the_builder() -> None:
    options = architecture("mobilenet_v2_lgc").options()
    assert options["groups"] == options["condense_factor"] == 4
    assert "weights" not in options
    assert "name" not in options  # it is the network's
    assert architecture("mobilenet_v1").options()["weights"] is None


@pytest.mark.parametrize(
    ("name", "options", "said"),
    [
        ("mobilenet_v1", {"expansion_factor": 6}, 'mobilenet_v1 has no option "expansion_factor"'),
        ("mobilenet_v1", {"alfa": 0.5}, "alpha"),
        ("mobilenet_v2", {"groups": 4}, 'mobilenet_v2 has no option "groups"'),
        ("mobilenet_v1", {"alpha": 0}, "alpha: a number above 0"),
        ("mobilenet_v1", {"input_shape": (31, 224, 3)}, "at least 32 x 32"),
        ("mobilenet_v2", {"form": "cifar", "input_shape": (2, 2, 3)}, "at least 4 x 4"),
        ("mobilenet_v1", {"pooling": "avg"}, "include_top=False"),
        ("mobilenet_v2_gc", {"groups": 7, "form": "cifar"}, 'groups "7" doesn\'t divide'),
        ("mobilenet_v2_gc", {"expansion": "learned"}, "mobilenet_v2_lgc learns"),
        ("mobilenet_v2_lgc", {"condense_factor": 5, "form": "cifar"}, 'condense_factor "5" doesn\'t divide'),
        ("mobilenet_v1", {"weights": "imagenet", "form": "cifar"}, "no ImageNet weights for this structure"),
        ("mobilenet_v2", {"weights": "imagenet", "classes": 10}, "no ImageNet weights for this structure"),
        ("mobilenet_v3_small", {"weights": "/nowhere/x.h5", "form": "cifar_small"}, "x.h5"),
    ],
)
def test_what_cannot_be_built_is_told(name: str, options: dict[str, Any], said: str) -> None:
    with pytest.raises(MnError) as error:
        build_model(name, **options)
    assert said in str(error.value)


def test_without_the_top_there_are_features() -> None:
    options: dict[str, Any] = {"alpha": 0.25, "include_top": False}
    assert build_model("mobilenet_v1", **options, form="cifar_small").output_shape == (None, 4, 4, 256)
    assert build_model("mobilenet_v1", **options, pooling="avg", input_shape=[64, 32, 3]).output_shape == (None, 256)
    assert build_model("mobilenet_v3_small", alpha=0.25, include_top=False, pooling="max").output_shape == (None, 144)
