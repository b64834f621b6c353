"""Initializers, regularizers, constraints and activations of a layer, from any era's spelling to Keras 3's objects.

Only classes on our lists are made, from numbers and short texts alone. An initializer that is not known is left at the
default: the weights come from the file.
"""

import inspect
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import keras

from mnmodels.keras_file.description import Era
from mnmodels.keras_file.findings import Findings, Obstacle
from mnmodels.keras_file.known_layers import (
    ACTIVATION_NAMES,
    ACTIVATIONS,
    CONSTRAINTS,
    INITIALIZERS,
    REGULARIZERS,
)
from mnmodels.keras_file.plain_values import plain, shown

__all__ = ["Site", "activation_name", "part", "without_package"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """Where a translation stands: which layer, of which era, and where to write down what it finds."""

    layer: str
    saved_class: str
    era: Era
    findings: Findings
    custom: Mapping[str, Any]
    used: set[str]  # of the user's lambdas and classes, those that the file has


_KINDS = {
    "initializer": (keras.initializers, INITIALIZERS),
    "regularizer": (keras.regularizers, REGULARIZERS),
    "constraint": (keras.constraints, CONSTRAINTS),
}
# Keras 1 and lower-case spellings that are not the class' name in snake case.
_OTHER_NAMES = {
    "normal": "RandomNormal",
    "uniform": "RandomUniform",
    "zero": "Zeros",
    "one": "Ones",
    "WeightRegularizer": "L1L2",
    "L1L2Regularizer": "L1L2",
    "l1_l2": "L1L2",
}


def part(site: Site, option: str, value: Any) -> Any:
    """The object that an ``…_initializer``, ``…_regularizer`` or ``…_constraint`` asks for; None for none."""
    kind = option.rpartition("_")[2]
    home, known = _KINDS[kind]
    if value is None:
        return None
    saved, config = _spelled(value)
    name = _class_name(saved, known)
    if name is None:
        site.findings.change(f'{site.saved_class}: the {kind} "{saved}" is dropped, it is not known', site.layer)
        return None
    made = getattr(home, name)
    try:
        return made(**_own_options(made, config))
    except (ValueError, TypeError, ArithmeticError):
        site.findings.change(f"{site.saved_class}: the {kind} {name} is dropped: {shown(config)}", site.layer)
        return None


def _spelled(value: Any) -> tuple[str, Mapping[str, Any]]:
    """The name and the options of a part, in any era's spelling."""
    if isinstance(value, str):
        return value, {}
    if not isinstance(value, dict):
        return shown(value), {}
    if "name" in value and "class_name" not in value:  # Keras 1: {"name": "WeightRegularizer", "l1": 0.0, "l2": 5e-4}
        return str(value["name"]), {key: item for key, item in value.items() if key != "name"}
    config = value.get("config")
    return str(value.get("class_name")), config if isinstance(config, dict) else {}


def _class_name(saved: str, known: frozenset[str]) -> str | None:
    name = without_package(saved)
    candidates = {_fold(each): each for each in known}
    return candidates.get(_fold(_OTHER_NAMES.get(name, name)))


def _fold(name: str) -> str:
    return name.replace("_", "").lower()


def without_package(name: str) -> str:
    """``Custom>MyLayer`` -> ``MyLayer``."""
    return name.rpartition(">")[2]


def _own_options(made: Any, config: Mapping[str, Any]) -> dict[str, Any]:
    parameters = inspect.signature(made.__init__).parameters
    options = {name: plain(value) for name, value in config.items() if name in parameters}
    if options.get("distribution") == "normal":  # TensorFlow 1's word
        options["distribution"] = "truncated_normal"
    return {name: value for name, value in options.items() if isinstance(value, int | float | str | None | list)}


def activation_name(site: Site, value: Any) -> Any:
    """Keras 3's name of an activation, or the user's function; None where there is no way, which is written down.

    Names that repositories gave to functions of their own are taken for what they are everywhere, and told of.
    """
    if value is None:
        return "linear"
    name = _function_name(value)
    if name in site.custom:
        site.used.add(name)
        return site.custom[name]
    if name in ACTIVATIONS:
        return name
    if name in ACTIVATION_NAMES:
        today = ACTIVATION_NAMES[name]
        site.findings.change(f'the activation "{name}" is taken for Keras\' {today}', site.layer)
        return today
    site.findings.obstruct(
        site.layer, Obstacle.CLASS, f'{site.saved_class} with the activation "{name}"', f"--custom MODULE:{name}"
    )
    return None


def _function_name(value: Any) -> str:
    if isinstance(value, dict):
        config = value.get("config")
        value = config if value.get("class_name") == "function" else value.get("class_name")
    name = without_package(str(value))
    return name if re.fullmatch(r"[A-Za-z_]\w{0,99}", name) else shown(name)
