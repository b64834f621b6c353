"""One layer's JSON to a LayerPlan: by our lists of layers and operations, the user's lambdas and classes, or not."""

import fnmatch
import re
from collections.abc import Mapping
from typing import Any

import keras

from mninfer.errors import KerasFileError, MnError
from mninfer.near import near_names
from mnmodels.keras_file.description import Call, Era, LayerKind, LayerPlan, unique_name
from mnmodels.keras_file.expression import Expression, parse_expression
from mnmodels.keras_file.findings import Findings, Obstacle
from mnmodels.keras_file.known_layers import LAYER_NAMES, LAYERS, MERGE_MODES, OPERATIONS
from mnmodels.keras_file.options import custom_options, layer_dtype, translate_options
from mnmodels.keras_file.parts import Site, without_package
from mnmodels.keras_file.plain_values import plain, shown
from mnmodels.keras_file.tf_operations import TF_OPERATIONS, expression_of

__all__ = ["LayerReader"]

MAX_INPUT_NUMBERS = 1 << 28
_KERAS = frozenset({"keras", "tf_keras", "keras_core", "tensorflow"})  # what a module of Keras' own layers begins with


class LayerReader:
    """Reads layers of one file; knows what the user has stated, and which of it was of use."""

    def __init__(self, era: Era, findings: Findings, lambdas: Mapping[str, str], custom: Mapping[str, Any]) -> None:
        self.era, self.findings, self.custom = era, findings, custom
        self.lambdas = {name: parse_expression(text) for name, text in lambdas.items()}
        self.used: set[str] = set()
        self.functions: list[str] = []
        self.classes: set[str] = set()

    def layer(self, saved: Mapping[str, Any], name: str, saved_name: str, calls: tuple[Call, ...]) -> LayerPlan:
        """The plan of a layer; of one that cannot be read, a placeholder, and what it is among the findings."""
        saved_class = without_package(str(saved.get("class_name")))[:200]
        config = saved.get("config")
        if not isinstance(config, dict):
            raise KerasFileError(f'the layer "{saved_name}" has no configuration')
        self.classes.add(saved_class)
        site = self._site(saved_name, saved_class)
        kind, what, options, then = self._read(site, saved, config, calls)
        return LayerPlan(
            name=name, saved_name=saved_name, saved_class=saved_class, kind=kind, what=what, options=options,
            calls=calls, then=then,
        )  # fmt: skip

    def _site(self, layer: str, saved_class: str) -> Site:
        return Site(
            layer=layer, saved_class=saved_class, era=self.era, findings=self.findings, custom=self.custom,
            used=self.used,
        )  # fmt: skip

    def _read(
        self, site: Site, saved: Mapping[str, Any], config: Mapping[str, Any], calls: tuple[Call, ...]
    ) -> tuple[LayerKind, Any, Mapping[str, Any], tuple[LayerPlan, ...]]:
        if site.saved_class in self.custom:
            self.used.add(site.saved_class)
            return LayerKind.CUSTOM, self.custom[site.saved_class], custom_options(site, config), ()
        if site.saved_class == "Lambda" or site.saved_class in TF_OPERATIONS:
            return LayerKind.EXPRESSION, self._expression(site, config, calls), {}, ()
        if site.saved_class == "InputLayer":
            return LayerKind.INPUT, "Input", _input_options(site, config), ()
        if home := _operation_home(saved, config, site.saved_class):
            return LayerKind.OPERATION, (home, site.saved_class), _operation_options(site, config), ()
        if own := _own_layer(saved, site.saved_class):
            return LayerKind.CUSTOM, own, custom_options(site, config), ()
        if site.saved_class in LAYERS and (owner := _other_owner(saved)):
            self.findings.obstruct(site.layer, Obstacle.CLASS, *_namesake(site.saved_class, owner))
            return LayerKind.LAYER, None, {}, ()
        name, presets = _todays_name(site, config)
        if name is None:
            return LayerKind.LAYER, None, {}, ()
        if site.saved_class == "Merge":
            config = {"axis": config.get("concat_axis", -1)} if name == "Concatenate" else {}
        options, then = translate_options(site, name, {**config, **presets})
        return LayerKind.LAYER, name, options, then

    def _expression(self, site: Site, config: Mapping[str, Any], calls: tuple[Call, ...]) -> Expression | None:
        self.functions.append(site.layer)
        for pattern, expression in self.lambdas.items():
            if site.layer == pattern or fnmatch.fnmatchcase(site.layer, pattern):
                self.used.add(pattern)
                self.findings.change(f"{site.saved_class} is replaced by {expression.text}, as stated", site.layer)
                return expression
        if site.saved_class == "Lambda":
            self.findings.obstruct(site.layer, Obstacle.FUNCTION, "Lambda, Python code", "x/127.5-1")
        else:
            function = str(config.get("function") or config.get("node_def") or "indexing")[:80]
            computed = expression_of(function, calls[0]) if calls else None
            what = f"{site.saved_class}, TensorFlow's {function}"
            self.findings.obstruct(site.layer, Obstacle.FUNCTION, what, computed or "…")
        return None

    def check_all_used(self) -> None:
        """Raise MnError for a --lambda or --custom that fits nothing in the file: a slip of the pen."""
        for name in self.lambdas:
            if name not in self.used:
                near = [f'did you mean "{each}"?' for each in near_names(name, self.functions)]
                raise MnError(
                    f'no Lambda in the file is named "{name}"',
                    hints=near
                    or (f"the Lambdas are {', '.join(self.functions)}" if self.functions else "leave it out"),
                )
        for name in self.custom:
            if name not in self.used:
                near = [f'did you mean "{each}"?' for each in near_names(name, self.classes)]
                raise MnError(
                    f'no layer and no activation in the file is of the class or function "{name}"',
                    hints=near or "leave it out",
                )

    def first_input(self, first: Mapping[str, Any], options: Mapping[str, Any], taken: set[str]) -> LayerPlan | None:
        """The input of a Sequential that begins with another layer; None where nobody states it."""
        config = first.get("config")
        shape = _stated_shape(config if isinstance(config, dict) else {}, options)
        if shape is None:
            return None
        saved_class = str(first.get("class_name"))
        site = self._site("input", saved_class)
        name = unique_name("input", taken)
        return LayerPlan(
            name=name, saved_name=name, saved_class="InputLayer", kind=LayerKind.INPUT, what="Input",
            options={"batch_shape": _checked_shape(site, shape), "dtype": "float32"},
        )  # fmt: skip


def _todays_name(site: Site, config: Mapping[str, Any]) -> tuple[str | None, Mapping[str, Any]]:
    """The class of Keras 3 for the file's, and options that its name stood for."""
    saved = site.saved_class
    if saved in LAYERS:
        return saved, {}
    if saved in LAYER_NAMES:
        name, presets = LAYER_NAMES[saved]
        site.findings.change(f"{saved} is Keras 3's {name}", site.layer)
        return name, presets
    if saved == "ThresholdedReLU":
        site.findings.change("ThresholdedReLU is Keras 3's ReLU with a threshold", site.layer)
        return "ReLU", {}
    if saved == "Merge" and config.get("mode") in MERGE_MODES:
        site.findings.change("Merge is Keras 3's layers Add, Multiply, Concatenate, …", site.layer)
        return MERGE_MODES[str(config["mode"])], {}
    is_keras = hasattr(keras.layers, saved)
    remedy = f"--custom {'keras.layers' if is_keras else 'MODULE'}:{saved}"
    what = f"{saved}, which mnkit does not load unasked" if is_keras else f"{saved}, a class that is not Keras'"
    site.findings.obstruct(site.layer, Obstacle.CLASS, what, remedy)
    return None, {}


def _operation_home(saved: Mapping[str, Any], config: Mapping[str, Any], name: str) -> str | None:
    """The module of ours that an operation is in; None for a layer. HDF5 files do not say which of both it is."""
    module = str(saved.get("module") or "")
    is_operation = module.startswith(("keras.src.ops", "keras.ops")) or (
        not module and "trainable" not in config and "dtype" not in config and name not in {"InputLayer"}
    )
    return next((home for home, names in OPERATIONS.items() if is_operation and name in names), None)


def _other_owner(saved: Mapping[str, Any]) -> str | None:
    """The package or module that a layer's class is of, where that is not Keras and the file says so."""
    module = saved.get("module")
    owner = str(saved.get("class_name")).rpartition(">")[0] or (module if isinstance(module, str) else "")
    return owner[:200] if owner and owner.partition(".")[0] not in _KERAS else None


def _namesake(saved_class: str, owner: str) -> tuple[str, str]:
    """What stands in the way of a class that has the name of one of Keras', and may compute anything; the remedy."""
    is_importable = owner != "__main__" and re.fullmatch(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)+|[a-z_]\w*", owner, re.ASCII)
    what = f"{saved_class} of {shown(owner)}, not Keras' own; where that computes the same, keras.layers:{saved_class}"
    return what, f"--custom {owner if is_importable else 'MODULE'}:{saved_class}"


def _own_layer(saved: Mapping[str, Any], name: str) -> Any:
    """A layer of mnmodels' own architectures; those are registered by their package."""
    from mnmodels.architectures.layers import OWN_LAYERS

    registered = str(saved.get("registered_name") or saved.get("class_name"))
    return OWN_LAYERS.get(registered) or OWN_LAYERS.get(f"mnmodels>{name}") or OWN_LAYERS.get(name)


def _operation_options(site: Site, config: Mapping[str, Any]) -> dict[str, Any]:
    try:
        options = {name: plain(value) for name, value in config.items() if name not in {"name", "dtype", "trainable"}}
    except ValueError as error:
        site.findings.obstruct(site.layer, Obstacle.OPTION, f"{site.saved_class} with {error}")
        return {}
    # Of a Cast the type is what it does; of the others, where they compute.
    return options | {"dtype": layer_dtype(site, config.get("dtype"))} if site.saved_class == "Cast" else options


def _input_options(site: Site, config: Mapping[str, Any]) -> dict[str, Any]:
    shape = _stated_shape(config, {})
    if shape is None:
        raise KerasFileError(f'the input "{site.layer}" has no shape')
    for option in ("sparse", "ragged"):
        if config.get(option):
            site.findings.obstruct(site.layer, Obstacle.OPTION, f"an input that is {option}")
    return {"batch_shape": _checked_shape(site, shape), "dtype": layer_dtype(site, config.get("dtype"))}


def _stated_shape(config: Mapping[str, Any], model: Mapping[str, Any]) -> Any:
    """The shape with the batch, in any of the places where Keras put it."""
    for name in ("batch_input_shape", "batch_shape"):
        if config.get(name) is not None:
            return config[name]
    if isinstance(config.get("input_shape"), list):
        return [None, *config["input_shape"]]
    if isinstance(config.get("input_dim"), int) and "input_length" not in config:
        return [None, config["input_dim"]]
    build = model.get("build_config")
    return model.get("build_input_shape") or (build.get("input_shape") if isinstance(build, dict) else None)


def _checked_shape(site: Site, value: Any) -> tuple[int | None, ...]:
    try:
        shape = plain(value)
    except ValueError as error:
        raise KerasFileError(f'the input "{site.layer}" has the shape {error}') from error
    is_shape = isinstance(shape, list) and 1 <= len(shape) <= 6
    if not is_shape or any(size is not None and (type(size) is not int or size < 1) for size in shape):
        raise KerasFileError(f'the input "{site.layer}" has the shape {shown(value)}')
    numbers = 1
    for size in shape:
        numbers *= size or 1
    if numbers > MAX_INPUT_NUMBERS:
        raise KerasFileError(f'the input "{site.layer}" has the shape {shown(value)}: more numbers than any picture')
    return tuple(shape)
