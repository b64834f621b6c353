"""A float .tflite as the source: as it is, in float16, in integers with ranges from pictures; what it can't become."""

from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("tensorflow", reason="needs TensorFlow: make test")

from mnconvert.calibration import Samples, load_samples
from mnconvert.config import ConvertConfig
from mnconvert.conversion import Conversion
from mnconvert.pipeline import convert
from mnconvert.quantize.plan import RangeSource
from mnconvert.report.summary import summary
from mninfer.errors import UnsupportedModelError
from mninfer.model_file import check_model
from support.keras_networks import keras, request, shapes_keras
from support.networks import shapes_float
from support.pictures import shape_pictures


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("float") / "shapes.tflite"
    path.write_bytes(shapes_float())
    return path


@pytest.fixture(scope="module")
def samples(tmp_path_factory: pytest.TempPathFactory) -> Samples:
    path = tmp_path_factory.mktemp("samples") / "pictures.npz"
    np.savez(path, pictures=shape_pictures(40, seed=5)[0])
    return load_samples(str(path))


def dtypes(conversion: Conversion) -> tuple[set[str], set[str]]:
    """Of the file's own ends, and of its weights."""
    graph = check_model(conversion.data)
    ends = {graph.tensors[index].dtype for index in (*graph.inputs, *graph.outputs)}
    return ends, {graph.tensors[op.inputs[1]].dtype for op in graph.operators if op.name == "CONV_2D"}


def test_as_it_is_it_gets_the_contract(source: Path) -> None:
    made = convert(source, request())
    assert made.report.verification.outputs[0].agreement == 1.0
    assert made.spec.labels is not None
    assert made.report.source.num_parameters > 100


def test_int8_of_pictures_agrees_with_it(source: Path, samples: Samples) -> None:
    made = convert(source, request(variant="int8"), samples=samples)
    assert dtypes(made) == ({"uint8"}, {"int8"})
    assert made.report.verification.outputs[0].agreement >= 0.95
    assert made.plan is not None
    measured = [tensor for tensor in made.plan.tensors if tensor.source is RangeSource.PICTURES]
    assert measured, "without BatchNorm, what the pictures showed is what is known"


def test_int16x8_and_per_tensor_are_made_as_well(source: Path, samples: Samples) -> None:
    assert convert(source, request(variant="int16x8"), samples=samples).report.verification.passed
    scales = convert(source, request(variant="int8", is_per_tensor=True), samples=samples).plan
    assert scales is not None
    assert {weights.scales.size for weights in scales.weights} == {1}


def test_layers_are_kept_float_by_the_words_of_their_tensors(source: Path, samples: Samples) -> None:
    graph = check_model(shapes_float())
    name = graph.tensors[graph.operators[0].outputs[0]].name
    made = convert(source, request(variant="int8", keep_float=(name,)), samples=samples)
    assert made.report.kept_float == (name,)


def test_float16_halves_its_weights(source: Path) -> None:
    whole, half = convert(source, request()), convert(source, request(variant="fp16"))
    assert half.report.verification.outputs[0].agreement == 1.0
    assert len(half.data) < len(whole.data)
    assert any(tensor.dtype == "float16" for tensor in check_model(half.data).tensors)


def test_a_file_with_a_contract_is_a_source_like_any_other(source: Path, samples: Samples, tmp_path: Path) -> None:
    path = tmp_path / "converted.tflite"
    path.write_bytes(convert(source, request()).data)
    again = convert(path, ConvertConfig(variant="int8"), samples=samples)  # type: ignore[arg-type]
    assert again.data == convert(path, ConvertConfig(variant="int8"), samples=samples).data  # type: ignore[arg-type]
    assert again.spec.labels == convert(source, request()).spec.labels


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"variant": "int8"}, "have to be measured"),
        ({"variant": "dynamic"}, "does not become a dynamic one"),
        ({"is_fused": False}, "folded into the weights"),
        ({"batch": 4}, "--batch can't be changed"),
        ({"scores": "logits", "size": (32, 32)}, "--size and --scores can't be changed"),
    ],
)
def test_what_it_cannot_become_is_said(source: Path, options: dict[str, object], told: str) -> None:
    with pytest.raises(UnsupportedModelError, match=told) as caught:
        convert(source, request(**options))
    assert caught.value.hints


def test_ties_have_a_remedy_where_there_is_one(source: Path, samples: Samples) -> None:
    given = convert(source, request(variant="int8"), samples=samples)
    built = convert(shapes_keras(), request(variant="int8"), samples=samples)
    assert "which may tie\n" in summary(given, "a.tflite")
    assert "which may tie (--scores logits)\n" in summary(built, "a.tflite")


def test_what_is_odd_about_tensors_stands_in_the_report(source: Path, tmp_path: Path) -> None:
    path = tmp_path / "half.npz"
    np.savez(path, tensors=(shape_pictures(40, seed=5)[0].astype(np.float32) / 127.5 - 1) / 2)
    made = convert(source, request(variant="int8"), samples=load_samples(str(path)))
    assert any("pictures mostly use all of it" in warning for warning in made.report.warnings)


def test_ranges_of_pictures_are_those_of_the_same_network_in_keras(source: Path, samples: Samples) -> None:
    ours = convert(source, request(variant="int8"), samples=samples).plan
    theirs = convert(shapes_keras(), request(variant="int8"), samples=samples).plan
    assert ours is not None
    assert theirs is not None
    ends = [[(t.low, t.high) for t in plan.tensors if t.source is RangeSource.PICTURES] for plan in (ours, theirs)]
    np.testing.assert_allclose(ends[0], ends[1], rtol=1e-3, atol=1e-4)


def test_what_the_stock_converter_writes_with_an_open_batch_becomes_integers(samples: Samples, tmp_path: Path) -> None:
    """It computes the shapes of its RESHAPEs, of which no picture tells a range: the pictures given were asked for."""
    import tensorflow

    model = shapes_keras()
    pooled = keras.layers.AveragePooling2D(2)(model.get_layer("pool").input)
    whole = keras.Model(model.inputs, keras.layers.Dense(16)(keras.layers.Flatten()(pooled)))
    path = tmp_path / "stock.tflite"
    path.write_bytes(tensorflow.lite.TFLiteConverter.from_keras_model(whole).convert())
    assert "SHAPE" in {operator.name for operator in check_model(path.read_bytes()).operators}
    for variant in ("none", "int8", "int16x8"):
        made = convert(path, request(variant=variant), samples=samples)
        assert made.report.verification.passed
        assert "SHAPE" not in {operator.name for operator in check_model(made.data).operators}
