"""One layer's options, from any era's names and values to those that Keras 3's class takes."""

import inspect
from collections.abc import Mapping
from typing import Any

import keras

from mnmodels.keras_file.description import LayerKind, LayerPlan
from mnmodels.keras_file.findings import Obstacle
from mnmodels.keras_file.parts import Site, activation_name, part, without_package
from mnmodels.keras_file.plain_values import plain, shown

__all__ = ["custom_options", "layer_dtype", "translate_options"]

# Of the first layer of a Sequential, and of every layer's bookkeeping: read elsewhere, or of no meaning any more.
_BOOKKEEPING = frozenset(
    ("name", "batch_input_shape", "input_shape", "batch_shape", "input_dtype", "input_length", "build_config",
     "shared_object_id", "autocast", "dynamic", "stateful", "dtype")
)  # fmt: skip
_KERAS_1 = {
    "nb_filter": "filters",
    "subsample": "strides",
    "subsample_length": "strides",
    "filter_length": "kernel_size",
    "border_mode": "padding",
    "dim_ordering": "data_format",
    "W_regularizer": "kernel_regularizer",
    "b_regularizer": "bias_regularizer",
    "W_constraint": "kernel_constraint",
    "b_constraint": "bias_constraint",
    "init": "kernel_initializer",
    "bias": "use_bias",
    "p": "rate",
    "sigma": "stddev",
    "atrous_rate": "dilation_rate",
    "theta": "threshold",
    "pool_length": "pool_size",
    "stride": "strides",
}
_RENAMED = {
    ("Dense", "output_dim"): "units",
    ("LeakyReLU", "alpha"): "negative_slope",
    ("Conv2D", "rate"): "dilation_rate",
}
_DATA_FORMATS = {"th": "channels_first", "tf": "channels_last", "default": "channels_last"}
# Options without a meaning in any class that lacks them, whatever their value.
_MEANINGLESS = frozenset(
    {"fused", "seed", "rng_type", "data_format", "force_generator", "implementation", "auto_vectorize"}
)
# What the values mean that a class without the option has always had.
_ALWAYS = {"groups": 1, "mode": 0}
_UNWANTED = ("lora_rank", "quantization_config", "weights")
# They come down from Conv2D, and say nothing of a layer that has other kernels.
_LEFT_OVERS = {
    "Depthwise": ("filters", "groups", "kernel_initializer", "kernel_regularizer", "kernel_constraint"),
    "Separable": ("groups", "kernel_initializer", "kernel_regularizer", "kernel_constraint"),
}
_PARTS = ("_initializer", "_regularizer", "_constraint")
INTEGER_DTYPES = frozenset({"uint8", "int8", "uint16", "int16", "int32", "int64", "bool"})
FLOAT_DTYPES = frozenset({"float16", "bfloat16", "float32", "float64", "mixed_float16", "mixed_bfloat16"})


def translate_options(site: Site, name: str, config: Mapping[str, Any]) -> tuple[dict[str, Any], tuple[LayerPlan, ...]]:
    """The options of Keras 3's layer ``name``, and the layers that have to follow it."""
    made = getattr(keras.layers, name)
    parameters = set(inspect.signature(made.__init__).parameters) - {"self"}
    takes_more = "kwargs" in parameters
    options: dict[str, Any] = {"dtype": layer_dtype(site, config.get("dtype"))}
    then: tuple[LayerPlan, ...] = ()
    for saved, value in _today(name, config, parameters).items():
        if saved in _BOOKKEEPING or (saved == "input_dim" and saved not in parameters):
            continue
        if saved == "activation" and name != "Softmax":
            options["activation"], then = _activation(site, name, value)
        elif saved.endswith(_PARTS) and (saved in parameters or (saved == "activity_regularizer" and takes_more)):
            if (made_part := part(site, saved, value)) is not None:
                options[saved] = made_part
        elif saved == "trainable":
            options[saved] = value is not False
        elif saved in parameters:
            _take(site, options, saved, value)
        else:
            _drop(site, name, saved, value)
    return _fitted(name, options), then


def custom_options(site: Site, config: Mapping[str, Any]) -> dict[str, Any]:
    """What a class gets that is not Keras': the file's options, none of them an object that Keras would look up."""
    options: dict[str, Any] = {}
    for name, value in config.items():
        if name == "dtype":
            options["dtype"] = layer_dtype(site, value)
        elif name.endswith(_PARTS) and value is not None:
            options[name] = part(site, name, value)
        elif name == "activation":
            options[name] = activation_name(site, value)
        elif name not in {"batch_input_shape", "batch_shape"}:
            _take(site, options, name, value)
    return options


def _today(name: str, config: Mapping[str, Any], parameters: set[str]) -> dict[str, Any]:
    """The same options by Keras 2's and 3's names."""
    options = dict(config)
    if "nb_row" in options and "nb_col" in options:
        options["kernel_size"] = [options.pop("nb_row"), options.pop("nb_col")]
    before = {key: _RENAMED.get((name, key)) or _KERAS_1.get(key, key) for key in options}
    renamed = {new: options[old] for old, new in before.items() if old != new and old not in parameters}
    return renamed | {key: value for key, value in options.items() if before[key] == key or key in parameters}


def _take(site: Site, options: dict[str, Any], name: str, value: Any) -> None:
    try:
        taken = plain(value)
    except ValueError as error:
        site.findings.obstruct(site.layer, Obstacle.OPTION, f'{site.saved_class} whose "{name}" is {error}')
        return
    if name in _UNWANTED and taken is not None:
        site.findings.obstruct(site.layer, Obstacle.OPTION, f"{site.saved_class} with {name} = {shown(value)}")
    elif taken is not None or name in {"max_value", "axis", "strides"}:
        options[name] = _DATA_FORMATS.get(taken, taken) if name == "data_format" else taken


def _drop(site: Site, name: str, option: str, value: Any) -> None:
    """An option that Keras 3 lacks: dropped where it says what is so anyway, else an obstacle."""
    left_overs = [option for start, names in _LEFT_OVERS.items() if name.startswith(start) for option in names]
    meaningless = option in _MEANINGLESS or option in left_overs
    if value is None or value is False:
        return
    if meaningless or (option in _ALWAYS and value == _ALWAYS[option]):
        site.findings.change(
            f"{site.saved_class}: {option} = {shown(value)} is dropped, Keras 3 has no such option", site.layer
        )
    else:
        site.findings.obstruct(site.layer, Obstacle.OPTION, f"{site.saved_class} with {option} = {shown(value)}")


def _fitted(name: str, options: dict[str, Any]) -> dict[str, Any]:
    """Values that are spelled otherwise today."""
    axis = options.get("axis")
    if name == "BatchNormalization" and isinstance(axis, list) and len(axis) == 1:
        options["axis"] = axis[0]  # tf.keras
    if name in {"ReLU", "LeakyReLU", "ELU"}:
        for option in ("max_value", "negative_slope", "threshold", "alpha"):
            if isinstance(options.get(option), list) and len(options[option]) == 1:
                options[option] = options[option][0]
    return options


def _activation(site: Site, name: str, value: Any) -> tuple[Any, tuple[LayerPlan, ...]]:
    """The activation option; an activation that is a layer of its own, or needs two, follows the layer."""
    if isinstance(value, dict) and value.get("class_name") in {"ReLU", "LeakyReLU", "ELU", "Softmax"}:
        config = value.get("config")
        return "linear", (_following(site, str(value["class_name"]), config if isinstance(config, dict) else {}),)
    activation = activation_name(site, value)
    if activation != "hard_sigmoid" or site.era.major >= 3:
        return activation or "linear", ()
    site.findings.change(
        "hard_sigmoid is written out as clip(0.2 x + 0.5, 0, 1), which it was before Keras 3", site.layer
    )
    return "linear", (
        _following(site, "Rescaling", {"scale": 0.2, "offset": 0.5, "name": f"{site.layer}_slope"}),
        _following(site, "ReLU", {"max_value": 1.0, "name": f"{site.layer}_clip"}),
    )


def _following(site: Site, name: str, config: Mapping[str, Any]) -> LayerPlan:
    options, _ = translate_options(site, name, config)
    own_name = config.get("name")
    return LayerPlan(
        name=(own_name if isinstance(own_name, str) else f"{site.layer}_activation").replace("/", "_"),
        saved_name=site.layer,
        saved_class=name,
        kind=LayerKind.LAYER,
        what=name,
        options=options,
    )


def layer_dtype(site: Site, value: Any) -> str:
    """What a layer computes in: float32, whatever float the file says; an integer type stays."""
    name = _dtype_name(value)
    if name in {None, "float32"}:
        return "float32"
    if name in INTEGER_DTYPES:
        return str(name)
    if name in FLOAT_DTYPES:
        site.findings.change(f"{name} layers compute in float32", site.layer)
        return "float32"
    site.findings.obstruct(site.layer, Obstacle.OPTION, f"{site.saved_class} with the dtype {shown(value)}")
    return "float32"


def _dtype_name(value: Any) -> str | None:
    """A type's name in any era's spelling: a text, a policy, a policy by its name alone."""
    if isinstance(value, dict):
        if without_package(str(value.get("class_name"))) not in {
            "DTypePolicy",
            "Policy",
            "PolicyV1",
            "FloatDTypePolicy",
        }:
            return str(value.get("class_name"))
        config = value.get("config")
        value = config.get("name") if isinstance(config, dict) else config
    return None if value is None or value == "_infer" else str(value)
