import json
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("keras", reason="needs Keras: make test")

from mnmodels.keras_file import read_source_contract
from support.network import float_model
from support.slim_networks import NAMINGS, folded_v1, random_v1

Cli = Callable[..., Any]
NETWORK = ("--arch", "mobilenet_v1", "--alpha", "0.25", "--option", "input_shape=32,32,3")


@pytest.fixture
def weights(tmp_path: Path) -> Path:
    path = tmp_path / "mobilenet_v1.pkl"
    path.write_bytes(pickle.dumps(random_v1(NAMINGS["slim"]), 2))
    return path


def test_a_file_with_labels_and_preprocessing_is_written(cli: Cli, weights: Path) -> None:
    labels, out = weights.with_name("labels.txt"), weights.with_name("out.h5")
    labels.write_text("".join(f"class {i}\n" for i in range(11)))
    arguments = ("import", weights, *NETWORK, "-o", out, "--labels", labels, "--preprocess", "torch")
    outcome = cli(*arguments, "--json")
    assert outcome.code == 0, outcome.err
    facts = json.loads(outcome.out)
    assert (facts["source"], facts["output_shape"], facts["num_labels"]) == ("mobilenet_v1.pkl", [11], 11)
    assert facts["names"] == "TF-slim's MobilenetV1"
    contract = read_source_contract(out)
    assert contract is not None
    assert contract.labels == tuple(f"class {i}" for i in range(11))
    assert contract.preprocess is not None
    assert contract.preprocess.to_json() == facts["preprocess"]
    again = cli(*arguments)
    assert again.code == 1
    assert "--force" in again.err


def test_what_does_not_fit_is_listed_and_nothing_is_written(cli: Cli, weights: Path) -> None:
    out = weights.with_name("out.keras")
    outcome = cli("import", weights, *NETWORK, "--option", "classes=10", "-o", out)
    assert outcome.code == 1
    assert "shape: conv_preds/kernel is 1×1×256×10, not 1×1×256×11" in outcome.err
    assert "--drop-background" in outcome.err
    assert not out.exists()


def test_another_network_than_the_flatbuffers_ends_in_3(cli: Cli, tmp_path: Path) -> None:
    model, out = tmp_path / "v1.tflite", tmp_path / "out.keras"
    model.write_bytes(float_model(folded_v1(random_v1(NAMINGS["slim"]), NAMINGS["slim"]), (32, 32)))
    outcome = cli("import", model, "--arch", "mobilenet_v1", "--alpha", "0.25", "--form", "cifar_small", "-o", out)
    assert outcome.code == 3
    assert "outputs differ from the file's own" in outcome.err
    assert not out.exists()


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("weights.pkl", "-o", "out.keras"), "--arch NAME"),
        (("weights.pkl", "--arch", "mobilenet_v1"), "--output"),
        (("weights.pkl", "--arch", "mobilnet_v1", "-o", "out.keras"), 'Did you mean "mobilenet_v1"?'),
        (("weights.pkl", "--arch", "mobilenet_v1", "--preprocess", "imagenet", "-o", "out.keras"), "imagenet"),
    ],
)
def test_usage_is_told(cli: Cli, arguments: tuple[str, ...], says: str) -> None:
    outcome = cli("import", *arguments)
    assert outcome.code == 2
    assert says in outcome.err


def test_a_file_that_is_none_is_an_error_of_one(cli: Cli, tmp_path: Path) -> None:
    outcome = cli("import", tmp_path / "gone.pkl", *NETWORK, "-o", tmp_path / "out.keras")
    assert outcome.code == 1
    assert "the file of weights is not there" in outcome.err
    outcome = cli("import", tmp_path / "gone.pkl", *NETWORK, "-o", tmp_path / "out.txt")
    assert outcome.code == 1
