"""Weights as Keras 1, 2 and tf.keras lay them out, and Keras 3 in ``.h5``: a group to a layer, names in order."""

import re
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mninfer.errors import KerasFileError
from mnmodels.keras_file.description import Era
from mnmodels.keras_file.hdf5 import Hdf5
from mnmodels.keras_file.weight_targets import FoundWeights, Target

__all__ = ["LegacyGroup", "legacy_groups", "match_legacy"]

_COUNT = "count"  # how many examples a Normalization has seen: some versions keep it, none computes with it
LegacyGroup = list[tuple[str, NDArray[Any]]]  # the weights of one layer by their names
_KERAS_1 = {
    "W": "kernel",
    "b": "bias",
    "gamma": "gamma",
    "beta": "beta",
    "running_mean": "moving_mean",
    "running_std": "moving_variance",  # it always was the variance
    "alphas": "alpha",
}


def legacy_groups(file: Hdf5, root: str) -> dict[str, LegacyGroup] | None:
    """The layers that have weights, in the order of the network; None where the file has another layout."""
    names = file.texts(root, "layer_names")
    if names is None:
        return None
    groups: dict[str, LegacyGroup] = {}
    for name in names:
        path = f"{root}/{name}" if root else name
        weights = []
        for weight in file.texts(path, "weight_names") or ():
            array = file.arrays.get(f"{path}/{weight}")
            if array is None:
                raise KerasFileError(f'the weights "{weight}" of the layer "{name}" are not in the file')
            weights.append((weight, array))
        if weights:
            groups[name] = weights
    return groups


def match_legacy(targets: Sequence[Target], groups: dict[str, LegacyGroup], era: Era, found: FoundWeights) -> None:
    """Find the values of all variables: layers by their names, or in order where no name is the same."""
    names = {target.name for target in targets}
    if not names & set(groups) and len(targets) == len(groups):
        groups = dict(zip((target.name for target in targets), groups.values(), strict=True))
    for target in targets:
        saved = groups.get(target.name)
        if saved is None:
            found.problems.append(f'"{target.name}" has no weights in the file')
        elif target.inside:
            _match_model(target, saved, era, found)
        else:
            _match_layer(target, saved, era, found)
    extra = [name for name in groups if name not in names and not _is_random_state(groups[name])]
    found.problems.extend(f'"{name}" has weights in the file, and is not in the network' for name in extra)


def _is_random_state(saved: LegacyGroup) -> bool:
    """The seeds of random layers, which are no weights."""
    return all(array.dtype.kind in "iu" and array.size <= 8 for _, array in saved)


def _match_layer(target: Target, saved: LegacyGroup, era: Era, found: FoundWeights) -> None:
    """Weights by their names, else in their order."""
    variables = target.variables
    names = {variable.name for variable in variables}
    saved = [each for each in saved if _base_name(each[0], era) != _COUNT or _COUNT in names]
    by_name = {_base_name(name, era): array for name, array in saved}
    if len(by_name) == len(saved) and names == set(by_name):
        pairs = [(variable, by_name[variable.name]) for variable in variables]
    elif len(saved) == len(variables):
        pairs = [(variable, array) for variable, (_, array) in zip(variables, saved, strict=True)]
    else:
        found.problems.append(
            f'"{target.name}" has {len(saved)} weights in the file and {len(variables)} in the network'
        )
        return
    for variable, array in pairs:
        found.give(target, variable, _todays_kernel(target.layer, variable, array, era))


def _match_model(target: Target, saved: LegacyGroup, era: Era, found: FoundWeights) -> None:
    """A model's weights, all in one list: by layer and name where both tell them apart, else in Keras' order."""
    by_name: dict[tuple[str, str], NDArray[Any]] = {}
    for name, array in saved:
        parts = name.split("/")
        by_name[parts[-2] if len(parts) > 1 else "", _base_name(name, era)] = array
    leaves = list(target.leaves())
    wanted = [(leaf, variable) for leaf in leaves for variable in leaf.variables]
    if len(by_name) == len(saved) and all((leaf.name, variable.name) in by_name for leaf, variable in wanted):
        pairs = [(leaf, variable, by_name[leaf.name, variable.name]) for leaf, variable in wanted]
    elif len(saved) == len(wanted):
        owner = {id(variable): leaf for leaf, variable in wanted}
        ordered = [variable for variable in target.variables if id(variable) in owner]
        pairs = [(owner[id(variable)], variable, array) for variable, (_, array) in zip(ordered, saved, strict=True)]
    else:
        found.problems.append(f'"{target.name}" has {len(saved)} weights in the file and {len(wanted)} in the network')
        return
    for leaf, variable, array in pairs:
        found.give(leaf, variable, _todays_kernel(leaf.layer, variable, array, era))


def _base_name(name: str, era: Era) -> str:
    """``block/conv1/kernel:0`` -> ``kernel``; Keras 1's ``convolution2d_1_W`` too."""
    base = name.rsplit("/", 1)[-1].split(":", 1)[0]
    if era.major == 1 and (match := re.search(r"(?:^|_)(W|b|gamma|beta|running_mean|running_std|alphas)$", base)):
        return _KERAS_1[match.group(1)]
    return base


def _todays_kernel(layer: Any, variable: Any, array: NDArray[Any], era: Era) -> NDArray[Any]:
    """Convolutions of Theano are turned by 180 degrees; Keras 1 put the filters of "th" networks first."""
    if variable.name != "kernel" or array.ndim < 3 or not type(layer).__name__.startswith("Conv"):
        return array
    if era.major == 1 and getattr(layer, "data_format", None) == "channels_first":
        array = np.moveaxis(array, (0, 1), (-1, -2))
    if era.backend == "theano":
        array = np.flip(array, tuple(range(array.ndim - 2)))
    return np.ascontiguousarray(array)
