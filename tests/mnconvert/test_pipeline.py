"""The whole way on the shipped network and on small ones: right, verified, described, and the same by every door."""

import numpy as np
import pytest

pytest.importorskip("keras", reason="needs Keras: make test")
pytest.importorskip("tensorflow", reason="needs TensorFlow: make test")

import keras
from keras import layers

import mnconvert
import mninfer
from mnconvert import ConvertConfig, Ends, Variant
from mnconvert.source import open_source
from mninfer.errors import MnError, ModelFileError, PreprocessError, UnsupportedModelError, VerifyError
from mninfer.model_file import read_model
from mninfer.preprocessing import PreprocessSource, StatedPreprocess
from mninfer.spec import Task
from mnmodels.keras_file import load_keras

pytestmark = pytest.mark.slow

VARIANTS = [
    ConvertConfig(), ConvertConfig(is_fused=False), ConvertConfig(variant="fp16"), ConvertConfig(variant="dynamic"),
    ConvertConfig(variant="int8"), ConvertConfig(variant="int8", is_per_tensor=True), ConvertConfig(variant="int16x8"),
]  # fmt: skip

INCEPTION = StatedPreprocess.parse(preprocess="inception")


@pytest.fixture(scope="module")
def shipped(repository):
    return repository / "models" / "pretrained" / "mobilenet_v1_025_cifar10.h5"


@pytest.fixture(scope="module")
def all_of_it(shipped):
    return mnconvert.convert_all(shipped, VARIANTS)


@pytest.fixture(scope="module")
def int8(all_of_it):
    return all_of_it[4]


def test_every_variant_is_verified_and_loads(all_of_it):
    for config, conversion in zip(VARIANTS, all_of_it, strict=True):
        assert isinstance(conversion, mnconvert.Conversion), conversion
        assert conversion.variant is config.variant
        assert conversion.report.verification.passed
        with mninfer.load(conversion.data) as model:
            assert model.check().ok
            assert model.spec.task is Task.CLASSIFY
            assert model.spec.labels is not None
            assert model.spec.labels[3] == "cat"


def test_int8_is_small_and_takes_pixels(all_of_it, int8):
    assert len(int8.data) < 0.36 * len(all_of_it[0].data)
    assert int8.spec.inputs[0].dtype == "uint8"
    file = read_model(int8.data, where="it")
    quantization = file.graph.tensors[file.graph.inputs[0]].quantization
    assert quantization.scales == (np.float32(1 / 127.5),)
    assert quantization.zero_points == (128,)
    assert int8.report.verification.census.to_json()
    assert file.contract.provenance.source_name == "mobilenet_v1_025_cifar10.h5"
    assert file.contract.verification["agreement_percent"] >= 80


def test_one_at_a_time_is_the_same_file(shipped, int8):
    assert mnconvert.convert(shipped, ConvertConfig(variant="int8")).data == int8.data


def test_a_model_in_memory_converts_to_the_same_numbers(shipped, int8):
    model = load_keras(shipped).model
    conversion = mnconvert.convert(
        model, ConvertConfig(variant="int8", preprocess=StatedPreprocess.parse(preprocess="inception"))
    )
    assert [w.values.tobytes() for w in conversion.plan.weights] == [w.values.tobytes() for w in int8.plan.weights]
    assert conversion.report.source.sha256 is None


def test_the_plan_explains_every_activation(int8):
    assert {tensor.dtype for tensor in int8.plan.tensors} == {"int8"}
    assert all(tensor.why and tensor.low <= 0 <= tensor.high for tensor in int8.plan.tensors)
    assert {str(tensor.source) for tensor in int8.plan.tensors} >= {"batch norm", "input", "moments", "fixed"}


def test_the_report_is_data(int8):
    import json

    told = json.loads(json.dumps(int8.report.to_json()))
    assert told["schema"] == 1
    assert told["config"]["variant"] == "int8"
    assert told["verification"]["passed"] is True


@pytest.mark.parametrize("ends", list(Ends))
def test_ends_as_asked_for(shipped, ends):
    conversion = mnconvert.convert(shipped, ConvertConfig(variant="int8", ends=ends))
    assert conversion.spec.inputs[0].dtype == ends
    assert conversion.report.verification.passed


def test_labels_of_another_number_are_told(shipped):
    with pytest.raises(ModelFileError, match="labels"):
        mnconvert.convert(shipped, ConvertConfig(labels=tuple(map(str, range(11)))))


def test_a_network_that_nothing_is_known_of_asks_for_preprocessing():
    model = keras.Sequential([keras.Input((32, 32, 3)), layers.Conv2D(4, 3), layers.GlobalAveragePooling2D()])
    with pytest.raises(PreprocessError, match="nothing says how a picture becomes"):
        mnconvert.convert(model)


def test_a_subclassed_model_is_refused_with_what_to_do():
    class Mine(keras.Model):
        def call(self, inputs):
            return inputs

    with pytest.raises(UnsupportedModelError, match="graph is not known"):
        mnconvert.convert(Mine(), ConvertConfig(preprocess=StatedPreprocess.parse(preprocess="raw")))


def test_a_noise_network_does_not_pass_for_right(shipped):
    """Ranges of two deviations clip everything: the verification has to see it."""
    from mnconvert.converting import Stages
    from mnconvert.file_contract import contract_for
    from mnconvert.quantize.decide import decide
    from mnconvert.quantize.overwrite import overwrite
    from mnconvert.quantize.recipe import Recipe
    from mninfer.model_file import write_contract

    config = ConvertConfig(variant="int8")
    stages = Stages(open_source(shipped, config), config, None)
    plan = decide(stages.graph, stages.known(Ends.UINT8), Recipe(sigmas=1.0))
    broken = overwrite(stages.lowered.variant_of(Variant.INT8, Ends.UINT8), stages.graph, plan)
    data = write_contract(broken, contract_for(broken, stages.source, config, None), stages.source.labels)
    verification = stages.verify(data, config)
    assert not verification.passed
    with pytest.raises(VerifyError) as caught:
        verification.raise_if_failed("it")
    assert caught.value.exit_code == 3


def test_own_normalization_travels_in_the_file():
    keras.utils.set_random_seed(1)
    model = keras.Sequential(
        [
            keras.Input((32, 32, 3)), layers.Rescaling(1 / 255), layers.Conv2D(8, 3, activation="relu"),
            layers.GlobalAveragePooling2D(), layers.Dense(128, activation="relu"), layers.Dense(5),
        ]
    )  # fmt: skip
    conversion = mnconvert.convert(model, ConvertConfig(variant="int8"))
    preprocess = conversion.report.preprocess
    assert preprocess.std == (255.0,) * 3
    assert preprocess.source is PreprocessSource.INFERRED
    assert any("taken out of the graph" in change for change in conversion.report.source.changes)
    picture = np.random.default_rng(2).integers(0, 256, (32, 32, 3)).astype(np.uint8)
    with mninfer.load(conversion.data) as file:
        found = [prediction.index for prediction in file.classify(picture, top=5)]
    wanted = np.argsort(-np.asarray(model(picture[None].astype(np.float32)))[0])
    assert found[0] == wanted[0]


def test_a_float_file_gets_the_contract(tmp_path, all_of_it):
    path = tmp_path / "float.tflite"
    path.write_bytes(all_of_it[0].data)
    conversion = mnconvert.convert(path)
    assert conversion.report.verification.passed
    assert conversion.spec.labels == all_of_it[0].spec.labels
    path.write_bytes(all_of_it[4].data)
    with pytest.raises(UnsupportedModelError, match="quantized already"):
        mnconvert.convert(path)


def test_a_missing_file_is_said(tmp_path):
    with pytest.raises(MnError, match=r"nothing\.h5|no file|No such"):
        mnconvert.convert(tmp_path / "nothing.h5")


def small(dtype="float32"):
    inputs = keras.Input((16, 16, 3), dtype="float32")
    x = layers.Conv2D(4, 3, dtype=dtype, name="conv")(inputs)
    x = layers.BatchNormalization(dtype=dtype, name="norm")(x)
    x = layers.GlobalAveragePooling2D(dtype=dtype)(layers.ReLU(dtype=dtype)(x))
    return keras.Model(inputs, layers.Dense(3, dtype=dtype)(x))


@pytest.mark.parametrize("dtype", ["mixed_float16", "mixed_bfloat16", "float16", "float64"])
def test_a_model_of_another_precision_becomes_float32(dtype):
    conversion = mnconvert.convert(small(dtype), ConvertConfig(preprocess=INCEPTION))
    assert conversion.report.source.changes == (f"computes in {dtype.removeprefix('mixed_')}: converted as float32",)
    assert conversion.report.verification.passed


@pytest.mark.parametrize(("layer", "weight", "value"), [("conv", "bias", np.nan), ("norm", "gamma", np.inf),
                                                        ("norm", "moving_variance", -1.0)])  # fmt: skip
def test_weights_that_went_astray_are_named(layer, weight, value):
    model = small()
    variable = getattr(model.get_layer(layer), weight)
    variable.assign(np.full(variable.shape, value))
    with pytest.raises(UnsupportedModelError, match=f'a variance is negative, in "{layer}"') as caught:
        mnconvert.convert(model, ConvertConfig(preprocess=INCEPTION))
    assert caught.value.offenders == (layer,)


def test_a_layer_that_needs_pictures_is_named_with_what_keeps_it_float():
    inputs = keras.Input((16, 16, 3))
    x = layers.ReLU()(layers.BatchNormalization()(layers.Conv2D(4, 3, strides=4)(inputs)))
    x = layers.Reshape((16, 4))(x)
    x = layers.MultiHeadAttention(1, 4, name="attention_2")(x, x)
    model = keras.Model(inputs, layers.Dense(3)(layers.GlobalAveragePooling1D()(x)))
    with pytest.raises(UnsupportedModelError, match="no range is known without data behind") as caught:
        mnconvert.convert(model, ConvertConfig(variant="int8", preprocess=INCEPTION))
    assert caught.value.hints[1] == '--keep-float "attention_2"'
