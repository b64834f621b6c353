"""Keras models under evaluation: where their preprocessing comes from, and that their numbers are the model's own."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

keras = pytest.importorskip("keras", reason="needs Keras: make test")

from mninfer.errors import EngineError, ModelFileError, PreprocessError, UnsupportedModelError  # noqa: E402
from mninfer.model_file import SourceContract  # noqa: E402
from mninfer.preprocessing import PRESETS, PreprocessSource, StatedPreprocess, parse_preprocess  # noqa: E402
from mnmodels.architectures.registry import build_model  # noqa: E402
from mnmodels.data import ArrayPictures  # noqa: E402
from mnmodels.evaluation import ClassMatch, KerasConfig, evaluate, open_keras_predictor  # noqa: E402
from mnmodels.evaluation.keras_predictor import KerasPredictor, input_tensor  # noqa: E402
from mnmodels.evaluation.keras_preprocess import infer_preprocess, likeness, settle_preprocess  # noqa: E402
from mnmodels.keras_file import load_keras, save_keras  # noqa: E402
from support.labelled import encoded, write_tree  # noqa: E402

layers = keras.layers
NOTHING = StatedPreprocess()


def small(*before: Any, size: tuple[int | None, int | None] = (8, 8), head: str | None = "softmax") -> Any:
    """A network of 12 parameters: mean colour, then three classes."""
    keras.utils.set_random_seed(1)
    parts = [*before, layers.GlobalAveragePooling2D(), layers.Dense(3, activation=head)]
    return keras.Sequential([keras.Input((*size, 3)), *parts])


def pictures(count: int = 11) -> ArrayPictures:
    rng = np.random.default_rng(3)
    images = np.repeat(np.repeat(rng.integers(0, 256, (count, 1, 1, 3), np.uint8), 8, axis=1), 8, axis=2)
    return ArrayPictures(
        images=images,
        classes=rng.integers(0, 3, count),
        labels=("a", "b", "c"),
        names=[str(number) for number in range(count)],
    )


def predictor_of(model: Any, batch: int = 4, **fields: Any) -> KerasPredictor:
    return KerasPredictor(
        model=model, preprocess=PRESETS["inception"], labels=None, file_facts={"name": "m"}, batch=batch, **fields
    )


def located(data: ArrayPictures) -> list[tuple[str, Any]]:
    return [(name, data.source(index)) for index, name in enumerate(data.names)]


@pytest.mark.parametrize("batch", [1, 4, 32])
def test_scores_are_the_models_own(batch: int) -> None:
    """11 pictures, so that the last batch is not full."""
    model, data = small(), pictures()
    expected = np.asarray(model(data.images.astype(np.float32) / 127.5 - 1))
    found = list(predictor_of(model, batch).predict(located(data), 3))
    assert [each[0].index for each in found] == expected.argmax(axis=1).tolist()
    np.testing.assert_allclose([each[0].score for each in found], expected.max(axis=1), atol=1e-5)


def test_logits_become_probabilities() -> None:
    found = next(predictor_of(small(head=None)).predict(located(pictures(1)), 3))
    assert sum(each.score for each in found) == pytest.approx(1)


@pytest.mark.parametrize("function", ["softmax", "sigmoid"])
def test_probabilities_of_a_plain_operation_are_left_as_they_are(function: str) -> None:
    inner, data = small(head=None), pictures(3)
    model = keras.Model(inner.inputs[0], getattr(keras.ops, function)(inner.outputs[0]))
    expected = np.asarray(model(data.images.astype(np.float32) / 127.5 - 1))
    found = list(predictor_of(model).predict(located(data), 3))
    np.testing.assert_allclose([each[0].score for each in found], expected.max(axis=1), atol=1e-5)


def test_the_same_run_gives_the_same_digits() -> None:
    model, data = small(), pictures()
    runs = [evaluate(predictor_of(model), data, ClassMatch((0, 1, 2), "told")).to_json() for _ in range(2)]
    assert runs[0] == runs[1]
    assert runs[0]["model"]["engine"].startswith("keras ")


def test_a_model_that_computes_nan_is_named() -> None:
    model = small()
    model.layers[-1].bias.assign([np.nan] * 3)
    with pytest.raises(EngineError, match="NaN"):
        list(predictor_of(model).predict(located(pictures(2)), 3))


def test_what_takes_no_picture_or_gives_no_classes_is_named() -> None:
    with pytest.raises(UnsupportedModelError, match="not one picture"):
        input_tensor(keras.Sequential([keras.Input((4,)), layers.Dense(2)]))
    with pytest.raises(UnsupportedModelError, match="--input-size WIDTHxHEIGHT"):
        input_tensor(small(size=(None, None)))
    with pytest.raises(UnsupportedModelError, match="is 8 x 8, not 9 x 9"):
        input_tensor(small(), (9, 9))
    assert input_tensor(small(size=(None, None)), (9, 7)).shape == (1, 7, 9, 3)


def test_one_output_is_no_classifier(tmp_path: Path) -> None:
    model = keras.Sequential([keras.Input((8, 8, 3)), layers.GlobalAveragePooling2D(), layers.Dense(1, "sigmoid")])
    save_keras(model, tmp_path / "m.keras")
    with pytest.raises(UnsupportedModelError, match="not one score for each of two classes"):
        open_keras_predictor(load_keras(tmp_path / "m.keras"), KerasConfig())


@pytest.mark.parametrize(
    ("before", "is_inferred"),
    [
        ([layers.Rescaling(1 / 127.5, -1)], True),
        ([layers.Rescaling(1 / 255)], True),
        ([layers.Resizing(8, 8), layers.RandomFlip(), layers.Rescaling(1 / 255)], True),
        ([layers.Normalization(mean=[1.0, 2.0, 3.0], variance=[4.0, 5.0, 6.0])], True),
        ([layers.Rescaling(2, -1)], False),  # meant for 0..1
        ([layers.Conv2D(3, 1), layers.Rescaling(1 / 255)], False),
        ([], False),
    ],
)
def test_a_network_that_begins_by_normalizing_takes_pixels(before: list[Any], is_inferred: bool) -> None:
    spec = infer_preprocess(small(*before))
    assert (spec is not None) == is_inferred
    if spec is not None:
        assert spec.is_raw
        assert spec.source is PreprocessSource.INFERRED


ARITHMETIC = {
    "x / 127.5 - 1": (lambda x: x / 127.5 - 1.0, True),
    "per channel": (lambda x: (x - np.array([120.0, 110.0, 100.0], "float32")) / 58.0, True),
    "cast, 1 - x / 255": (lambda x: 1 - keras.ops.cast(x, "float32") / 255, True),
    "by name": (lambda x: keras.ops.multiply(x2=x, x1=1 / 255), True),
    "meant for 0..1": (lambda x: x * 2.0 - 1.0, False),
    "not affine": (keras.ops.square, False),
    "BGR first": (lambda x: x[..., ::-1] / 127.5 - 1, False),
}


@pytest.mark.parametrize("name", ARITHMETIC)
def test_arithmetic_in_front_of_a_known_network_is_never_done_twice(name: str, tmp_path: Path) -> None:
    """As layers do, arithmetic with constants tells; what isn't understood is asked for: nothing is assumed."""
    written, is_inferred = ARITHMETIC[name]
    inputs = keras.Input((96, 96, 3))
    model = keras.Model(inputs, build_model("mobilenet_v1", alpha=0.25, input_shape=(96, 96, 3))(written(inputs)))
    save_keras(model, tmp_path / "m.keras")
    for network in (model, load_keras(tmp_path / "m.keras").model):
        assert likeness(network) is None
        if is_inferred:
            spec, warning = settle_preprocess(network, stated=NOTHING, in_file=None)
            assert (spec.is_raw, spec.source, warning) == (True, PreprocessSource.INFERRED, None)
        else:
            with pytest.raises(PreprocessError, match="nothing says"):
                settle_preprocess(network, stated=NOTHING, in_file=None)


def test_a_sum_of_two_tensors_is_no_normalization() -> None:
    inputs = keras.Input((8, 8, 3))
    assert infer_preprocess(keras.Model(inputs, layers.Conv2D(3, 1)(inputs) + inputs)) is None


def test_stated_comes_before_the_file_and_the_file_before_layers() -> None:
    model = small(layers.Rescaling(1 / 255))
    in_file = parse_preprocess("torch", resize="letterbox")
    assert settle_preprocess(model, stated=NOTHING, in_file=None)[0].source is PreprocessSource.INFERRED
    spec, warning = settle_preprocess(model, stated=NOTHING, in_file=in_file)
    assert (spec.mean, spec.source, warning) == (in_file.mean, PreprocessSource.FILE, None)
    stated = StatedPreprocess.parse(resize="stretch")
    spec, _ = settle_preprocess(model, stated=stated, in_file=in_file)
    assert (spec.mean, spec.resize, spec.source) == (in_file.mean, "stretch", PreprocessSource.STATED)


@pytest.mark.parametrize(
    ("before", "stated", "is_told"),
    [
        ([layers.Rescaling(1 / 127.5, -1)], StatedPreprocess.parse(preprocess="inception"), True),
        ([layers.Rescaling(1 / 127.5, -1)], StatedPreprocess.parse(preprocess="raw"), False),
        ([layers.Rescaling(1 / 127.5, -1)], StatedPreprocess.parse(resize="letterbox"), False),
        ([], StatedPreprocess.parse(preprocess="inception"), False),
    ],
)
def test_what_is_normalized_twice_is_told(before: list[Any], stated: StatedPreprocess, is_told: bool) -> None:
    _, warning = settle_preprocess(small(*before), stated=stated, in_file=None)
    assert (warning is not None and "normalized twice" in warning) == is_told


def test_nothing_is_guessed() -> None:
    with pytest.raises(PreprocessError, match="neither you, nor the file, nor its layers"):
        settle_preprocess(small(), stated=NOTHING, in_file=None)


@pytest.mark.parametrize(("name", "alpha"), [("mobilenet_v1", 0.25), ("mobilenet_v2", 0.35)])
def test_a_known_network_is_told_by_its_layers_alone(name: str, alpha: float) -> None:
    model = build_model(name, alpha=alpha, input_shape=(96, 96, 3))
    for layer in model.layers:
        layer.name = f"renamed_{layer.name}"
    assert likeness(model) == f"{name} {alpha}"
    spec, warning = settle_preprocess(model, stated=NOTHING, in_file=None)
    assert spec.source is PreprocessSource.ASSUMED
    assert (spec.resize, spec.crop_fraction, spec.mean[0]) == ("crop", 0.875, 127.5)
    assert warning is not None
    assert "assumed" in warning


def test_what_is_only_similar_is_not_known() -> None:
    assert likeness(build_model("mobilenet_v1", alpha=0.25, form="cifar_small", classes=1000)) is None
    assert likeness(build_model("mobilenet_v1", alpha=0.25, input_shape=(96, 96, 3), classes=10)) is None
    assert likeness(small()) is None


def test_labels_and_preprocessing_come_with_the_file(tmp_path: Path) -> None:
    contract = SourceContract(labels=("a", "b", "c"), preprocess=PRESETS["inception"])
    save_keras(small(), tmp_path / "m.keras", contract=contract)
    predictor, lines = open_keras_predictor(load_keras(tmp_path / "m.keras"), KerasConfig())
    assert predictor.labels == ("a", "b", "c")
    assert predictor.preprocess.source is PreprocessSource.FILE
    assert not [line for line in lines if line.startswith("warning")]
    assert len(predictor.facts()["sha256"]) == 64


def test_too_many_labels_are_refused(tmp_path: Path) -> None:
    save_keras(small(layers.Rescaling(1 / 255)), tmp_path / "m.keras")
    (tmp_path / "labels.txt").write_text("background\na\nb\nc\n", encoding="utf-8")
    with pytest.raises(ModelFileError, match="4 labels for 3 classes") as caught:
        open_keras_predictor(load_keras(tmp_path / "m.keras"), KerasConfig(labels=str(tmp_path / "labels.txt")))
    assert "take that line out" in str(caught.value)


def test_the_command_evaluates_a_keras_file(cli: Any, tmp_path: Path) -> None:
    contract = SourceContract(labels=("a", "b", "c"), preprocess=PRESETS["inception"])
    save_keras(small(), tmp_path / "m.h5", contract=contract)
    files = {f"{'abc'[number % 3]}/{number}.png": encoded(number * 20) for number in range(7)}
    outcome = cli("evaluate", tmp_path / "m.h5", write_tree(tmp_path / "data", files))
    assert outcome.code == 0, outcome.err
    assert "of 7)" in outcome.out
    assert "(file)" in outcome.out


@pytest.mark.parametrize(
    ("stated", "code", "told"),
    [
        (("--threads", "2", "--engine", "litert"), 2, "leave out --engine, --threads"),
        (("--alpha", "0.5"), 2, "--arch NAME"),
        (("--sha256", "0" * 64), 1, "the file has sha256 "),
    ],
)
def test_the_command_takes_no_option_in_vain(
    cli: Any, tmp_path: Path, stated: tuple[str, ...], code: int, told: str
) -> None:
    save_keras(small(layers.Rescaling(1 / 255)), tmp_path / "m.h5")
    files = {f"{'abc'[number]}/{number}.png": encoded(number * 20) for number in range(3)}
    outcome = cli("evaluate", tmp_path / "m.h5", write_tree(tmp_path / "data", files), *stated)
    assert outcome.code == code
    assert told in outcome.err
