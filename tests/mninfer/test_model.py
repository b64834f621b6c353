"""A loaded model on pictures whose answer is known: classes, boxes, masks, features; many at a time, many threads."""

import io
import os
from concurrent.futures import ThreadPoolExecutor
from itertools import count, islice
from pathlib import Path

import cv2
import numpy as np
import pytest

import mninfer
from mninfer import Classification, Failure, Model
from mninfer.errors import InputError, ModelFileError, UnsupportedModelError
from mninfer.preprocessing import PRESETS
from support.builder import GraphBuilder
from support.networks import COLOUR_LABELS, colour_segmenter, embedder, red_detector, shapes_float, shapes_int8
from support.pictures import CLASSES, COLOURS, draw_shape, shape_pictures

UNIT = "mean=0,std=255"  # pixels to 0..1


@pytest.fixture(scope="module")
def classifier() -> Model:
    return mninfer.load(shapes_float(), preprocess="inception", labels=CLASSES, threads=1)


def shape(colour: str, name: str) -> np.ndarray:
    return draw_shape(colour, name, size=(160, 120), centre=(80, 60), radius=38, background=70)


def encoded(picture: np.ndarray, suffix: str = ".png") -> bytes:
    return cv2.imencode(suffix, picture[:, :, ::-1])[1].tobytes()


class TestClassify:
    @pytest.mark.parametrize("name", CLASSES[::3])
    def test_the_shape_is_named(self, classifier: Model, name: str) -> None:
        result = classifier.classify(shape(*name.split()), top=3)
        assert result.best.label == name
        assert CLASSES[result.best.index] == name
        assert len(result) == 3
        assert sorted((p.score for p in result), reverse=True) == [p.score for p in result]
        assert 0.5 < result.best.score <= 1

    @pytest.mark.parametrize(
        "data", [shapes_float(softmax=False), shapes_int8(), shapes_int8(ends="int8"), shapes_float(dynamic_batch=True)]
    )
    def test_every_kind_of_model_agrees(self, data: bytes, classifier: Model) -> None:
        model = mninfer.load(data, preprocess="inception", labels=CLASSES)
        pictures, _ = shape_pictures(40, seed=11)
        expected = [classifier.classify(picture).best for picture in pictures]
        found = [model.classify(picture).best for picture in pictures]
        assert sum(a.index == b.index for a, b in zip(expected, found, strict=True)) >= 38
        assert np.mean([abs(a.score - b.score) for a, b in zip(expected, found, strict=True)]) < 0.05

    def test_softmax_is_added_only_where_the_model_has_none(self, classifier: Model) -> None:
        logits = mninfer.load(shapes_float(softmax=False), preprocess="inception")
        picture = shape("red", "circle")
        with_softmax, added = classifier.classify(picture, 16), logits.classify(picture, 16)
        assert [p.index for p in with_softmax][:3] == [p.index for p in added][:3]
        assert sum(p.score for p in added) == pytest.approx(1, abs=1e-5)
        assert with_softmax.best.score == pytest.approx(added.best.score, abs=1e-5)

    def test_every_source_gives_the_same(self, classifier: Model, tmp_path: Path) -> None:
        picture = shape("blue", "cross")
        path = tmp_path / "picture.png"
        path.write_bytes(encoded(picture))
        expected = classifier.classify(picture).predictions
        bgr = np.ascontiguousarray(picture[:, :, ::-1])
        assert classifier.classify(bgr, order="bgr").predictions == expected
        for source in (str(path), path, path.read_bytes(), io.BytesIO(path.read_bytes())):
            assert classifier.classify(source).predictions == expected

    def test_a_result_knows_its_path(self, classifier: Model, tmp_path: Path) -> None:
        path = tmp_path / "picture.png"
        path.write_bytes(encoded(shape("red", "cross")))
        assert classifier.classify(path).source == str(path)
        assert classifier.classify(path.read_bytes()).source is None

    def test_without_labels_a_class_is_its_number(self) -> None:
        best = mninfer.load(shapes_float(), preprocess="inception").classify(shape("red", "square")).best
        assert best.label == str(best.index)

    def test_a_bad_picture_is_an_input_error(self, classifier: Model) -> None:
        with pytest.raises(InputError):
            classifier.classify(b"no picture")

    def test_a_large_picture_is_refused_where_asked(self) -> None:
        model = mninfer.load(shapes_float(), preprocess="inception", max_pixels=10_000)
        with pytest.raises(InputError, match="pixels"):
            model.classify(encoded(shape("red", "square")))

    def test_reduced_decoding_can_be_turned_off(self) -> None:
        large = cv2.resize(shape("green", "triangle"), (1600, 1200), interpolation=cv2.INTER_NEAREST)
        jpeg = encoded(large, ".jpg")
        reduced = mninfer.load(shapes_float(), preprocess="inception", labels=CLASSES)
        full = mninfer.load(shapes_float(), preprocess="inception", labels=CLASSES, full_decode=True)
        assert reduced.classify(jpeg).best.label == full.classify(jpeg).best.label == "green triangle"


class TestDetect:
    @pytest.mark.parametrize("resize", ["stretch", "letterbox"])
    def test_a_red_thing_is_boxed_in_pixels_of_the_original(self, resize: str) -> None:
        from dataclasses import replace

        from mninfer.preprocessing import Resize, parse_preprocess

        spec = replace(parse_preprocess(UNIT), resize=Resize(resize))
        model = mninfer.load(red_detector(), preprocess=spec, labels=["red"])
        picture = np.full((300, 400, 3), 128, np.uint8)
        picture[100:200, 250:300] = (255, 0, 0)
        found = model.detect(picture)
        assert len(found) >= 1
        assert {detection.label for detection in found} == {"red"}
        for detection in found:
            centre = (detection.box.left + detection.box.right) / 2, (detection.box.top + detection.box.bottom) / 2
            assert 225 <= centre[0] <= 325
            assert 75 <= centre[1] <= 225
        assert [d.score for d in found] == sorted((d.score for d in found), reverse=True)

    def test_the_threshold_decides(self) -> None:
        model = mninfer.load(red_detector(), preprocess=UNIT)
        picture = np.full((64, 64, 3), 128, np.uint8)
        picture[16:32, 16:32] = (255, 0, 0)
        assert len(model.detect(picture, threshold=0.0)) >= len(model.detect(picture, threshold=0.9))
        scores = [found.score for found in model.detect(picture, threshold=0.0)]
        assert all(found.score >= 0.5 for found in model.detect(picture, threshold=0.5))
        assert len(model.detect(picture, threshold=0.5)) == sum(score >= 0.5 for score in scores)

    def test_labels_with_a_background_shift_by_one(self) -> None:
        model = mninfer.load(red_detector(), preprocess=UNIT, labels=["???", "red"])
        picture = np.full((64, 64, 3), 128, np.uint8)
        picture[16:32, 16:32] = (255, 0, 0)
        best = model.detect(picture)[0]
        assert (best.label, best.index) == ("red", 1)


class TestSegment:
    @pytest.mark.parametrize("argmax", [False, True])
    def test_the_mask_has_the_originals_size_and_edges(self, argmax: bool) -> None:
        model = mninfer.load(colour_segmenter(argmax=argmax), preprocess=UNIT, labels=COLOUR_LABELS)
        picture = np.full((250, 333, 3), 128, np.uint8)
        picture[:, 200:] = COLOURS["blue"]
        picture[180:, :100] = COLOURS["green"]
        result = model.segment(picture)
        assert result.mask.shape == (250, 333)
        assert result.mask.dtype == np.int32
        truth = np.zeros((250, 333), int)
        truth[:, 200:] = COLOUR_LABELS.index("blue")
        truth[180:, :100] = COLOUR_LABELS.index("green")
        assert (result.mask == truth).mean() > 0.97
        assert list(result.shares()) == [0, COLOUR_LABELS.index("blue"), COLOUR_LABELS.index("green")]
        assert result.name(COLOUR_LABELS.index("blue")) == "blue"

    def test_quantized_scores(self) -> None:
        from support.builder import quantization

        b = GraphBuilder()
        x = b.activation("x", (1, 4, 4, 3), "uint8", quantization(1.0, 0))
        y = b.activation("y", (1, 4, 4, 3), "uint8", quantization(1.0, 0))
        size = b.constant("size", np.array([4, 4], np.int32))
        b.operator("RESIZE_NEAREST_NEIGHBOR", [x, size], [y], "ResizeNearestNeighborOptions", {})
        model = mninfer.load(b.build([x], [y]), preprocess="raw")
        picture = np.zeros((4, 4, 3), np.uint8)
        picture[..., 0], picture[:2, :, 2] = 10, 200
        assert model.segment(picture).mask.tolist() == [[2] * 4] * 2 + [[0] * 4] * 2


class TestEmbed:
    def test_like_is_near_and_unlike_is_far(self) -> None:
        model = mninfer.load(embedder(), preprocess="inception")

        def features(colour: str, name: str, background: int) -> np.ndarray:
            picture = draw_shape(colour, name, size=(48, 48), centre=(24, 24), radius=15, background=background)
            return model.embed(picture, normalize=True)

        first, same, other = features("red", "circle", 60), features("red", "circle", 90), features("blue", "cross", 60)
        assert first.shape == (64,)
        assert first.dtype == np.float32
        assert np.linalg.norm(first) == pytest.approx(1, abs=1e-5)
        assert first @ same > first @ other

    def test_as_it_comes(self) -> None:
        model = mninfer.load(embedder(), preprocess="inception")
        picture = shape_pictures(1, seed=1)[0][0]
        tensor = (picture.astype(np.float32) - 127.5) / 127.5
        assert np.allclose(model.embed(picture), model.run([tensor[None]])[0].ravel(), atol=1e-5)


class TestWrongTask:
    @pytest.mark.parametrize(
        ("data", "method", "message"),
        [
            (shapes_float(), "detect", "gives no boxes"),
            (shapes_float(), "segment", "gives no mask"),
            (red_detector(), "classify", "gives no classes"),
            (colour_segmenter(), "classify", "gives no classes"),
            (colour_segmenter(), "detect", "gives no boxes"),
        ],
    )
    def test_it_says_what_the_model_is_for(self, data: bytes, method: str, message: str) -> None:
        model = mninfer.load(data, preprocess=UNIT)
        with pytest.raises(UnsupportedModelError, match=message) as caught:
            getattr(model, method)(shape("red", "circle"))
        assert f"to {model.spec.task}" in caught.value.hints[0]


def test_a_single_number_without_a_sigmoid_is_no_class() -> None:
    def one_output(last: str) -> Model:
        b = GraphBuilder()
        x, pooled, y = b.activation("x", (1, 4, 4, 3)), b.activation("pooled", (1, 3)), b.activation("y", (1, 1))
        b.operator("MEAN", [x, b.constant("axes", np.array([1, 2], np.int32))], [pooled], "ReducerOptions", {})
        weights = b.constant("weights", np.ones((1, 3), np.float32))
        score = y if not last else b.activation("score", (1, 1))
        bias = b.constant("bias", np.zeros(1, np.float32))
        b.operator("FULLY_CONNECTED", [pooled, weights, bias], [score], "FullyConnectedOptions", {})
        if last:
            b.operator(last, [score], [y])
        return mninfer.load(b.build([x], [y]), preprocess="inception")

    assert one_output("LOGISTIC").classify(shape("red", "circle")).best.score < 0.5
    with pytest.raises(UnsupportedModelError, match="single number"):
        one_output("").classify(shape("red", "circle"))


class TestRun:
    def test_arrays_are_checked(self, classifier: Model) -> None:
        good = np.zeros((1, 48, 48, 3), np.float32)
        assert classifier.run([good])[0].shape == (1, 16)
        with pytest.raises(InputError, match=r"is float32 \[1, 48, 48, 3\]; the array is uint8 \[48, 48, 3\]"):
            classifier.run([np.zeros((48, 48, 3), np.uint8)])
        with pytest.raises(InputError, match=r"is float32 \[1, 48, 48, 3\]; the array is [<>]f4 \[1, 48, 48, 3\]"):
            classifier.run([good.astype(good.dtype.newbyteorder("S"))])
        with pytest.raises(InputError, match="1 inputs; 2 arrays"):
            classifier.run([good, good])
        with pytest.raises(TypeError, match="numpy arrays, not list"):
            classifier.run([good.tolist()])

    def test_a_closed_model_says_so(self) -> None:
        with mninfer.load(shapes_float(), preprocess="inception") as model:
            model.classify(shape("red", "circle"))
        with pytest.raises(ValueError, match="closed"):
            model.classify(shape("red", "circle"))


class TestMisuse:
    def test_a_closed_model_says_so(self) -> None:
        model = mninfer.load(shapes_float(), preprocess="inception")
        model.close()
        with pytest.raises(ValueError, match="the model is closed"):
            model.classify_many([shape("red", "circle")])
        with pytest.raises(ValueError, match="the model is closed"), model:
            pass
        with pytest.raises(ValueError, match="closed"):
            model.classify(shape("red", "circle"))
        model.close()

    @pytest.mark.parametrize("one", ["photo.jpg", Path("photo.jpg"), b"\xff\xd8", np.zeros((4, 4, 3), np.uint8)])
    def test_one_picture_is_not_many(self, classifier: Model, one: object) -> None:
        with pytest.raises(TypeError, match=r"takes several pictures, not one .*: give a list"):
            classifier.classify_many(one)

    @pytest.mark.parametrize("threshold", [float("nan"), -0.1, 1.5])
    def test_a_threshold_is_a_score(self, threshold: float) -> None:
        with mninfer.load(red_detector(), preprocess=UNIT) as model, pytest.raises(ValueError, match="from 0 to 1"):
            model.detect(shape("red", "circle"), threshold=threshold)

    def test_one_input_takes_its_array_alone(self, classifier: Model) -> None:
        spec = classifier.spec.inputs[0]
        array = np.zeros(spec.shape, spec.dtype)
        assert np.array_equal(classifier.run(array)[0], classifier.run([array])[0])
        with pytest.raises(InputError, match="the array is"):
            classifier.run(array[0])


class TestMany:
    @pytest.mark.parametrize("workers", [None, 1, 3])
    def test_it_gives_what_one_at_a_time_gives(self, classifier: Model, workers: int | None) -> None:
        pictures = shape_pictures(30, seed=21)[0]
        expected = [classifier.classify(picture) for picture in pictures]
        assert list(classifier.classify_many(pictures, workers=workers)) == expected

    def test_a_bad_picture_is_a_failure_in_its_place(self, classifier: Model, tmp_path: Path) -> None:
        good = encoded(shape("yellow", "cross"))
        missing = tmp_path / "missing.png"
        results = list(classifier.classify_many([good, b"bad", good, missing, good], top=1))
        assert [type(result) for result in results] == [
            Classification, Failure, Classification, Failure, Classification,
        ]  # fmt: skip
        assert isinstance(results[3], Failure)
        assert results[3].source == os.fspath(missing)
        assert isinstance(results[1].error, InputError)

    def test_an_endless_source_can_be_left(self, classifier: Model) -> None:
        picture = shape("red", "cross")
        results = classifier.classify_many(picture for _ in count())
        assert [result.best.label for result in islice(results, 5)] == ["red cross"] * 5
        results.close()  # type: ignore[attr-defined]

    def test_no_workers_is_a_misuse(self, classifier: Model) -> None:
        with pytest.raises(ValueError, match="workers must be 1 or more, not 0"):
            classifier.classify_many([], workers=0)

    def test_a_delegate_or_gpu_is_shared_by_the_workers(self, monkeypatch: pytest.MonkeyPatch) -> None:
        model = mninfer.load(shapes_float(), preprocess="inception", labels=CLASSES)
        from dataclasses import replace

        def no_more(_: int | None) -> None:
            pytest.fail("opened a second engine")

        monkeypatch.setattr(model, "_engines", replace(model._engines, open=no_more))
        monkeypatch.setattr(type(model.engine), "is_shareable", False)
        results = model.classify_many([shape("red", "cross")] * 6, workers=3)
        assert [result.best.label for result in results] == ["red cross"] * 6

    def test_a_worker_that_does_not_open_closes_the_others(self, monkeypatch: pytest.MonkeyPatch) -> None:
        from dataclasses import replace

        from mninfer.errors import EngineError

        model = mninfer.load(shapes_float(), preprocess="inception")
        opened: list[str] = []

        class Counted:
            run = None

            def close(self) -> None:
                opened.remove("engine")

        def two_at_most(_: int | None) -> Counted:
            if len(opened) == 2:
                raise EngineError("no memory for a third")
            opened.append("engine")
            return Counted()

        monkeypatch.setattr(model, "_engines", replace(model._engines, open=two_at_most))
        with pytest.raises(EngineError, match="no memory for a third"):
            list(model.classify_many([shape("red", "cross")], workers=3))
        assert opened == []

    def test_no_classes_is_a_misuse(self, classifier: Model) -> None:
        for misuse in (
            lambda: classifier.classify(shape("red", "cross"), top=0),
            lambda: classifier.classify_many([], 0),
        ):
            with pytest.raises(ValueError, match="top must be 1 or more, not 0"):
                misuse()


def test_what_is_known_of_a_model_cannot_be_changed(classifier: Model) -> None:
    with pytest.raises(AttributeError):
        classifier.spec = classifier.spec  # type: ignore[misc]


def test_the_stages_can_be_called_one_by_one(classifier: Model) -> None:
    picture = shape("red", "cross")
    (scores,) = classifier.run([classifier.preprocessor(picture)])
    assert CLASSES[int(scores.argmax())] == "red cross"
    assert classifier.meaning.num_classes == len(CLASSES)


def test_threads_may_share_a_model(classifier: Model) -> None:
    pictures = shape_pictures(60, seed=31)[0]
    expected = [classifier.classify(picture) for picture in pictures]
    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(classifier.classify, pictures)) == expected


class TestCheck:
    def test_a_file_of_ours_matches_its_golden_vectors(self) -> None:
        from mninfer.model_file.annotating import annotate

        for data in (shapes_float(), shapes_int8()):
            plain = mninfer.load(data)
            ours = annotate(data, run=plain.run, preprocess=PRESETS["inception"], labels=CLASSES)
            report = mninfer.load(ours).check()
            assert report.ok, report.message
            assert report.engine == f"{plain.engine.name} {plain.engine.version}"

    def test_a_foreign_file_has_none(self, classifier: Model) -> None:
        with pytest.raises(ModelFileError, match="no golden vectors") as caught:
            classifier.check()
        assert "mninfer annotate" in caught.value.hints[0]


def test_it_prints_what_it_is(classifier: Model) -> None:
    assert repr(classifier).startswith("<Model classify float32[1, 48, 48, 3] on ")


@pytest.mark.shared
class TestModelsByOthers:
    @pytest.mark.parametrize(
        ("name", "picture", "label"),
        [
            ("mobilenet_v1_0.25_128_quant.tflite", "burger.jpg", "cheeseburger"),
            ("mobilenet_v1_0.25_128_quant.tflite", "parrot.jpg", "macaw"),
            ("mobilenet_v1_0.25_224_quant_with_metadata.tflite", "burger.jpg", "cheeseburger"),
            ("mobilenet_v1_0.25_224_quant_with_metadata.tflite", "cat_720p.jpg", "Egyptian cat"),
            ("mobilenet_v2_1.0_224_quant.tflite", "burger.jpg", "cheeseburger"),
            ("mobilenet_v2_1.0_224_quant.tflite", "burger_rotation180.jpg", "cheeseburger"),
            ("mobilenet_v2_1.0_224_quant.tflite", "cat_720p.jpg", "Egyptian cat"),
        ],
    )
    def test_they_name_what_is_there(self, shared: Path, name: str, picture: str, label: str) -> None:
        labels = None if "metadata" in name else shared / "models" / "imagenet_labels.txt"
        model = mninfer.load(shared / "models" / name, labels=labels)
        assert model.classify(shared / "images" / picture).best.label == label

    def test_cats_and_dogs_are_boxed(self, shared: Path) -> None:
        model = mninfer.load(shared / "models" / "coco_ssd_mobilenet_v1_1.0_quant_2018_06_29.tflite")
        found = model.detect(shared / "images" / "cats_and_dogs.jpg", threshold=0.45)
        assert {"cat", "dog"} == {detection.label for detection in found}
        left_cat = min((d for d in found if d.label == "cat"), key=lambda d: d.box.left).box
        assert left_cat.left == pytest.approx(60, abs=40)
        assert left_cat.bottom == pytest.approx(595, abs=20)
