"""Small Keras files written by hand, with h5py and JSON alone: what every era's reader and every attack starts from.

The network: 8x8x3 -> Conv2D -> BatchNormalization -> ReLU6 -> DepthwiseConv2D -> pooling -> Dense.
"""

import copy
import io
import json
import zipfile
from collections.abc import Callable, Mapping
from typing import Any

import h5py
import numpy as np

__all__ = ["config_of", "hdf5_bytes", "keras_3_config", "keras_zip_bytes", "layer_of", "small_weights"]

Weights = dict[str, dict[str, np.ndarray]]
_FLOAT32 = {"module": "keras", "class_name": "DTypePolicy", "config": {"name": "float32"}, "registered_name": None}
_INITIALIZER = {"class_name": "GlorotUniform", "config": {"seed": None}}
_CONV = {"strides": [1, 1], "padding": "same", "data_format": "channels_last", "dilation_rate": [1, 1],
         "use_bias": False, "kernel_regularizer": None}  # fmt: skip
_LAYERS: tuple[tuple[str, str, dict[str, Any]], ...] = (
    ("InputLayer", "input_1", {"batch_input_shape": [None, 8, 8, 3], "dtype": "float32", "sparse": False}),
    ("Conv2D", "conv", {"filters": 4, "kernel_size": [3, 3], "activation": "linear", "kernel_initializer": _INITIALIZER,
                        **_CONV}),
    ("BatchNormalization", "bn", {"axis": [3], "momentum": 0.99, "epsilon": 0.001, "center": True, "scale": True}),
    ("ReLU", "relu", {"max_value": 6.0, "negative_slope": 0.0, "threshold": 0.0}),
    ("DepthwiseConv2D", "dw", {"kernel_size": [3, 3], "depth_multiplier": 1, "groups": 1, "activation": "linear",
                               "depthwise_initializer": _INITIALIZER, **_CONV}),
    ("GlobalAveragePooling2D", "pool", {"data_format": "channels_last", "keepdims": False}),
    ("Dense", "dense", {"units": 3, "activation": "softmax", "use_bias": True, "bias_regularizer": None}),
)  # fmt: skip


def small_weights() -> Weights:
    """By layer and name, from one seed."""
    draw = np.random.default_rng(5)

    def normal(*shape: int) -> np.ndarray:
        return draw.normal(0, 0.5, shape).astype("float32")

    return {
        "conv": {"kernel": normal(3, 3, 3, 4)},
        "bn": {
            "gamma": 1 + normal(4) / 4,
            "beta": normal(4),
            "moving_mean": normal(4),
            "moving_variance": draw.uniform(0.5, 2, 4).astype("float32"),
        },
        "dw": {"depthwise_kernel": normal(3, 3, 4, 1)},
        "dense": {"kernel": normal(4, 3), "bias": normal(3)},
    }


def config_of(kind: str = "Functional") -> dict[str, Any]:
    """The configuration as tf.keras 2.12 wrote it, Functional or Sequential."""
    layers: list[dict[str, Any]] = []
    for class_name, name, options in _LAYERS:
        layer = {"class_name": class_name, "config": {"name": name, **options}}
        if class_name != "InputLayer":
            layer["config"] |= {"trainable": True, "dtype": "float32"}
        if kind == "Functional":
            layer |= {"name": name, "inbound_nodes": [[[layers[-1]["name"], 0, 0, {}]]] if layers else []}
        layers.append(layer)
    config: dict[str, Any] = {"name": "small", "layers": layers}
    if kind == "Functional":
        config |= {"input_layers": [["input_1", 0, 0]], "output_layers": [["dense", 0, 0]]}
    return copy.deepcopy({"class_name": kind, "config": config})


def keras_3_config() -> dict[str, Any]:
    """The same as Keras 3 writes it."""
    config = config_of()
    for layer in config["config"]["layers"]:
        layer |= {"module": "keras.layers", "registered_name": None}
        layer["inbound_nodes"] = [
            {"args": [_keras_tensor(*node[0][:3])], "kwargs": {}} for node in layer["inbound_nodes"]
        ]
        layer["config"].pop("groups", None)
        if "batch_input_shape" in layer["config"]:
            layer["config"]["batch_shape"] = layer["config"].pop("batch_input_shape")
        else:
            layer["config"]["dtype"] = _FLOAT32
    return copy.deepcopy(config | {"module": "keras.src.models.functional", "registered_name": "Functional"})


def _keras_tensor(layer: str, call: int, output: int) -> dict[str, Any]:
    history = {"shape": [None, 8, 8, 3], "dtype": "float32", "keras_history": [layer, call, output]}
    return {"class_name": "__keras_tensor__", "config": history}


def layer_of(config: dict[str, Any], name: str) -> dict[str, Any]:
    """The layer of that name, to be changed in place."""
    return next(layer for layer in config["config"]["layers"] if layer["config"]["name"] == name)


def hdf5_bytes(
    config: Any = None,
    weights: Mapping[str, Mapping[str, np.ndarray]] | None = None,
    *,
    version: str = "2.12.0",
    backend: str = "tensorflow",
    suffix: str = ":0",
    change: Callable[[h5py.File], None] | None = None,
) -> bytes:
    """A legacy ``.h5`` file; ``config`` is an object or its JSON, ``change`` does what it likes with the open file."""
    buffer = io.BytesIO()
    with h5py.File(buffer, "w") as file:
        text = config if isinstance(config, str | bytes) else json.dumps(config_of() if config is None else config)
        file.attrs.update({"model_config": text, "keras_version": version, "backend": backend})
        group = file.create_group("model_weights")
        weights = small_weights() if weights is None else weights
        names = [name for _, name, _ in _LAYERS] + [
            name for name in weights if name not in {each[1] for each in _LAYERS}
        ]
        group.attrs["layer_names"] = [name.encode() for name in names]
        for layer in names:
            own = group.create_group(layer)
            saved = weights.get(layer, {})
            own.attrs["weight_names"] = [f"{layer}/{name}{suffix}".encode() for name in saved]
            for name, array in saved.items():
                own[f"{layer}/{name}{suffix}"] = array
        if change is not None:
            change(file)
    return buffer.getvalue()


def weights_hdf5_bytes(weights: Weights | None = None, change: Callable[[h5py.File], None] | None = None) -> bytes:
    """A ``model.weights.h5`` as Keras 3 writes it."""
    groups = {"conv": "conv2d", "bn": "batch_normalization", "dw": "depthwise_conv2d", "dense": "dense"}
    buffer = io.BytesIO()
    with h5py.File(buffer, "w") as file:
        for layer, saved in (small_weights() if weights is None else weights).items():
            own = file.create_group(f"layers/{groups.get(layer, layer)}/vars")
            own.attrs["name"] = layer
            for index, array in enumerate(saved.values()):
                own[str(index)] = array
        if change is not None:
            change(file)
    return buffer.getvalue()


def keras_zip_bytes(
    config: Any = None, weights: bytes | None = None, members: Mapping[str, bytes] | None = None
) -> bytes:
    """A ``.keras`` file; ``members`` are more, or others."""
    text = config if isinstance(config, str | bytes) else json.dumps(keras_3_config() if config is None else config)
    content: dict[str, bytes | str] = {
        "metadata.json": json.dumps({"keras_version": "3.15.1", "date_saved": "2026-01-01@00:00:00"}),
        "config.json": text,
        "model.weights.h5": weights_hdf5_bytes() if weights is None else weights,
        **(members or {}),
    }
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in content.items():
            archive.writestr(zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0)), data, zipfile.ZIP_DEFLATED)
    return buffer.getvalue()
