"""A network of the registry and a Keras file, prepared: one set of weights, files that agree, made only once."""

import io
import json
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("keras", reason="needs Keras: make test")
pytest.importorskip("tensorflow", reason="needs TensorFlow: make test")

from mnbench.agreement import agreement
from mnbench.cell import Cell, Variant, Work
from mnbench.cli.main import main
from mnbench.job import Budget, Job
from mnbench.preparing import Bundle, prepare, read_bundle
from mnbench.preparing.bundle import KERAS
from mnbench.preparing.making import make_bundle
from mnbench.preparing.network import build_network
from mnbench.preparing.request import read_request
from mnbench.preparing.wanted import wanted_of
from mnbench.workloads.flatbuffer import open_workload
from mninfer.errors import MnError
from mnmodels.backend import start_keras
from mnmodels.keras_file import load_keras

NETWORK = "mobilenet_v1_0.25_32"
FORMS = (Variant.FLOAT32, Variant.UNFUSED, Variant.INT8)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("bundles")


@pytest.fixture(scope="module")
def bundle(home: Path) -> Bundle:
    """Made in this process, which has Keras already."""
    return make_bundle(read_request(NETWORK), wanted_of(FORMS, [1]), home, lambda _: None)


def arrays(path: Path) -> list[np.ndarray]:
    archive = np.load(io.BytesIO(path.read_bytes()), allow_pickle=False)
    return [archive[name] for name in archive.files]


def test_everything_that_is_measured_is_there(bundle: Bundle) -> None:
    assert read_bundle(bundle.folder) == bundle
    assert set(bundle.stored) == {KERAS, "float32", "unfused", "int8"}
    assert bundle.variants == set(FORMS)
    assert bundle.is_trainable
    assert not bundle.missing
    assert bundle.model.weights == "random, seed 0"
    assert bundle.model.title == "MobileNet V1 0.25/32"
    assert np.load(bundle.input_for(1)).shape == (1, 32, 32, 3)


@pytest.mark.parametrize("variant", FORMS)
def test_the_flatbuffers_answer_as_the_keras_model_does(bundle: Bundle, variant: Variant) -> None:
    cell = Cell(work=Work.FORWARD, model=NETWORK, engine="litert", variant=variant)
    job = Job(
        cell=cell,
        budget=Budget(seconds=0.01, warm_up_seconds=0.0),
        file=bundle.file_for(cell),
        input=bundle.input_for(1),
    )
    workload = open_workload(job)
    workload.run()
    found = agreement(workload.outputs(), arrays(bundle.reference_for(cell)), cell)
    assert found.is_held, found.text
    assert not bundle.model.files[variant]["verification"]["failures"]


def test_the_file_has_the_weights_that_the_network_names(bundle: Bundle) -> None:
    """So a training framework that builds the network itself has the same ones."""
    start_keras("tensorflow")
    model = build_network(bundle.network)
    (outputs,) = arrays(bundle.reference_for(Cell(work=Work.FORWARD, model=NETWORK, engine="keras-jax")))
    assert np.allclose(np.asarray(model(np.load(bundle.input_for(1)), training=False)), outputs, atol=1e-5)


def test_the_weights_are_those_of_a_net_that_looks_at_its_picture(bundle: Bundle) -> None:
    """Answers differ between pictures, none is certain, none is nothing; and BatchNorm's statistics are of pictures."""
    model = build_network(bundle.network)
    pictures = np.random.default_rng(3).uniform(-1, 1, (16, 1, 1, 3)).repeat(32, 1).repeat(32, 2).astype("float32")
    scores = np.asarray(model(pictures, training=False))
    assert len(set(scores.argmax(1))) > 2
    assert 0.02 < np.median(scores.max(1)) < 0.98
    variances = [layer.moving_variance for layer in model.layers if hasattr(layer, "moving_variance")]
    assert all(not np.allclose(np.asarray(variance), 1.0) for variance in variances)


def test_another_seed_gives_other_weights(bundle: Bundle) -> None:
    first, second = (build_network({**bundle.network, "seed": seed}) for seed in (0, 1))
    pairs = list(zip(first.weights, second.weights, strict=True))
    assert any(not np.allclose(np.asarray(a), np.asarray(b)) for a, b in pairs)


def test_what_is_there_is_not_made_again(bundle: Bundle, home: Path) -> None:
    stamps = {path: path.stat().st_mtime_ns for path in bundle.folder.iterdir()}
    steps: list[str] = []
    (again,) = prepare([NETWORK], variants=FORMS, folder=home, watcher=steps.append)
    assert again == bundle
    assert not steps
    assert {path: path.stat().st_mtime_ns for path in bundle.folder.iterdir()} == stamps


def test_what_lacks_is_added_to_the_same_weights(home: Path, bundle: Bundle) -> None:
    wanted = wanted_of([Variant.FP16], [2], [(Variant.FP16, 1)])
    more = make_bundle(read_request(NETWORK), wanted, home, lambda _: None)
    assert set(more.stored) == {*bundle.stored, "fp16"}
    assert more.stored[KERAS] == bundle.stored[KERAS]
    assert set(more.inputs) == {1, 2}
    first = Cell(work=Work.FORWARD, model=NETWORK, engine="litert")
    both = Cell(work=Work.FORWARD, model=NETWORK, engine="litert", batch=2)
    (one,), (two,) = (arrays(more.reference_for(cell)) for cell in (first, both))
    assert np.allclose(two[:1], one, atol=1e-5)


def test_a_keras_file_keeps_its_weights_and_its_name(tmp_path: Path, bundle: Bundle) -> None:
    path = tmp_path / "kitchen.keras"
    path.write_bytes(bundle.files[KERAS].read_bytes())
    made = make_bundle(read_request(str(path)), wanted_of([Variant.FLOAT32], [1]), tmp_path / "b", lambda _: None)
    assert made.model.name == "kitchen"
    assert made.model.weights == "kitchen.keras"
    assert made.network == {}
    assert made.files[KERAS].read_bytes() == path.read_bytes()
    cell = Cell(work=Work.FORWARD, model="kitchen", engine="litert")
    (own,), (original,) = (arrays(each.reference_for(cell)) for each in (made, bundle))
    assert np.allclose(own, original, atol=1e-6)


@pytest.fixture(scope="module")
def own_layers(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small network that takes pixels: it normalizes them itself."""
    keras = start_keras("tensorflow")
    x = image = keras.Input((32, 32, 3), name="image")
    x = keras.layers.Rescaling(1 / 127.5, offset=-1.0, name="rescaling")(x)
    x = keras.layers.Conv2D(8, 3, strides=2, activation="relu", name="conv")(x)
    x = keras.layers.GlobalAveragePooling2D(name="pool")(x)
    x = keras.layers.Dense(10, activation="softmax", name="dense")(x)
    model = keras.Model(image, x, name="own")
    model.get_layer("dense").kernel.assign(np.random.default_rng(0).normal(size=(8, 10)) * 4)
    path = tmp_path_factory.mktemp("own") / "own.keras"
    model.save(path)
    return path


def test_layers_that_normalize_are_taken_out_so_that_all_engines_get_one_input(own_layers: Path) -> None:
    request = read_request(str(own_layers))
    made = make_bundle(request, wanted_of([Variant.FLOAT32], [1]), own_layers.parent / "b", lambda _: None)
    tensor = np.load(made.input_for(1))
    assert -1 <= tensor.min() < 0 < tensor.max() <= 1
    bare, whole = (load_keras(str(path)).model for path in (made.files[KERAS], own_layers))
    assert "rescaling" not in {layer.name for layer in bare.layers}
    answer = np.asarray(whole((tensor + 1) * 127.5, training=False))
    assert np.allclose(np.asarray(bare(tensor, training=False)), answer, atol=1e-5)
    cell = Cell(work=Work.FORWARD, model="own", engine="litert")
    assert np.allclose(arrays(made.reference_for(cell))[0], answer, atol=1e-5)
    assert made.model.files["float32"]["verification"]["sqnr_db"] > 80


def test_a_variant_that_can_not_be_is_told_and_the_others_are_made(tmp_path: Path) -> None:
    wanted = wanted_of([Variant.FLOAT32, Variant.INT16X8], [1])
    made = make_bundle(read_request("mobilenet_v3_small_0.35_32"), wanted, tmp_path, lambda _: None)
    assert "float32" in made.stored
    assert "HARD_SWISH" in made.missing["int16x8"]
    assert made.file_for(Cell(work=Work.FORWARD, model="x", engine="litert", variant=Variant.INT16X8)) is None


def test_a_damaged_keras_file_is_a_known_error(tmp_path: Path) -> None:
    path = tmp_path / "torn.keras"
    path.write_bytes(b"PK\x03\x04" + b"\0" * 100)
    with pytest.raises(MnError) as caught:
        make_bundle(read_request(str(path)), wanted_of([Variant.FLOAT32], [1]), tmp_path / "b", lambda _: None)
    assert caught.value.where is not None


class TestCommand:
    def test_it_prints_what_there_is(self, home: Path, bundle: Bundle, capsys: pytest.CaptureFixture[str]) -> None:
        assert main(["prepare", "--models", NETWORK, "--variants", "float32,int8", "-o", str(home)]) == 0
        lines = capsys.readouterr().out.splitlines()
        assert lines[0] == f"MobileNet V1 0.25/32 (random, seed 0): {bundle.folder}"
        assert [line.split()[0] for line in lines[1:4]] == ["keras", "float32", "unfused"]
        assert "same best class of 100%" in lines[2]

    def test_or_as_json(self, home: Path, bundle: Bundle, capsys: pytest.CaptureFixture[str]) -> None:
        assert main(["prepare", "--models", NETWORK, "--variants", "int8", "-o", str(home), "--json"]) == 0
        (value,) = json.loads(capsys.readouterr().out)
        assert value["folder"] == str(bundle.folder)
        assert value["identity"] == bundle.identity
