"""``mninfer.load``: what is stated against what the file says, what is refused, what is known without running."""

import io
import os
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import mninfer
from mninfer.errors import InputError, MissingDependencyError, ModelFileError, PreprocessError, UnsupportedModelError
from mninfer.model_file.annotating import annotate
from mninfer.preprocessing import (
    PRESETS,
    Interpolation,
    PreprocessSource,
    PreprocessSpec,
    Resize,
    StatedPreprocess,
)
from mninfer.spec import Task
from support.builder import GraphBuilder
from support.networks import colour_segmenter, embedder, red_detector, shapes_float, shapes_int8
from support.pictures import CLASSES


@pytest.fixture(scope="module")
def ours() -> bytes:
    """A file of ours: preprocessing, labels and golden vectors inside."""
    with mninfer.load(shapes_int8()) as plain:
        return annotate(shapes_int8(), run=plain.run, preprocess=PRESETS["inception"], labels=CLASSES)


class TestSpec:
    def test_all_that_is_known_of_a_file_of_ours(self, ours: bytes) -> None:
        with mninfer.load(ours) as model:
            spec = model.spec
        assert spec.inputs[0].name == "input"
        assert spec.inputs[0].shape == (1, 48, 48, 3)
        assert spec.inputs[0].dtype == spec.outputs[0].dtype == "uint8"
        assert spec.task is Task.CLASSIFY
        assert spec.labels == CLASSES
        assert spec.labels_source == "file"
        assert spec.preprocess is not None
        assert spec.preprocess.source is PreprocessSource.FILE
        assert spec.is_ours
        assert spec.sha256 == sha256(ours).hexdigest()
        assert spec.size_bytes == len(ours)
        assert spec.num_operators == len(model.graph.operators)
        assert spec.macs > 100_000
        assert spec.oldest_runtime

    def test_a_foreign_float_file_says_little(self) -> None:
        spec = mninfer.load(shapes_float()).spec
        assert (spec.preprocess, spec.labels, spec.labels_source, spec.provenance) == (None, None, None, None)
        assert not spec.is_ours

    @pytest.mark.parametrize(
        ("data", "task"),
        [(shapes_float(), Task.CLASSIFY), (red_detector(), Task.DETECT), (colour_segmenter(), Task.SEGMENT)],
    )
    def test_the_task_is_known(self, data: bytes, task: Task) -> None:
        assert mninfer.load(data).spec.task is task


class TestPreprocess:
    def test_stated_goes_before_the_file(self, ours: bytes) -> None:
        spec = mninfer.load(ours, preprocess="torch").spec.preprocess
        assert spec == PRESETS["torch"]
        assert spec.source is PreprocessSource.STATED

    def test_a_spec_can_be_stated(self) -> None:
        stated = PreprocessSpec(mean=(1, 2, 3), std=(4, 5, 6), source=PreprocessSource.FILE)
        spec = mninfer.load(shapes_float(), preprocess=stated).spec.preprocess
        assert spec is not None
        assert (spec.mean, spec.source) == ((1, 2, 3), PreprocessSource.STATED)

    def test_what_is_not_stated_stays_as_the_file_says(self, ours: bytes) -> None:
        spec = mninfer.load(ours, resize="crop:0.5", interpolation="bilinear").spec.preprocess
        assert spec == replace(
            PRESETS["inception"], resize=Resize.CROP, crop_fraction=0.5, interpolation=Interpolation.BILINEAR
        )
        assert spec.source is PreprocessSource.STATED
        cropped = mninfer.load(
            ours, preprocess=StatedPreprocess.parse(preprocess="torch", resize="crop")
        ).spec.preprocess
        assert cropped == replace(PRESETS["torch"], resize=Resize.CROP, crop_fraction=0.875)

    def test_the_resizing_alone_is_not_enough_where_the_file_says_nothing(self) -> None:
        with pytest.raises(PreprocessError, match="the resizing alone is not enough") as caught:
            mninfer.load(shapes_float(), resize="letterbox")
        assert caught.value.where == "the bytes given"

    def test_the_resizing_is_stated_in_one_place(self, ours: bytes) -> None:
        with pytest.raises(ValueError, match="leave out the arguments beside it"):
            mninfer.load(ours, preprocess=StatedPreprocess.parse(resize="crop"), interpolation="area")

    def test_a_typo_is_answered(self) -> None:
        with pytest.raises(PreprocessError, match="inceptoin"):
            mninfer.load(shapes_float(), preprocess="inceptoin")

    def test_pixels_of_a_foreign_uint8_input_are_assumed_to_go_in_as_they_are(self) -> None:
        model = mninfer.load(shapes_int8())
        assert model.spec.preprocess is not None
        assert model.spec.preprocess.source is PreprocessSource.ASSUMED
        picture = np.random.default_rng(0).integers(0, 256, (48, 48, 3), np.uint8)
        direct = model.run([picture[None]])[0][0]
        assert model.classify(picture).best.index == direct.argmax()

    def test_unknown_is_fine_until_a_picture_comes(self) -> None:
        model = mninfer.load(shapes_float())
        assert model.run([np.zeros((1, 48, 48, 3), np.float32)])[0].shape == (1, 16)
        with pytest.raises(PreprocessError, match="nothing says how a picture becomes") as caught:
            model.classify(np.zeros((48, 48, 3), np.uint8))
        assert "--preprocess inception|torch|caffe|raw" in caught.value.hints[0]
        with pytest.raises(PreprocessError):
            model.classify_many([])  # at once, not for every picture


class TestLabels:
    def test_from_a_file(self, tmp_path: Path) -> None:
        path = tmp_path / "labels.txt"
        path.write_text("\ufeff" + "\r\n".join(CLASSES) + "\r\n\r\n", encoding="utf-8")
        spec = mninfer.load(shapes_float(), labels=path).spec
        assert (spec.labels, spec.labels_source) == (CLASSES, "stated")
        assert mninfer.load(shapes_float(), labels=str(path)).spec.labels == CLASSES

    def test_from_a_sequence(self) -> None:
        assert mninfer.load(shapes_float(), labels=list(CLASSES)).spec.labels == CLASSES

    @pytest.mark.parametrize(("count", "hint"), [(15, "background"), (17, "background"), (3, "--labels FILE")])
    def test_a_number_that_does_not_fit_is_refused(self, count: int, hint: str) -> None:
        with pytest.raises(ModelFileError, match=f"{count} labels for 16 classes") as caught:
            mninfer.load(shapes_float(), labels=[f"class {i}" for i in range(count)])
        assert any(hint in text for text in caught.value.hints)

    def test_a_detector_may_have_a_label_for_the_background(self) -> None:
        assert mninfer.load(red_detector(), labels=["red"]).spec.labels == ("red",)
        assert mninfer.load(red_detector(), labels=["???", "red"]).spec.labels == ("???", "red")
        with pytest.raises(ModelFileError, match="3 labels for 1 classes"):
            mninfer.load(red_detector(), labels=["a", "b", "c"])

    def test_an_embedding_has_no_classes_to_count(self) -> None:
        data = annotate(embedder(), run=mninfer.load(embedder()).run, preprocess=PRESETS["inception"], task=Task.EMBED)
        assert mninfer.load(data).spec.task is Task.EMBED

    def test_a_label_file_that_is_not_there(self) -> None:
        with pytest.raises(InputError, match="cannot be read: No such file") as caught:
            mninfer.load(shapes_float(), labels="no/such/labels.txt")
        assert caught.value.where == "no/such/labels.txt"

    @pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no named pipes here")
    def test_a_label_file_without_an_end(self, tmp_path: Path) -> None:
        os.mkfifo(tmp_path / "pipe")
        for path, kind in ((tmp_path / "pipe", "a pipe"), (Path("/dev/zero"), "a device"), (tmp_path, "a folder")):
            with pytest.raises(InputError, match=f"the label file is {kind}, not a file"):
                mninfer.load(shapes_float(), labels=path)

    def test_a_label_file_beyond_any_list_of_classes(self, tmp_path: Path) -> None:
        with (tmp_path / "huge.txt").open("wb") as file:
            file.truncate(17 << 20)
        with pytest.raises(InputError, match="17,825,792 bytes; at most 16,777,216"):
            mninfer.load(shapes_float(), labels=tmp_path / "huge.txt")


class TestRefusals:
    def test_a_path_that_is_not_there(self, tmp_path: Path) -> None:
        with pytest.raises(ModelFileError, match="no such model file"):
            mninfer.load(tmp_path / "model.tflite")

    def test_bytes_that_are_no_model(self) -> None:
        with pytest.raises(ModelFileError):
            mninfer.load(b"<!DOCTYPE html><html>")

    def test_another_file_than_the_one_meant(self) -> None:
        right = sha256(shapes_float()).hexdigest()
        assert mninfer.load(shapes_float(), sha256=right.upper()).spec.sha256 == right
        with pytest.raises(ModelFileError, match=f"sha256 {right}, not {'0' * 64}"):
            mninfer.load(shapes_float(), sha256="0" * 64)

    @pytest.mark.parametrize("place", [0.1, 0.5, 0.9, 0.99])
    def test_a_flipped_byte_in_a_file_of_ours(self, ours: bytes, place: float) -> None:
        damaged = bytearray(ours)
        damaged[int(len(ours) * place)] ^= 0x10
        with pytest.raises((ModelFileError, UnsupportedModelError)):
            mninfer.load(bytes(damaged))

    def test_lenient_loading_runs_a_file_with_a_changed_weight(self, ours: bytes) -> None:
        constants = [tensor.data for tensor in mninfer.load(ours).graph.tensors if tensor.data is not None]
        largest = max(constants, key=len).tobytes()
        damaged = bytearray(ours)
        damaged[ours.index(largest) + len(largest) // 2] ^= 0x01
        with pytest.raises(ModelFileError, match="changed since"):
            mninfer.load(bytes(damaged))
        model = mninfer.load(bytes(damaged), strict=False)
        assert model.file.warnings
        assert not model.spec.is_ours

    def test_an_unlisted_operator_and_its_remedy(self) -> None:
        b = GraphBuilder()
        x, y = b.activation("x", (1, 4)), b.activation("y", (1, 4))
        b.operator("SIGN", [x], [y])
        data = b.build([x], [y])
        with pytest.raises(UnsupportedModelError, match="SIGN"):
            mninfer.load(data)
        values = np.array([[-3, 0, 0.5, 7]], np.float32)
        assert mninfer.load(data, allow_unlisted_ops=True).run([values])[0].tolist() == [[-1, 0, 1, 1]]

    def test_an_edge_tpu_model_goes_to_its_delegate_or_nowhere(self) -> None:
        b = GraphBuilder()
        x, y = b.activation("x", (1, 4)), b.activation("y", (1, 4))
        b.operator("edgetpu-custom-op", [x], [y])
        data = b.build([x], [y])
        with pytest.raises(UnsupportedModelError, match="compiled for an Edge TPU") as caught:
            mninfer.load(data)
        assert "--delegate libedgetpu.so.1" in caught.value.hints[0]
        with pytest.raises(MissingDependencyError, match="edgetpu-absent"):
            mninfer.load(data, delegate="libedgetpu-absent.so.1")

    def test_an_unknown_engine_is_a_misuse(self) -> None:
        with pytest.raises(ValueError, match='did you mean "litert"'):
            mninfer.load(shapes_float(), engine="litrt")


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"labels": [1] * 16}, TypeError, "labels takes texts; label 0 is int"),
        ({"labels": 5}, TypeError, "labels takes texts"),
        ({"sha256": "abc"}, ValueError, 'sha256 takes 64 hex digits, not "abc"'),
        ({"sha256": "g" * 64}, ValueError, "sha256 takes 64 hex digits"),
        ({"preprocess": 5}, TypeError, 'preprocess takes a text such as "inception".* not int'),
        ({"engine": None}, TypeError, 'engine takes a name, such as "auto", not NoneType'),
    ],
)
def test_arguments_of_another_type_are_named(arguments: dict[str, Any], error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        mninfer.load(shapes_float(), **arguments)


class TestInputSize:
    @staticmethod
    def any_size() -> bytes:
        b = GraphBuilder()
        x = b.activation("picture", (1, 1, 1, 3), signature=(-1, -1, -1, 3))
        y = b.activation("output", (1, 1, 1, 3), signature=(-1, -1, -1, 3))
        b.operator("RELU6", [x], [y])
        return b.build([x], [y])

    def test_it_is_stated_as_width_and_height(self) -> None:
        model = mninfer.load(self.any_size(), input_size=(7, 5), preprocess="raw")
        assert model.spec.inputs[0].shape == model.spec.outputs[0].shape == (1, 5, 7, 3)
        assert model.spec.inputs[0].shape_signature == (-1, -1, -1, 3)
        picture = np.full((5, 7, 3), 4, np.uint8)
        assert (model.embed(picture) == 4).all()
        assert model.spec.task is Task.SEGMENT

    def test_without_it_the_error_says_so(self) -> None:
        with pytest.raises(UnsupportedModelError, match="no fixed size"):
            mninfer.load(self.any_size())

    def test_what_the_file_fixes_is_not_changed(self) -> None:
        with pytest.raises(UnsupportedModelError, match=r"cannot run as \[1, 64, 64, 3\]"):
            mninfer.load(shapes_float(), input_size=(64, 64))

    def test_a_size_beyond_memory_is_refused_before_the_engine_sees_it(self) -> None:
        with pytest.raises((ModelFileError, UnsupportedModelError)):
            mninfer.load(self.any_size(), input_size=(60_000, 60_000))


def test_an_open_batch_is_one() -> None:
    assert mninfer.load(shapes_float(dynamic_batch=True)).spec.inputs[0].shape == (1, 48, 48, 3)


@pytest.mark.parametrize("model", [5, None, io.BytesIO(b"")])
def test_a_model_of_another_type_is_named(model: Any) -> None:
    with pytest.raises(TypeError, match="model takes a path or a file's bytes, not"):
        mninfer.load(model)
