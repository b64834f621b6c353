"""What is asked of a file's structure, from Keras to the file: BatchNorm, batch, size, scores, runtime."""

from dataclasses import replace

import numpy as np
import pytest

pytest.importorskip("tensorflow", reason="needs TensorFlow: make test")

import mninfer
from mnconvert.config import Scores
from mnconvert.conversion import Conversion, Failed
from mnconvert.pipeline import convert, convert_all
from mninfer.errors import UnsupportedModelError
from mninfer.model_file import check_model, runtime_by_operator
from mninfer.preprocessing import Preprocessor, StatedPreprocess
from mninfer.spec import Task
from support.keras_networks import keras, labelled_shapes, request, shapes_keras
from support.networks import SHAPES_SIZE
from support.pictures import CLASSES


def operators(conversion: Conversion) -> list[str]:
    return [operator.name for operator in check_model(conversion.data).operators]


def outputs(conversion: Conversion, pictures: np.ndarray) -> np.ndarray:
    """In real numbers, through the file's own contract and in batches as it takes them."""
    with mninfer.load(conversion.data) as model:
        size, spec = model.spec.inputs[0].shape[0], model.spec.outputs[0]
        tensors = _prepared(model.spec, pictures)
        batches = [tensors[first : first + size] for first in range(0, len(pictures), size)]
        found = np.concatenate([model.run([batch])[0] for batch in batches])
        if spec.quantization is None:
            return found
        return (found.astype(np.float64) - spec.quantization.zero_points[0]) * spec.quantization.scales[0]


def _prepared(spec: mninfer.ModelSpec, pictures: np.ndarray) -> np.ndarray:
    tensor = replace(spec.inputs[0], shape=(1, *spec.inputs[0].shape[1:]))
    assert spec.preprocess is not None
    prepare = Preprocessor(spec.preprocess, tensor)
    return np.concatenate([prepare(picture) for picture in pictures])


def with_norms() -> "keras.Model":
    """Two BatchNorms of their own statistics."""
    keras.utils.set_random_seed(3)
    random = np.random.default_rng(3)
    x = image = keras.Input((32, 32, 3))
    for layer in (
        keras.layers.Conv2D(8, 3, strides=2, use_bias=False),
        keras.layers.DepthwiseConv2D(3, use_bias=False),
    ):
        norm = keras.layers.BatchNormalization()
        x = keras.layers.ReLU(6.0)(norm(layer(x)))
        norm.set_weights([random.uniform(low, high, 8) for low, high in ((0.5, 2), (-1, 1), (-1, 1), (0.5, 2))])
    return keras.Model(image, keras.layers.Dense(5)(keras.layers.GlobalAveragePooling2D()(x)))


@pytest.fixture(scope="module")
def pictures() -> np.ndarray:
    return labelled_shapes(8).images


@pytest.mark.parametrize("form", ["list", "name"])
def test_one_input_in_a_list_or_by_name_is_an_input(form: str) -> None:
    whole = with_norms()
    inputs = [whole.inputs[0]] if form == "list" else {whole.inputs[0].name: whole.inputs[0]}
    made, plain = (
        convert(keras.Model(given, whole.output, name="net"), request(variant="int8", labels=None))
        for given in (inputs, whole.inputs[0])
    )
    assert made.data == plain.data


def test_unfused_files_keep_mul_and_add_and_compute_the_same(pictures):
    options = [{"variant": v, "is_fused": f} for v in ("none", "fp16") for f in (True, False)]
    found = convert_all(with_norms(), [request(**each, labels=None) for each in options])
    fused, unfused, fused16, unfused16 = (_made(each) for each in found)
    for each in (unfused, unfused16):
        assert operators(each).count("MUL") == operators(each).count("ADD") == 2
        assert each.report.verification.passed
    assert not {"MUL", "ADD"} & set(operators(fused) + operators(fused16))
    wanted = outputs(fused, pictures)
    assert np.abs(outputs(unfused, pictures) - wanted).max() < 1e-5 * np.abs(wanted).max()
    assert np.abs(outputs(unfused16, pictures) - wanted).max() < 1e-2 * np.abs(wanted).max()


@pytest.mark.parametrize("variant", ["none", "int8"])
def test_a_batch_of_pictures_gives_what_each_gives_alone(variant, pictures):
    model = shapes_keras()
    single, several = (convert(model, request(variant=variant, batch=batch)) for batch in (1, 4))
    assert several.spec.inputs[0].shape == (4, *SHAPES_SIZE, 3)
    assert several.report.verification.passed
    assert "4 pictures at once" in several.report.warnings[0]
    np.testing.assert_allclose(outputs(several, pictures), outputs(single, pictures), atol=1e-6)


def test_a_size_for_a_network_that_takes_any(pictures):
    open_model = shapes_keras(input_shape=(None, None, 3))
    sized = convert(open_model, request(variant="int8", size=SHAPES_SIZE))
    assert sized.spec.inputs[0].shape == (1, *SHAPES_SIZE, 3)
    assert sized.data == convert(shapes_keras(), request(variant="int8")).data
    other = convert(open_model, request(variant="none", size=(64, 80)))
    assert other.spec.inputs[0].shape == (1, 64, 80, 3)
    with pytest.raises(UnsupportedModelError) as caught:
        convert(open_model, request(variant="none"))
    assert "--size" in caught.value.hints[0]


@pytest.mark.parametrize("softmax", ["dense", "layer"])
def test_logits_have_no_softmax_and_still_classify(softmax, pictures):
    model = shapes_keras(softmax=softmax)
    configs = [request(variant=variant, scores=Scores.LOGITS) for variant in ("none", "int8")]
    exact, int8 = (_made(each) for each in convert_all(model, configs))
    tensors = (pictures.astype(np.float32) - 127.5) / 127.5
    probabilities = np.asarray(model(tensors, training=False))
    logits = outputs(exact, pictures)
    for conversion in (exact, int8):
        assert "SOFTMAX" not in operators(conversion)
        assert conversion.report.verification.passed
        assert conversion.spec.task is Task.CLASSIFY
    exponents = np.exp(logits - logits.max(1, keepdims=True))
    np.testing.assert_allclose(exponents / exponents.sum(1, keepdims=True), probabilities, atol=1e-4)
    assert logits.min() < 0
    assert np.abs(outputs(int8, pictures) - logits).max() < 0.15 * np.abs(logits).max()
    with mninfer.load(int8.data) as loaded:
        best = [loaded.classify(picture)[0].label for picture in pictures]
    assert sum(label == CLASSES[index] for label, index in zip(best, probabilities.argmax(1), strict=True)) >= 7


def test_a_target_runtime_gets_what_it_loads_and_the_others_are_marked():
    configs = [request(variant=variant, target_runtime="2.2") for variant in ("int8", "dynamic", "none")]
    int8, dynamic, plain = convert_all(shapes_keras(), configs)
    assert isinstance(dynamic, Failed)
    assert isinstance(dynamic.error, UnsupportedModelError)
    assert "TensorFlow Lite 2.2 can't run the file" in str(dynamic.error)
    assert _made(plain).report.verification.passed
    assert isinstance(int8, Failed)  # its Dense has a scale for each channel
    conversion = convert(shapes_keras(), request(variant="dynamic", target_runtime="2.14"))
    versions = dict(runtime_by_operator(check_model(conversion.data)).keys())
    assert versions["FULLY_CONNECTED"] <= 9
    assert conversion.report.verification.passed


def _made(outcome: Conversion | Failed) -> Conversion:
    if isinstance(outcome, Failed):
        raise outcome.error
    return outcome


def test_what_resizes_pictures_of_one_size_itself_is_verified_behind_that():
    """The float model was given pictures that had been resized already: a traceback."""
    image = keras.Input((64, 64, 3))
    x = keras.layers.Rescaling(1 / 127.5, -1)(keras.layers.Resizing(32, 32)(image))
    made = convert(keras.Model(image, with_norms()(x)), request(preprocess=StatedPreprocess(), labels=None))
    assert made.spec.inputs[0].shape == (1, 32, 32, 3)
    assert made.report.verification.passed


def test_a_model_of_a_fixed_batch_is_verified_in_batches_of_it():
    """It was given eight pictures at once: a traceback where an operation counts on one."""
    image = keras.Input(batch_shape=(3, 32, 32, 3))
    scores = keras.ops.reshape(with_norms()(image), (3, 5, 1))
    bent = keras.layers.LeakyReLU()(scores)  # so that TensorFlow doesn't take the one reshaping for the other's undoing
    model = keras.Model(image, keras.layers.Flatten()(bent))
    made = convert(model, request(labels=None, batch=3))
    assert made.spec.inputs[0].shape == (3, 32, 32, 3)
    assert made.report.verification.passed
    with pytest.raises(UnsupportedModelError, match=r"built for batches of 3, .* 1 were asked for") as caught:
        convert(model, request(labels=None))
    assert caught.value.hints == ("--batch 3",)
