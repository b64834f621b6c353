"""The JSON of a model's configuration, of any era, to a ModelPlan; what it cannot be is written down, not guessed.

The file's words are looked up in our own lists. Nothing of ``module`` or ``registered_name`` is imported: they only
tell a layer "Add" from an operation "Add".
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from mninfer.errors import KerasFileError
from mnmodels.keras_file.description import Call, Era, LayerKind, LayerPlan, ModelPlan, TensorRef, unique_name
from mnmodels.keras_file.findings import Findings
from mnmodels.keras_file.known_layers import MODEL_CLASSES
from mnmodels.keras_file.layer_config import LayerReader
from mnmodels.keras_file.node_config import read_calls, read_tensors
from mnmodels.keras_file.parts import without_package

__all__ = ["era_of", "read_config"]

MAX_LAYERS = 5000  # NASNet-Large, the longest of keras.applications, has 1041
MAX_NESTING = 8
MAX_CALLS = 20_000  # of all layers, those of a model inside counted anew for each time that it is called


def era_of(version: str | None, backend: str | None, config: Any) -> Era:
    """The era of a file that says ``keras_version``; of one that does not, by how its configuration looks."""
    match = re.match(r"(\d{1,3})\.", version or "")
    if match:
        return Era(int(match.group(1)), backend, version)
    names = {name for layer in _first_layers(config) for name in layer}
    major = 3 if "batch_shape" in names else 1 if names & {"nb_filter", "border_mode", "dim_ordering"} else 2
    return Era(major, backend, version)


def _first_layers(config: Any) -> Iterator[Mapping[str, Any]]:
    """Options of a few layers of the outermost model."""
    inner = config.get("config") if isinstance(config, dict) else None
    layers = inner.get("layers") if isinstance(inner, dict) else inner
    for layer in layers[:10] if isinstance(layers, list) else ():
        if isinstance(layer, dict) and isinstance(layer.get("config"), dict):
            yield layer["config"]


def read_config(
    config: Any,
    era: Era,
    findings: Findings,
    *,
    lambdas: Mapping[str, str] | None = None,
    custom: Mapping[str, Any] | None = None,
) -> ModelPlan:
    """The plan of the whole model. Raise KerasFileError where the configuration is none."""
    reader = _ModelReader(LayerReader(era, findings, dict(lambdas or {}), dict(custom or {})))
    class_name = config.get("class_name") if isinstance(config, dict) else None
    if class_name not in MODEL_CLASSES:
        raise KerasFileError(
            f'the configuration describes no network, but "{class_name}"',
            hints="a subclassed model cannot be read: build the network, and give its weights with --arch NAME",
        )
    plan = reader.model(str(class_name), config.get("config"), "model", 0)
    if (count := _num_calls(plan)) > MAX_CALLS:
        raise KerasFileError(f"its layers are called {count:,} times in one run; at most {MAX_CALLS:,} are built")
    reader.layers.check_all_used()
    return plan


def _num_calls(plan: ModelPlan) -> int:
    """How many calls one run of a model is: each of a model inside is all of that one's."""
    return sum(
        max(1, len(layer.calls)) * (_num_calls(layer.what) if layer.kind is LayerKind.MODEL else 1)
        for layer in plan.layers
    )


class _ModelReader:
    """Reads models inside of models; counts the layers of all of them."""

    def __init__(self, layers: LayerReader) -> None:
        self.layers = layers
        self.num_layers = 0

    def model(self, class_name: str, config: Any, fallback_name: str, depth: int) -> ModelPlan:
        if depth > MAX_NESTING:
            raise KerasFileError(f"its models are nested more than {MAX_NESTING} deep")
        saved = config.get("layers") if isinstance(config, dict) else config
        if not isinstance(saved, list) or not saved or not all(isinstance(layer, dict) for layer in saved):
            raise KerasFileError(f'the {class_name} "{fallback_name}" has no list of layers')
        self.num_layers += len(saved)
        if self.num_layers > MAX_LAYERS:
            raise KerasFileError(f"it has more than {MAX_LAYERS} layers")
        options = config if isinstance(config, dict) else {}
        name = options.get("name") if isinstance(options.get("name"), str) else fallback_name
        if class_name == "Sequential" or isinstance(config, list):
            return self.chain(str(name), saved, options, depth)
        return self.graph(str(name), saved, options, depth)

    def graph(self, name: str, saved: Sequence[Mapping[str, Any]], options: Mapping[str, Any], depth: int) -> ModelPlan:
        """A functional model: layers with the nodes that lead to them."""
        names = _names(saved)
        plans = tuple(
            self.layer(layer, names[index], read_calls(layer.get("inbound_nodes"), str(layer.get("class_name"))), depth)
            for index, layer in enumerate(saved)
        )
        return ModelPlan(
            name=name,
            layers=plans,
            inputs=read_tensors(options.get("input_layers"), "input_layers"),
            outputs=read_tensors(options.get("output_layers"), "output_layers"),
        )

    def chain(self, name: str, saved: Sequence[Mapping[str, Any]], options: Mapping[str, Any], depth: int) -> ModelPlan:
        """A Sequential: each layer is called on the one before."""
        names = _names(saved)
        taken = {own for own, _ in names}
        plans: list[LayerPlan] = []
        if saved[0].get("class_name") != "InputLayer" and (first := self.layers.first_input(saved[0], options, taken)):
            plans.append(first)
        for index, layer in enumerate(saved):
            previous = TensorRef(plans[-1].saved_name, 0, 0) if plans else TensorRef("", 0, 0)
            calls = () if layer.get("class_name") == "InputLayer" else (Call((previous,)),)
            plans.append(self.layer(layer, names[index], calls, depth))
        has_input = plans[0].kind is LayerKind.INPUT
        return ModelPlan(
            name=name,
            layers=tuple(plans),
            inputs=TensorRef(plans[0].saved_name, 0, 0) if has_input else None,
            outputs=TensorRef(plans[-1].saved_name, 0, 0),
        )

    def layer(self, saved: Mapping[str, Any], names: tuple[str, str], calls: tuple[Call, ...], depth: int) -> LayerPlan:
        """One layer, or a model that is one."""
        name, saved_name = names
        class_name = without_package(str(saved.get("class_name")))
        if class_name not in MODEL_CLASSES:
            return self.layers.layer(saved, name, saved_name, calls)
        return LayerPlan(
            name=name,
            saved_name=saved_name,
            saved_class=class_name,
            kind=LayerKind.MODEL,
            what=self.model(class_name, saved.get("config"), name, depth + 1),
            calls=calls,
        )


def _names(saved: Sequence[Mapping[str, Any]]) -> list[tuple[str, str]]:
    """Each layer's name here and in the file. Raise KerasFileError where two have one."""
    taken: set[str] = set()
    names = []
    for index, layer in enumerate(saved):
        config = layer.get("config")
        stated = layer.get("name") or (config.get("name") if isinstance(config, dict) else None)
        saved_name = stated if isinstance(stated, str) and 0 < len(stated) <= 200 else f"layer_{index}"
        names.append((unique_name(saved_name, taken), saved_name))
    if len({saved_name for _, saved_name in names}) < len(names):
        raise KerasFileError("two of its layers have the same name")
    return names
