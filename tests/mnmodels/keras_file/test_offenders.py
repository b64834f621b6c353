"""What a file cannot be loaded with unasked: all of it in one error, and how to go on."""

import base64
import marshal
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("keras", reason="needs Keras: make test")

import keras

from keras_files import config_of, hdf5_bytes, keras_3_config, keras_zip_bytes, layer_of
from mninfer.errors import MnError, UnsupportedModelError
from mnmodels.keras_file import load_keras

MODULE = """
import keras


class MyL(keras.layers.Layer):
    def call(self, x):
        return x * 2


def twice(x):
    return x * 2
"""


def answer(model) -> np.ndarray:
    picture = np.random.default_rng(0).uniform(-1, 1, (1, *model.input_shape[1:])).astype("float32")
    return np.asarray(model(picture, training=False))


def replaced(name: str, class_name: str, **options) -> dict:
    config = config_of()
    layer = layer_of(config, name)
    layer["class_name"] = class_name
    layer["config"] = {"name": name, "trainable": True, "dtype": "float32", **options}
    return config


def written(tmp_path: Path, config: dict) -> Path:
    path = tmp_path / "model.h5"
    path.write_bytes(hdf5_bytes(config))
    return path


@pytest.fixture
def my_layers(tmp_path, monkeypatch) -> None:
    (tmp_path / "my_layers_of_a_test.py").write_text(MODULE)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("sys.path", list(__import__("sys").path))


def test_the_lambda_of_keras_2(shared):
    path = shared / "keras-eras" / "lambda.h5"
    with pytest.raises(UnsupportedModelError, match='"lambda": Lambda, Python code') as caught:
        load_keras(path)
    assert "--lambda lambda='x/127.5-1'" in caught.value.hints[0]
    assert caught.value.where == str(path)
    found = load_keras(path, lambdas={"lambda": "x/127.5-1"})
    assert np.abs(answer(found.model) - np.load(path.with_suffix(".npy"))).max() < 1e-5
    assert type(found.model.get_layer("lambda")).__name__ == "Rescaling"
    assert found.changes == ('Lambda is replaced by x/127.5-1, as stated ("lambda")',)


def test_the_custom_layer_of_keras_2(shared, my_layers):
    path = shared / "keras-eras" / "custom_layer.h5"
    with pytest.raises(UnsupportedModelError, match="MyL, a class that is not Keras'") as caught:
        load_keras(path)
    assert "--custom MODULE:MyL" in caught.value.hints[0]
    found = load_keras(path, custom=["my_layers_of_a_test:MyL"])
    assert np.abs(answer(found.model) - np.load(path.with_suffix(".npy"))).max() < 1e-5


def test_all_offenders_are_in_one_error(tmp_path):
    config = replaced("relu", "Lambda", function=["4wEAAAA=", None, None], function_type="lambda")
    layer_of(config, "bn")["class_name"] = "MyNorm"
    pool = layer_of(config, "pool")
    pool["class_name"] = "TFOpLambda"
    pool["config"] = {"name": "tf.math.truediv", "function": "math.truediv"}
    pool["name"] = "tf.math.truediv"
    pool["inbound_nodes"] = [["dw", 0, 0, {"y": 127.5, "name": None}]]
    layer_of(config, "dense")["config"]["activation"] = "my_softmax"
    layer_of(config, "dense")["inbound_nodes"] = [[["tf.math.truediv", 0, 0, {}]]]
    with pytest.raises(UnsupportedModelError) as caught:
        load_keras(written(tmp_path, config))
    assert [line.split(":")[0] for line in caught.value.offenders] == ['"bn"', '"relu"', '"tf.math.truediv"', '"dense"']
    options, meaning = caught.value.hints[0].split("   ")
    assert options.split(" --") == [
        "--lambda relu='x/127.5-1'",
        "lambda 'tf.math.truediv=x/127.5'",
        "custom MODULE:MyNorm",
        "custom MODULE:my_softmax",
    ]
    assert meaning == "with what each function computes of its input x, and your module that defines the class"
    assert str(caught.value).startswith("4 layers of this file cannot be loaded unasked")
    for line in caught.value.offenders:
        assert line in str(caught.value)


def test_no_bytecode_runs(tmp_path):
    canary = tmp_path / "canary"
    code = base64.b64encode(marshal.dumps(compile(f"open({str(canary)!r}, 'w')", "x", "exec"))).decode()
    config = replaced("relu", "Lambda", function=[code, None, None], function_type="lambda")
    for options in ({}, {"lambdas": {"relu": "relu6(x)"}}):
        try:
            load_keras(written(tmp_path, config), **options)
        except UnsupportedModelError:
            assert not options
    assert not canary.exists()


@pytest.mark.parametrize(
    ("expression", "same"), [("min(max(x, 0), 6)", "min(max(x,0),6)"), ("relu6(x)", "x - x + relu6(x)")]
)
def test_arithmetic_that_is_no_scale_becomes_operations_that_save(tmp_path, expression, same):
    path = written(tmp_path, replaced("relu", "Lambda", function="f"))
    plain = load_keras(written(tmp_path, config_of()))
    path = written(tmp_path, replaced("relu", "Lambda", function="f"))
    found = load_keras(path, lambdas={"relu": expression})
    np.testing.assert_allclose(answer(found.model), answer(plain.model), atol=1e-6)
    np.testing.assert_allclose(answer(load_keras(path, lambdas={"rel*": same}).model), answer(plain.model), atol=1e-5)
    found.model.save(tmp_path / "again.keras")
    again = keras.models.load_model(tmp_path / "again.keras")
    np.testing.assert_allclose(answer(again), answer(plain.model), atol=1e-6)
    np.testing.assert_allclose(answer(load_keras(tmp_path / "again.keras").model), answer(plain.model), atol=1e-6)


def test_what_is_stated_must_fit(tmp_path):
    path = written(tmp_path, replaced("relu", "Lambda", function="f"))
    with pytest.raises(MnError, match='no Lambda in the file is named "reluu"') as caught:
        load_keras(path, lambdas={"relu": "x", "reluu": "x"})
    assert caught.value.hints == ('did you mean "relu"?',)
    with pytest.raises(MnError, match="wants 2"):
        load_keras(path, lambdas={"relu": "x*y"})
    with pytest.raises(MnError, match="cannot be read at character 1"):
        load_keras(path, lambdas={"relu": "__import__('os')"})


def test_a_class_that_nothing_in_the_file_is_of(tmp_path, my_layers):
    path = written(tmp_path, replaced("relu", "MyL"))
    stated = ["my_layers_of_a_test:MyL"]
    with pytest.raises(MnError, match='is of the class or function "twice"') as caught:
        load_keras(path, custom=[*stated, "my_layers_of_a_test:twice"])
    assert caught.value.hints == ("leave it out",)
    with pytest.raises(MnError, match='is of the class or function "MyLL"') as caught:
        load_keras(path, custom=["MyLL=my_layers_of_a_test:MyL"])
    assert caught.value.hints == ('did you mean "MyL"?',)
    assert load_keras(path, custom=stated).model is not None


@pytest.mark.parametrize("stated", [{"lambdas": {"relu": "x"}}, {"custom": ["os:getcwd"]}])
def test_functions_and_classes_mean_nothing_beside_weights_and_programs(tmp_path, stated):
    path = written(tmp_path, config_of())
    with pytest.raises(MnError, match="a network of the registry") as caught:
        load_keras(path, arch={"name": "mobilenet_v1"}, **stated)
    assert caught.value.hints == ("leave out --lambda and --custom",)
    (tmp_path / "saved").mkdir()
    (tmp_path / "saved" / "saved_model.pb").write_bytes(b"\x08\x01")
    with pytest.raises(MnError, match="runs as one program"):
        load_keras(tmp_path / "saved", trust=True, **stated)


def test_custom_classes_that_are_not_there(tmp_path, my_layers):
    path = written(tmp_path, replaced("relu", "MyL"))
    for stated, message in (
        ("no_such_module_at_all:MyL", "cannot be imported"), ("my_layers_of_a_test:MyLL",
        'has no class or function "MyLL"'),
        ("MyL", '"MyL" names no class'), ("os; import sys:x", "names no class"),
    ):  # fmt: skip
        with pytest.raises(MnError, match=message):
            load_keras(path, custom=[stated])


def test_functions_and_other_names_of_the_users(tmp_path, my_layers):
    config = replaced("relu", "TheirLayer")
    layer_of(config, "conv")["config"]["activation"] = "twice"
    found = load_keras(
        written(tmp_path, config), custom=["TheirLayer=my_layers_of_a_test:MyL", "my_layers_of_a_test:twice"]
    )
    assert type(found.model.get_layer("relu")).__name__ == "MyL"
    assert found.model.get_layer("conv").activation.__name__ == "twice"


def test_keras_layers_off_the_list_load_when_asked(tmp_path):
    config = keras_3_config()
    layer = layer_of(config, "pool")
    layer["class_name"] = "AdaptiveAveragePooling2D"
    layer["config"] = {"name": "pool", "output_size": [1, 1]}
    flatten = {"class_name": "Flatten", "name": "flat", "config": {"name": "flat"}, "module": "keras.layers"}
    flatten["inbound_nodes"] = layer_of(config, "dense")["inbound_nodes"]
    config["config"]["layers"].insert(-1, flatten)
    history = {"shape": [None, 4], "dtype": "float32", "keras_history": ["flat", 0, 0]}
    layer_of(config, "dense")["inbound_nodes"] = [
        {"args": [{"class_name": "__keras_tensor__", "config": history}], "kwargs": {}}
    ]
    path = tmp_path / "model.keras"
    path.write_bytes(keras_zip_bytes(config))
    with pytest.raises(UnsupportedModelError, match="does not load unasked") as caught:
        load_keras(path)
    assert "--custom keras.layers:AdaptiveAveragePooling2D" in caught.value.hints[0]
    found = load_keras(path, custom=["keras.layers:AdaptiveAveragePooling2D"])
    assert answer(found.model).shape == (1, 3)


def test_functions_of_one_name_need_one_option(tmp_path):
    """A MobileNet V3 of tf.keras has 28 additions of 3."""
    config = config_of()
    layers = config["config"]["layers"]
    previous = "relu"
    for number in range(4):
        name = "tf.math.add" + f"_{number}" * (number > 0)
        node = [previous, 0, 0, {"y": 3.0, "name": None}]
        layers.insert(-3, {"class_name": "TFOpLambda", "name": name, "config": {"name": name, "function": "math.add"},
                           "inbound_nodes": [node]})  # fmt: skip
        previous = name
    layer_of(config, "dw")["inbound_nodes"] = [[[previous, 0, 0, {}]]]
    path = written(tmp_path, config)
    with pytest.raises(UnsupportedModelError, match="4 layers of this file") as caught:
        load_keras(path)
    assert caught.value.hints[0].startswith("--lambda 'tf.math.add*=x+3.0'   with")
    found = load_keras(path, lambdas={"tf.math.add*": "x+3.0"})
    assert 'TFOpLambda is replaced by x+3.0, as stated ("tf.math.add" and 3 more)' in found.changes


def test_operations_on_constants_and_slices_are_listed_too(tmp_path):
    config = config_of()
    node = [["_CONSTANT_VALUE", -1, 1.0, {"y": ["relu", 0, 0], "name": None}]]
    spec = [["relu", 0, 0, {"slice_spec": [{"start": None, "stop": None, "step": None}, {"start": 1}]}]]
    for name, class_name, nodes in (("sub", "TFOpLambda", node), ("slice", "SlicingOpLambda", spec)):
        config["config"]["layers"].append(
            {"class_name": class_name, "name": name, "config": {"name": name, "function": name}, "inbound_nodes": nodes}
        )
    with pytest.raises(UnsupportedModelError) as caught:
        load_keras(written(tmp_path, config))
    assert caught.value.offenders == (
        '"sub": TFOpLambda, TensorFlow\'s sub',
        '"slice": SlicingOpLambda, TensorFlow\'s slice',
    )


@pytest.mark.parametrize(
    ("owner", "named", "remedy"),
    [
        ({"module": "my_layers_of_a_test"}, '"my_layers_of_a_test"', "--custom my_layers_of_a_test:ReLU"),
        ({"module": "__main__", "registered_name": "ReLU"}, '"__main__"', "--custom MODULE:ReLU"),
        ({"class_name": "Custom>ReLU"}, '"Custom"', "--custom MODULE:ReLU"),
    ],
)
def test_a_class_of_the_users_that_is_called_as_one_of_keras_is_not_taken_for_it(tmp_path, owner, named, remedy):
    """It may compute anything, and where it has no weights nothing else would tell."""
    config = keras_3_config()
    layer_of(config, "relu").update(owner)
    path = tmp_path / "model.keras"
    path.write_bytes(keras_zip_bytes(config))
    with pytest.raises(UnsupportedModelError, match=f"ReLU of {named}, not Keras' own") as caught:
        load_keras(path)
    assert remedy in caught.value.hints[0]
    assert load_keras(path, custom=["keras.layers:ReLU"]).model is not None
