"""Weights without a description of their network, put into a network of the registry."""

import re
from collections.abc import Mapping
from typing import Any

from mninfer.errors import KerasFileError, MnError
from mninfer.near import near_names
from mnmodels.architectures.registry import ARCHITECTURES
from mnmodels.keras_file.deferred import building, forget_built, give_values
from mnmodels.keras_file.description import Era
from mnmodels.keras_file.from_config import match_weights
from mnmodels.keras_file.hdf5 import Hdf5
from mnmodels.keras_file.weight_targets import targets_of_model

__all__ = ["check_described", "model_with_weights"]


def model_with_weights(
    file: Hdf5, arch: Mapping[str, Any] | None, *, is_described: bool
) -> tuple[Any, tuple[str, ...]]:
    """The network ``arch`` with the file's weights, by the names of the layers, else in their order."""
    from mnmodels.architectures.registry import build_model

    if arch is None:
        hints = (*_hints(file), "mnmodels import FILE --arch NAME … -o model.keras, for a command without --arch")
        raise KerasFileError("the file holds weights alone, and does not say of which network", hints=hints)
    check_described(arch)
    with building():
        model = build_model(**arch)
    era = Era(2, file.text("", "backend"), file.text("", "keras_version"))
    try:
        found = match_weights(targets_of_model(model), file, era)
    except KerasFileError as error:
        forget_built()
        raise KerasFileError(error.what, hints=(f"another --arch than {_described(arch)}", *_hints(file))) from error
    give_values(found.values)
    change = f"the network is {_described(arch)}, as stated"
    return model, (change + "; the file's own description is not read" if is_described else change,)


def check_described(arch: object) -> None:
    """Raise MnError where ``arch`` doesn't say which network it describes."""
    names = ", ".join(ARCHITECTURES)
    if not isinstance(arch, Mapping):
        hints = f'{{"name": {arch!r}}}' if isinstance(arch, str) else '{"name": "mobilenet_v1", "alpha": 0.25}'
        raise MnError(f"a network is described by a mapping, not by {arch!r}", hints=hints)
    if "name" not in arch:
        mistyped = [key for key in arch if near_names(str(key), ["name"])]
        hints = f'"name" instead of "{mistyped[0]}"' if mistyped else f'"name": one of {names}'
        raise MnError(f"the description {dict(arch)!r} has no name: it doesn't say of which network", hints=hints)
    if arch.get("weights") is not None:
        raise MnError("the weights are those of the file, and of no other one", hints='leave out "weights"')


def _described(arch: Mapping[str, Any]) -> str:
    return " ".join([str(arch["name"]), *(f"{key}={value}" for key, value in arch.items() if key != "name")])


def _hints(file: Hdf5) -> list[str]:
    """What the shapes look like: a hint, never taken by itself."""
    shapes = {_layer_of(path): array.shape for path, array in file.arrays.items() if array.ndim >= 2}
    names = " ".join(shapes)
    stem = next((shape for name, shape in shapes.items() if name in {"conv1", "Conv1", "conv", "Conv"}), None)
    classes = next(
        (shapes[name][-1] for name in ("conv_preds", "predictions", "Logits", "logits") if name in shapes), None
    )
    suffix = f" --option classes={classes}" if classes else ""
    if stem is not None and "conv_dw_13" in names:
        return [f"--arch mobilenet_v1 --alpha {stem[-1] / 32:g}{suffix}   if the shapes do not deceive"]
    if stem is not None and re.search(r"block_16_project|expanded_conv_16", names):
        last = next((shape[-1] for name, shape in shapes.items() if name == "block_16_project"), None)
        alpha = f" --alpha {last / 320:g}" if last else ""
        return [f"--arch mobilenet_v2{alpha}{suffix}   if the shapes do not deceive"]
    return ["--arch NAME --alpha …   with the network that the weights were saved from"]


def _layer_of(path: str) -> str:
    """``model_weights/conv1/conv1/kernel:0`` -> ``conv1``."""
    parts = path.split("/")
    return parts[-2] if len(parts) > 1 else parts[0]
