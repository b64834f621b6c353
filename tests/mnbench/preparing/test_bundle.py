"""Bundles as files: what is written is read, and nothing of what others wrote is believed."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from mnbench import record  # a class called Test… would be collected
from mnbench.cell import Cell, Variant, Work
from mnbench.preparing import Bundle, read_bundle
from mnbench.preparing.bundle import BUNDLE_NAME, KERAS, StoredFile, file_key, write_bundle
from mnbench.preparing.store import Store
from mnbench.preparing.wanted import wanted_of
from mninfer.errors import InputError, OutputError

pytestmark = pytest.mark.smoke


@pytest.fixture
def bundle(tmp_path: Path) -> Bundle:
    """A whole one, of files that are only their names."""
    store = Store(tmp_path / "net")
    store.open()

    def put(name: str) -> StoredFile:
        return store.put(name, name.encode())

    made = Bundle(
        folder=store.folder,
        identity="abc",
        model=record.MeasuredModel(
            name="net",
            title="Net",
            weights="random, seed 0",
            input_shape=(32, 32, 3),
            files={"int8": {"sha256": "0" * 64, "size_bytes": 11}},
        ),
        network={"architecture": "mobilenet_v1", "options": {"alpha": 0.25}, "seed": 0},
        photo_file=put("photo.jpg"),
        stored={KERAS: put("weights.keras"), "int8": put("int8.tflite"), "int8@b8": put("int8_b8.tflite")},
        inputs={1: put("input_b1.npy"), 8: put("input_b8.npy")},
        references={"float32": put("a.npz"), "float32@b8": put("b.npz"), "int8": put("c.npz")},
        missing={"int16x8": "the converter knows no such thing"},
        made_by={"mnkit": "0.1"},
    )
    write_bundle(made)
    return made


def cell(variant: Variant = Variant.INT8, engine: str = "litert", **fields: Any) -> Cell:
    return Cell(**{"work": Work.FORWARD, "model": "net", "engine": engine, "variant": variant, **fields})


def rewritten(bundle: Bundle, change: Any) -> Path:
    """Its page with ``change`` made to the value."""
    path = bundle.folder / BUNDLE_NAME
    value = json.loads(path.read_text())
    change(value)
    path.write_text(json.dumps(value))
    return bundle.folder


def test_what_is_written_is_read(bundle: Bundle) -> None:
    assert read_bundle(bundle.folder) == bundle


def test_it_may_be_carried_elsewhere(bundle: Bundle, tmp_path: Path) -> None:
    moved = bundle.folder.rename(tmp_path / "elsewhere")
    assert read_bundle(moved) == replace(bundle, folder=moved)


def test_each_cell_gets_its_file(bundle: Bundle) -> None:
    assert bundle.file_for(cell()) == bundle.folder / "int8.tflite"
    assert bundle.file_for(cell(batch=8)) == bundle.folder / "int8_b8.tflite"
    assert bundle.file_for(cell(engine="openvino")) == bundle.folder / "int8.tflite"
    assert bundle.file_for(cell(Variant.FLOAT32, "keras-jax")) == bundle.folder / "weights.keras"
    assert bundle.file_for(cell(Variant.FLOAT32)) is None
    assert bundle.file_for(cell(engine="mninfer", work=Work.IMPORT)) is None


def test_a_peers_integers_get_the_reference_of_ours_where_there_is_one(bundle: Bundle) -> None:
    assert bundle.reference_for(cell()).name == "a.npz"
    assert bundle.reference_for(cell(engine="openvino")).name == "c.npz"
    assert bundle.reference_for(cell(engine="openvino", batch=8)).name == "b.npz"
    assert bundle.reference_for(cell(Variant.BF16, "keras-jax", batch=8)).name == "b.npz"


def test_a_reference_is_called_what_it_is(bundle: Bundle) -> None:
    """Also where our own form has none for that batch, and the float model's stands in."""
    assert bundle.reference_name(cell()) == "the float model"
    assert bundle.reference_name(cell(engine="openvino")) == "our int8 flatbuffer"
    assert bundle.reference_name(cell(engine="openvino", batch=8)) == "the float model"
    own = replace(bundle, reference="its own answers by plain kernels")
    assert {own.reference_name(each) for each in (cell(), cell(engine="openvino"))} == {own.reference}


def test_what_was_not_prepared_is_told(bundle: Bundle) -> None:
    assert bundle.input_for(8).name == "input_b8.npy"
    with pytest.raises(InputError, match="no input of 3 pictures") as caught:
        bundle.input_for(3)
    assert "--batch 3" in caught.value.hints[0]
    with pytest.raises(InputError, match='no reference "float32@b3"'):
        bundle.reference_for(cell(batch=3))


def test_it_knows_what_it_has(bundle: Bundle) -> None:
    assert bundle.variants == {Variant.INT8}
    assert bundle.is_trainable
    assert not replace(bundle, stored={}).is_trainable


class TestStrangers:
    @pytest.mark.parametrize("name", ["../secret", "/etc/passwd", "a/b", "..", ".", "", ".hidden", "a\\b", "x\0y"])
    def test_a_file_outside_of_the_folder_is_no_file_of_it(self, bundle: Bundle, name: str) -> None:
        folder = rewritten(bundle, lambda value: value["files"]["int8"].update(name=name))
        with pytest.raises(InputError, match=r'files\["int8"\].*"name" is') as caught:
            read_bundle(folder)
        assert caught.value.where == str(folder / BUNDLE_NAME)

    @pytest.mark.parametrize(
        "name", ["../x", "/x", "", " ", "..", ".x", "a/b", "a\\b", "C:x", "x\0", "x\n", "\ud800", "x" * 201]
    )
    def test_a_model_is_called_so_that_folders_can_be(self, bundle: Bundle, name: str) -> None:
        """What is converted of it lies in a folder of that name."""
        with pytest.raises(InputError, match=r'model: "name" is .*file name'):
            read_bundle(rewritten(bundle, lambda value: value["model"].update(name=name)))

    def test_a_link_out_of_the_folder_has_other_contents(self, bundle: Bundle) -> None:
        (bundle.folder / "int8.tflite").unlink()
        (bundle.folder / "int8.tflite").symlink_to("/dev/zero")
        with pytest.raises(InputError, match=r'"int8.tflite" of the bundle can\'t be read: a device'):
            read_bundle(bundle.folder)

    def test_a_changed_file_is_noticed(self, bundle: Bundle) -> None:
        (bundle.folder / "int8.tflite").write_bytes(b"int8.tflitf")
        with pytest.raises(InputError, match=r'"int8\.tflite" is not the file that was prepared'):
            read_bundle(bundle.folder)

    def test_a_missing_file_is_noticed(self, bundle: Bundle) -> None:
        (bundle.folder / "input_b8.npy").unlink()
        with pytest.raises(InputError, match=r'"input_b8\.npy" of the bundle can\'t be read: No such file'):
            read_bundle(bundle.folder)

    @pytest.mark.parametrize(
        ("change", "message"),
        [
            (lambda value: value.pop("model"), 'the bundle has no "model"'),
            (lambda value: value.update(kind="mnbench"), "no bundle of mnbench prepare"),
            (lambda value: value.update(schema=99), "schema 99, this mnbench reads 1"),
            (lambda value: value.update(files=[]), '"files" is .*not an object'),
            (lambda value: value["files"].update(int9=value["photo"]), '"int9" is no variant'),
            (lambda value: value["files"].update({"int8@b1": value["photo"]}), '"int8@b1" is no variant'),
            (lambda value: value["inputs"].update(zero=value["photo"]), '"zero" is no number of pictures'),
            (lambda value: value["photo"].update(size_bytes=-1), '"size_bytes" is -1'),
            (lambda value: value["missing"].update(int8=3), '"int8" is 3, not a text'),
            (lambda value: value.update(made_by={"mnkit": 3}), 'made_by: "mnkit" is 3, not a text'),
            (lambda value: value.update(reference=3), '"reference" is 3, not a text'),
            (lambda value: value["inputs"].update({"9" * 5000: value["photo"]}), "is no number of pictures"),
            (lambda value: value["photo"].update(size_bytes=10**400), r'"size_bytes" is 1000.*below 2\*\*63'),
            (lambda value: value["network"].update(seed=[10**30]), 'network/seed/0" is not a finite number'),
            (lambda value: value["model"]["files"].update(int8={}), r'files\["int8"\] has no "sha256"'),
            (lambda value: value["model"].update(accuracy={"int8": {"top1_percent": "x"}}), '"top1_percent" is'),
        ],
    )
    def test_a_wrong_field_is_named(self, bundle: Bundle, change: Any, message: str) -> None:
        with pytest.raises(InputError, match=message):
            read_bundle(rewritten(bundle, change))

    @pytest.mark.parametrize("data", [b"", b"{", b"[]", b"\xff\xfe", b'{"a": NaN}', b"[" * 100_000])
    def test_what_is_no_json_is_refused(self, bundle: Bundle, data: bytes) -> None:
        (bundle.folder / BUNDLE_NAME).write_bytes(data)
        with pytest.raises(InputError):
            read_bundle(bundle.folder)

    def test_a_folder_without_one_is_refused(self, tmp_path: Path) -> None:
        with pytest.raises(InputError, match="can't be read: No such file"):
            read_bundle(tmp_path)


class TestWanted:
    def test_what_frameworks_alone_have_is_no_flatbuffer(self) -> None:
        wanted = wanted_of([Variant.BF16, Variant.INT8], [8, 1])
        assert wanted.forms == ((Variant.INT8, 1), (Variant.INT8, 8))
        assert wanted.batches == (1, 8)

    def test_flatbuffers_may_be_fewer_than_inputs(self) -> None:
        wanted = wanted_of([Variant.INT8], [1, 256], [(Variant.FLOAT32, 1)])
        assert wanted.forms == ((Variant.FLOAT32, 1),)
        assert wanted.batches == (1, 256)

    def test_what_is_lacking_is_neither_there_nor_known_to_be_impossible(self, bundle: Bundle) -> None:
        wanted = wanted_of([Variant.INT16X8, Variant.FLOAT32, Variant.INT8], [1, 4])
        assert (Variant.INT16X8, 1) not in wanted.forms_lacking(bundle)
        assert (Variant.INT8, 1) not in wanted.forms_lacking(bundle)
        assert (Variant.FLOAT32, 1) in wanted.forms_lacking(bundle)
        assert wanted.batches_lacking(bundle) == (4,)
        assert not wanted.is_held_by(bundle)
        assert wanted_of([Variant.INT8], [1, 8]).is_held_by(bundle)


class TestStore:
    def test_a_new_bundle_takes_the_old_ones_page_away_first(self, bundle: Bundle) -> None:
        Store(bundle.folder).forget()
        assert not (bundle.folder / BUNDLE_NAME).exists()
        assert (bundle.folder / "int8.tflite").exists()

    def test_a_folder_that_can_not_be_is_told(self, tmp_path: Path) -> None:
        (tmp_path / "file").write_bytes(b"")
        with pytest.raises(OutputError, match="can't be made"):
            Store(tmp_path / "file" / "net").open()


def test_keys_name_the_batch_where_it_is_not_one() -> None:
    assert file_key(Variant.INT8) == "int8"
    assert file_key(Variant.INT8, 8) == "int8@b8"
