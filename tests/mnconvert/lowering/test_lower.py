"""From a Keras model to flatbuffers: the same outputs, every BatchNorm found, the given model as it was."""

import numpy as np
import pytest

pytest.importorskip("keras", reason="needs Keras: make test")
pytest.importorskip("tensorflow", reason="needs TensorFlow: make test")

import keras
from keras import layers

import mninfer
from mnconvert.config import ConvertConfig, Ends, Scores, Variant
from mnconvert.keeping import layers_by_operator
from mnconvert.lowering.leading_layers import find_leading_layers
from mnconvert.lowering.lower import lower
from mnconvert.source import open_source
from mninfer.errors import UnsupportedModelError
from mninfer.model_file import check_model, misread_by_xnnpack
from mninfer.preprocessing import StatedPreprocess
from mnmodels.architectures.registry import build_model

pytestmark = pytest.mark.slow

RNG = np.random.default_rng(4)
PICTURES = RNG.uniform(-1, 1, (2, 32, 32, 3)).astype(np.float32)


def lowered(model, **config):
    return lower(model, find_leading_layers(model), ConvertConfig(**config))


def outputs(flatbuffer, pictures=PICTURES):
    with mninfer.load(flatbuffer, preprocess="inception") as model:
        return np.concatenate([model.run([picture[None]])[0] for picture in pictures])


def lively(model):
    """Statistics and affine parameters as after training."""
    for layer in model._flatten_layers():
        if type(layer).__name__ == "BatchNormalization":
            for variable, low, high in ((layer.gamma, 0.5, 2), (layer.beta, -1, 1), (layer.moving_variance, 0.2, 3)):
                if variable is not None:
                    variable.assign(RNG.uniform(low, high, variable.shape))
            layer.moving_mean.assign(RNG.normal(0, 1, layer.moving_mean.shape))
    return model


def residual():
    inputs = keras.Input((32, 32, 3))
    x = layers.Conv2D(8, 3, padding="same", use_bias=False, name="stem")(inputs)
    y = layers.ReLU()(layers.BatchNormalization(name="before")(x))  # before its convolution: nothing to fold into
    y = layers.BatchNormalization(name="after", center=False)(layers.Conv2D(8, 3, padding="same")(y))
    x = layers.Activation("relu6")(layers.Add()([x, y]))
    x = layers.BatchNormalization(name="dense", scale=False)(layers.Dense(6)(layers.GlobalAveragePooling2D()(x)))
    return lively(keras.Model(inputs, layers.Dense(3, activation="softmax")(x)))


def test_a_mobilenet_computes_the_same():
    model = lively(build_model("mobilenet_v2", alpha=0.35, form="cifar_small", classes=10))
    result = lowered(model)
    graph = check_model(result.flatbuffer)
    np.testing.assert_allclose(outputs(result.flatbuffer), result.reference(PICTURES)[0], atol=1e-5)
    np.testing.assert_allclose(result.reference(PICTURES)[0], model(PICTURES), atol=1e-6)
    assert "PAD" not in {operator.name for operator in graph.operators}
    assert graph.tensors[graph.inputs[0]].shape_signature == (1, 32, 32, 3)
    num_norms = sum(type(layer).__name__ == "BatchNormalization" for layer in model.layers)
    assert len(result.norms) == num_norms


def test_each_batch_norm_is_found_where_it_ends():
    model = residual()
    result = lowered(model)
    graph = check_model(result.flatbuffer)
    found = sorted(float(moments.mean[0]) for moments in result.norms.values())
    wanted = [model.get_layer(name) for name in ("before", "after", "dense")]
    assert found == pytest.approx(sorted(float(layer.beta[0]) if layer.center else 0.0 for layer in wanted))
    for index, moments in result.norms.items():
        assert graph.tensors[index].shape[-1:] == moments.mean.shape
    np.testing.assert_allclose(outputs(result.flatbuffer), model(PICTURES), atol=1e-5)


def test_unfused_keeps_each_norm_as_mul_and_add():
    result = lowered(residual())
    loose = result.unfused(Variant.NONE)
    names = [operator.name for operator in check_model(loose).operators]
    assert names.count("MUL") == 3
    assert len(check_model(loose).inputs) == 1
    np.testing.assert_allclose(outputs(loose), outputs(result.flatbuffer), atol=1e-5)


@pytest.mark.parametrize("last", [layers.Dense(3, activation="softmax"), "own layer"])
def test_logits_are_what_the_softmax_gets(last):
    inputs = keras.Input((32, 32, 3))
    x = layers.GlobalAveragePooling2D()(layers.Conv2D(4, 3)(inputs))
    x = layers.Softmax()(layers.Dense(3)(x)) if last == "own layer" else last(x)
    model = keras.Model(inputs, x)
    logits = outputs(lowered(model, scores=Scores.LOGITS).flatbuffer).astype(np.float64)
    softmax = np.exp(logits) / np.exp(logits).sum(-1, keepdims=True)
    np.testing.assert_allclose(softmax, model(PICTURES), atol=1e-6)
    assert np.abs(logits.sum(-1) - 1).max() > 1e-3


def pooled(*last):
    inputs = keras.Input((32, 32, 3))
    x = layers.GlobalAveragePooling2D()(layers.Conv2D(4, 3)(inputs))
    for layer in last:
        x = layer(x)
    return keras.Model(inputs, x)


def test_logits_of_a_sigmoid():
    model = pooled(layers.Dense(3, activation="sigmoid"))
    logits = outputs(lowered(model, scores=Scores.LOGITS).flatbuffer)
    np.testing.assert_allclose(1 / (1 + np.exp(-logits)), model(PICTURES), atol=1e-6)


@pytest.mark.parametrize(
    ("scores", "last", "message"),
    [
        ("probabilities", [layers.Dense(3)], "ends without a softmax or sigmoid: it gives logits"),
        ("logits", [layers.Dense(3, activation="softmax"), layers.Reshape((3,))], "softmax or sigmoid in the middle"),
    ],
)
def test_scores_that_a_network_does_not_give_are_refused(scores, last, message):
    with pytest.raises(UnsupportedModelError, match=message):
        lowered(pooled(*last), scores=Scores(scores))


def test_the_given_model_stays_as_it_is():
    model = residual()
    nodes = {layer.name: len(layer._inbound_nodes) for layer in model.layers}
    before = [weight.copy() for weight in model.get_weights()]
    lowered(model)
    assert {layer.name: len(layer._inbound_nodes) for layer in model.layers} == nodes
    assert all((a == b).all() for a, b in zip(before, model.get_weights(), strict=True))


def test_own_normalization_is_taken_out():
    inputs = keras.Input((32, 32, 3))
    x = layers.Conv2D(4, 3)(layers.Rescaling(1 / 127.5, offset=-1)(inputs))
    model = keras.Model(inputs, layers.Dense(3)(layers.Flatten()(x)))
    result = lowered(model)
    pixels = np.round((PICTURES + 1) * 127.5).astype(np.float32)
    normalized = pixels / 127.5 - 1
    np.testing.assert_allclose(outputs(result.flatbuffer, normalized), model(pixels), atol=1e-4)
    np.testing.assert_allclose(result.reference(normalized)[0], model(pixels), atol=1e-4)


def test_learned_groups_leave_no_arithmetic_on_weights():
    model = build_model("mobilenet_v2_lgc", alpha=0.35, form="cifar_small", classes=10)
    for layer in model.layers:
        if type(layer).__name__ == "LearnedGroupConv2D":
            layer.condense(layer.condense_factor - 1)
    result = lowered(lively(model))
    graph = check_model(result.flatbuffer)
    constant = [op for op in graph.operators if all(i < 0 or graph.tensors[i].data is not None for i in op.inputs)]
    assert not constant
    np.testing.assert_allclose(outputs(result.flatbuffer), model(PICTURES), atol=1e-5)


def test_a_size_that_is_open_is_asked_for():
    inputs = keras.Input((None, None, 3))
    model = keras.Model(inputs, layers.GlobalAveragePooling2D()(layers.Conv2D(4, 3)(inputs)))
    with pytest.raises(UnsupportedModelError, match="takes pictures of any size") as caught:
        lowered(model)
    assert "--size HEIGHT WIDTH" in caught.value.hints[0]
    assert check_model(lowered(model, size=(20, 24)).flatbuffer).tensors[0].shape == (1, 20, 24, 3)
    with pytest.raises(UnsupportedModelError, match="fixed to 32 32"):
        lowered(build_model("mobilenet_v1", alpha=0.25, form="cifar_small", classes=10), size=(64, 64))


def test_other_inputs_than_a_picture_are_refused():
    inputs = keras.Input((7,))
    with pytest.raises(UnsupportedModelError, match="not one picture"):
        lowered(keras.Model(inputs, layers.Dense(3)(inputs)))


def test_an_integer_skeleton_has_the_ends_that_were_asked_for():
    result = lowered(residual())
    for ends in (Ends.UINT8, Ends.INT8, Ends.FLOAT32):
        graph = check_model(result.variant_of(Variant.INT8, ends))
        assert {graph.tensors[i].dtype for i in (*graph.inputs, *graph.outputs)} == {str(ends)}


def headed(axis):
    inputs = keras.Input((32, 32, 3))
    x = layers.GlobalAveragePooling2D()(layers.Conv2D(8, 3, strides=2)(inputs))
    x = layers.ReLU()(layers.BatchNormalization(axis=axis, name="dense")(layers.Dense(6, use_bias=False)(x)))
    return lively(keras.Model(inputs, layers.Dense(3)(x)))


@pytest.mark.parametrize("axis", [1, -1])
def test_a_batch_norm_behind_a_dense_is_found_however_its_axis_is_written(axis):
    """Keras 2 counts from the front: 1 is the last of two axes."""
    model = headed(axis)
    (moments,) = lowered(model).norms.values()
    np.testing.assert_allclose(moments.mean, model.get_layer("dense").beta)


@pytest.mark.parametrize("name", ["conv 1", "été", "_conv", "a;b:0"])
def test_a_layer_may_have_any_name_that_keras_takes(name):
    inputs = keras.Input((32, 32, 3))
    inner = keras.Sequential([keras.Input((30, 30, 4)), layers.ReLU()], name=f"{name} in it")
    x = inner(layers.Conv2D(4, 3, name=name)(inputs))
    model = keras.Model(inputs, layers.Dense(3)(layers.GlobalAveragePooling2D()(x)), name=name)
    result = lowered(model)
    np.testing.assert_allclose(outputs(result.flatbuffer), model(PICTURES), atol=1e-5)
    assert layers_by_operator(check_model(result.flatbuffer), model)[0][0] == name


def test_outputs_with_names_are_in_the_file_s_order():
    inputs = keras.Input((32, 32, 3))
    x = layers.GlobalAveragePooling2D()(layers.Conv2D(4, 3)(inputs))
    model = keras.Model(inputs, {"zebra": layers.Dense(5)(x), "ape": layers.Dense(2)(x)})
    result = lowered(model)
    ape, zebra = result.reference(PICTURES)
    assert (ape.shape[1], zebra.shape[1]) == (2, 5)
    np.testing.assert_allclose(outputs(result.flatbuffer), ape, atol=1e-5)


def test_a_sequential_of_networks_converts():
    """As one fine-tunes: a base, pooling, a head."""
    inputs = keras.Input((32, 32, 3))
    base = lively(keras.Model(inputs, layers.ReLU()(layers.BatchNormalization()(layers.Conv2D(4, 3)(inputs)))))
    model = keras.Sequential([base, layers.GlobalAveragePooling2D(), layers.Dense(3, activation="softmax")])
    source = open_source(model, ConvertConfig(preprocess=StatedPreprocess.parse(preprocess="inception")))
    result = lowered(source.model)
    assert len(result.norms) == 1
    np.testing.assert_allclose(outputs(result.flatbuffer), model(PICTURES), atol=1e-5)


@pytest.mark.parametrize(("window", "strides", "is_left"), [(3, 4, False), ((1, 1), 2, False), ((3, 1), 2, True)])
def test_padding_that_adds_nothing_is_no_padding(window, strides, is_left):
    """XNNPACK computes it wrongly; where one side is padded and the other leaves pixels over, it stays, and is told."""
    inputs = keras.Input((32, 32, 3))
    x = layers.Conv2D(8, window, strides=strides, padding="same", activation="relu")(inputs)
    x = layers.DepthwiseConv2D(3, strides=4, padding="same")(x)
    model = keras.Model(inputs, layers.Dense(3, activation="softmax")(layers.GlobalAveragePooling2D()(x)))
    result = lowered(model)
    assert (misread_by_xnnpack(check_model(result.flatbuffer)) is not None) == is_left
    np.testing.assert_allclose(outputs(result.flatbuffer), result.reference(PICTURES)[0], atol=1e-5)
