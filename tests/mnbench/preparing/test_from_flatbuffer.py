"""A .tflite as it is: prepared with the runtime alone, its own answers the reference."""

import io
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

from mnbench.agreement import agreement
from mnbench.cell import Cell, Variant, Work
from mnbench.job import Budget, Job
from mnbench.preparing import Bundle, offer_of, prepare
from mnbench.preparing.held import held_against_reference
from mnbench.workloads.flatbuffer import open_workload
from mninfer.errors import InputError, MnError
from support.builder import GraphBuilder
from support.networks import SHAPES_SIZE, shapes_float, shapes_int8

pytestmark = pytest.mark.smoke

ENGINE = "litert" if find_spec("ai_edge_litert") else "tflite-runtime"


def prepared(tmp_path: Path, data: bytes, name: str = "shapes", **options) -> Bundle:
    path = tmp_path / f"{name}.tflite"
    path.write_bytes(data)
    (bundle,) = prepare([str(path)], folder=tmp_path / "bundles", **options)
    return bundle


def measured(bundle: Bundle, cell: Cell) -> list[np.ndarray]:
    budget = Budget(seconds=0.01, warm_up_seconds=0.0)
    job = Job(cell=cell, budget=budget, file=bundle.file_for(cell), input=bundle.input_for(cell.batch))
    workload = open_workload(job)
    workload.run()
    return list(workload.outputs())


def arrays(path: Path) -> list[np.ndarray]:
    archive = np.load(io.BytesIO(path.read_bytes()), allow_pickle=False)
    return [archive[name] for name in archive.files]


@pytest.mark.parametrize(("data", "variant"), [(shapes_float(), Variant.FLOAT32), (shapes_int8(), Variant.INT8)])
def test_the_file_is_measured_as_it_is(tmp_path: Path, data: bytes, variant: Variant) -> None:
    bundle = prepared(tmp_path, data)
    cell = Cell(work=Work.FORWARD, model="shapes", engine=ENGINE, variant=variant)
    assert bundle.file_for(cell).read_bytes() == data
    assert bundle.variants == {variant}
    assert bundle.model.files[variant]["size_bytes"] == len(data)
    assert not bundle.is_trainable
    found = held_against_reference(bundle, cell, measured(bundle, cell))
    assert found.is_held, found.text
    assert found.reference == "its own answers by plain kernels"


def test_what_the_file_is_not_is_said(tmp_path: Path) -> None:
    bundle = prepared(tmp_path, shapes_int8(), batches=(1, 2))
    assert bundle.missing["float32"] == "the file is int8, and measured as it is"
    assert bundle.missing["int8@b2"] == "the file is made for a batch of 1"
    assert bundle.input_for(2).exists()


def test_an_open_batch_is_every_batch(tmp_path: Path) -> None:
    bundle = prepared(tmp_path, shapes_float(dynamic_batch=True), batches=(1, 3))
    cell = Cell(work=Work.FORWARD, model="shapes", engine=ENGINE, batch=3)
    found = agreement(measured(bundle, cell), arrays(bundle.reference_for(cell)), cell)
    assert found.is_held, found.text


def test_pictures_become_the_input_as_the_file_says_or_else_as_is_said_of_it(tmp_path: Path) -> None:
    bundle = prepared(tmp_path, shapes_float())
    tensor = np.load(bundle.input_for(1))
    assert tensor.shape == (1, *SHAPES_SIZE, 3)
    assert tensor.dtype == np.float32
    assert -1 <= tensor.min() < 0 < tensor.max() <= 1
    assert bundle.network == {"preprocess": "inception", "resize": "crop:0.875"}


def test_the_same_file_is_prepared_once(tmp_path: Path) -> None:
    first = prepared(tmp_path, shapes_float())
    stamp = first.photo.stat().st_mtime_ns
    assert prepared(tmp_path, shapes_float()) == first
    assert first.photo.stat().st_mtime_ns == stamp


def test_another_file_of_that_name_is_prepared_anew(tmp_path: Path) -> None:
    prepared(tmp_path, shapes_float())
    assert prepared(tmp_path, shapes_int8()).variants == {Variant.INT8}


@pytest.mark.parametrize(
    ("file_name", "name"),
    [
        ("v1:2.tflite", "v1_2"),
        ("a\nb.tflite", "a_b"),
        ("a\udcffb.tflite", "a_b"),
        (".hidden.tflite", "hidden"),
        ("ä" * 110 + ".tflite", "ä" * 100),
        ("my model; $(x).tflite", "my model; $(x)"),
    ],
)
def test_whatever_a_file_is_called_its_bundle_can_be_read_again(tmp_path: Path, file_name: str, name: str) -> None:
    path = tmp_path / file_name
    path.write_bytes(shapes_float())
    (bundle,) = prepare([str(path)], folder=tmp_path / "bundles")
    assert bundle.model.name == name
    assert prepare([str(bundle.folder)]) == (bundle,)


def test_more_batches_are_added(tmp_path: Path) -> None:
    prepared(tmp_path, shapes_float(dynamic_batch=True))
    more = prepared(tmp_path, shapes_float(dynamic_batch=True), batches=(2,))
    assert set(more.inputs) == {1, 2}


def test_a_damaged_bundle_is_made_anew_and_that_is_told(tmp_path: Path) -> None:
    bundle = prepared(tmp_path, shapes_float())
    bundle.photo.write_bytes(b"")
    told: list[str] = []
    assert prepared(tmp_path, shapes_float(), watcher=told.append).photo.stat().st_size > 0
    assert any("is made anew" in line for line in told)


def test_a_bundle_is_a_request_of_its_own(tmp_path: Path) -> None:
    bundle = prepared(tmp_path, shapes_float())
    (again,) = prepare([str(bundle.folder)], folder=tmp_path / "nowhere")
    assert again.model == bundle.model
    assert not (tmp_path / "nowhere").exists()


def test_two_files_of_one_name_are_refused(tmp_path: Path) -> None:
    paths = [tmp_path / folder / "net.tflite" for folder in "ab"]
    for path in paths:
        path.parent.mkdir()
        path.write_bytes(shapes_float())
    with pytest.raises(InputError, match='two models are called "net"'):
        prepare([str(path) for path in paths], folder=tmp_path)


@pytest.mark.parametrize("data", [shapes_float()[:2000], b"\0" * 100])
def test_a_damaged_file_is_a_known_error_and_leaves_no_bundle(tmp_path: Path, data: bytes) -> None:
    with pytest.raises(MnError):
        prepared(tmp_path, data)
    assert not list(tmp_path.glob("bundles/*/bundle.json"))


def test_a_model_of_something_else_than_a_picture_is_refused(tmp_path: Path) -> None:
    b = GraphBuilder()
    x, y = b.activation("x", (1, 4)), b.activation("y", (1, 4))
    b.operator("RELU6", [x], [y])
    with pytest.raises(MnError, match="a picture is"):
        prepared(tmp_path, b.build([x], [y]))


class TestOffers:
    def test_a_flatbuffer_offers_what_it_is(self, tmp_path: Path) -> None:
        (tmp_path / "net.tflite").write_bytes(shapes_int8())
        offer = offer_of(str(tmp_path / "net.tflite"))
        assert (offer.name, offer.variants, offer.is_trainable) == ("net", {Variant.INT8}, False)

    def test_a_network_offers_every_form(self) -> None:
        offer = offer_of("mobilenet_v1")
        assert offer.name == "mobilenet_v1_1.0_224"
        assert offer.is_trainable
        assert Variant.INT16X8 in offer.variants
        assert Variant.BF16 not in offer.variants

    def test_a_bundle_offers_what_it_has(self, tmp_path: Path) -> None:
        bundle = prepared(tmp_path, shapes_int8())
        offer = offer_of(str(bundle.folder))
        assert (offer.name, offer.variants, offer.is_trainable) == ("shapes", {Variant.INT8}, False)
