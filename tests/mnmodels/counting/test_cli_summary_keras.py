"""``mnmodels summary`` of networks of the registry and of Keras files."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

keras = pytest.importorskip("keras", reason="needs Keras: make test")
# ruff: noqa: E402 - what imports Keras comes after

from mnmodels import build_model
from mnmodels.keras_file import save_keras
from support.commands import Outcome

Cli = Callable[..., Outcome]
# Keras 3.15 on TensorFlow reads its variables as numpy 2 no longer likes it: theirs to mend.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept a copy:DeprecationWarning")
SMALL = ("--alpha", "0.25", "--form", "cifar_small", "--option", "classes=10")


def test_a_network_of_the_registry_is_counted_as_its_options_say(cli: Cli) -> None:
    outcome = cli("summary", "mobilenet_v1", *SMALL)
    assert outcome.code == 0
    assert "mobilenet_v1 alpha=0.25 form=cifar_small classes=10  (input 32 x 32 x 3, 89 layers)" in outcome.out
    assert "9.182 M  (9,181,696), FLOPs 18.36 M" in outcome.out
    assert "trainable 215.6 k  (215,642), not trained 5,472" in outcome.out


def test_a_file_and_the_network_that_it_holds_count_alike(cli: Cli, tmp_path: Path) -> None:
    path = tmp_path / "small.keras"
    save_keras(build_model("mobilenet_v1", alpha=0.25, form="cifar_small", classes=10), path)
    of_file = json.loads(cli("summary", path, "--json").out)
    of_name = json.loads(cli("summary", "mobilenet_v1", *SMALL, "--json").out)
    assert of_file.pop("model") == str(path)
    assert of_name.pop("model").startswith("mobilenet_v1")
    assert of_file == of_name


def test_a_layer_without_a_rule_is_warned_of(cli: Cli, tmp_path: Path) -> None:
    path = tmp_path / "own.keras"
    inputs = keras.Input((5,))
    einsum = keras.layers.EinsumDense("ab,bc->ac", output_shape=3, name="own")
    save_keras(keras.Model(inputs, einsum(inputs)), path)
    outcome = cli("summary", path)
    assert outcome.code == 0
    assert 'warning: no rule counts the multiply-adds of "own" (EinsumDense): the sum is without them' in outcome.err
    assert "not counted     own (EinsumDense)" in outcome.out
    assert "multiply-adds   at least " in outcome.out


def test_a_wrong_option_is_told_with_a_near_one(cli: Cli) -> None:
    outcome = cli("summary", "mobilenet_v1", "--option", "clases=10")
    assert outcome.code == 2
    assert "classes" in outcome.err


def test_a_size_that_a_network_does_not_have_is_refused(cli: Cli) -> None:
    outcome = cli("summary", "mobilenet_v1", *SMALL, "--input-size", "64x64")
    assert outcome.code == 1
    assert "32 x 32 pixels, not 64 x 64" in outcome.err
