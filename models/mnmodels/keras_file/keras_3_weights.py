"""Weights as Keras 3 lays them out in ``model.weights.h5``: ``layers/conv2d_1/vars/0``, numbered class by class.

The zips of tf.keras 2.12 to 2.15 have the same layout under another root.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from numpy.typing import NDArray

from mnmodels.keras_file.hdf5 import Hdf5
from mnmodels.keras_file.weight_targets import FoundWeights, Target

__all__ = ["is_keras_3", "match_keras_3"]

_CONTAINERS = ("layers", "_layer_checkpoint_dependencies")
_VALUES = "vars"
_SEEDS = "seed_generator"

Tree = dict[str, Any]  # of Trees, and of arrays at its leaves


def is_keras_3(file: Hdf5) -> bool:
    """Whether the file has this layout."""
    return any(path.split("/", 1)[0] in _CONTAINERS for path in file.arrays)


def match_keras_3(targets: Sequence[Target], file: Hdf5, found: FoundWeights) -> None:
    """Find the values of all variables."""
    tree: Tree = {}
    for path, array in file.arrays.items():
        *folders, name = path.replace("\\", "/").split("/")
        place = tree
        for folder in folders:
            inner = place.setdefault(folder, {})
            if not isinstance(inner, dict):
                return found.problems.append(f'"{path}" lies inside of an array')
            place = inner
        place[name] = array
    return _match_model(targets, tree, "", file, found)


def _match_model(targets: Sequence[Target], tree: Tree, path: str, file: Hdf5, found: FoundWeights) -> None:
    container = next((name for name in _CONTAINERS if isinstance(tree.get(name), dict)), None)
    if container is None:
        found.problems.extend(f'"{target.name}" has no weights in the file' for target in targets)
        return
    groups = {name: group for name, group in tree[container].items() if _has_weights(group)}
    pairs = _by_name(targets, groups, f"{path}{container}/", file) or _by_class(targets, groups)
    for target in targets:
        name = pairs.get(target.name)
        if name is None:
            found.problems.append(f'"{target.name}" has no weights in the file')
        elif target.inside:
            _match_model(target.inside, groups[name], f"{path}{container}/{name}/", file, found)
        else:
            _match_layer(target, target.layer, groups[name], found)
    extra = set(groups) - {pairs.get(target.name) for target in targets}
    found.problems.extend(f'"{path}{container}/{name}" has weights, and no layer takes them' for name in sorted(extra))


def _has_weights(group: Any) -> bool:
    """Whether there is anything but seeds."""
    if not isinstance(group, dict):
        return False
    return any(not isinstance(inner, dict) or (name != _SEEDS and _has_weights(inner)) for name, inner in group.items())


def _by_name(targets: Sequence[Target], groups: Mapping[str, Any], path: str, file: Hdf5) -> dict[str, str]:
    """Layer -> group, where every group says which layer it is of."""
    named = {file.text(f"{path}{name}/{_VALUES}", "name"): name for name in groups}
    wanted = {target.name for target in targets}
    if None in named or len(named) < len(groups) or not wanted & set(named):
        return {}
    return {str(layer): name for layer, name in named.items()}


def _by_class(targets: Sequence[Target], groups: Mapping[str, Any]) -> dict[str, str]:
    """Layer -> group by counting: the third Conv2D with weights has the third of the groups conv2d, conv2d_1, …"""
    pairs: dict[str, str] = {}
    for saved_class in {target.saved_class for target in targets}:
        snake = _snake_case(saved_class)
        numbered = {
            int(match.group(1) or 0): name
            for name in groups
            if (match := re.fullmatch(rf"{snake}(?:_(\d{{1,6}}))?", name))
        }
        layers = [target.name for target in targets if target.saved_class == saved_class]
        if len(layers) == len(numbered):
            pairs.update(zip(layers, (numbered[number] for number in sorted(numbered)), strict=True))
    return pairs


def _snake_case(name: str) -> str:
    """Keras' spelling of a class in its files: Conv2D -> conv2d, PReLU -> p_re_lu.

    >>> _snake_case("BatchNormalization")
    'batch_normalization'
    """
    split = re.sub(r"(.)([A-Z][a-z]+)", r"\1_\2", re.sub(r"\W+", "", name))
    return re.sub(r"([a-z])([A-Z])", r"\1_\2", split).lower()


def _match_layer(target: Target, layer: Any, group: Tree, found: FoundWeights) -> None:
    """A layer's own arrays in their order, then those of the layers that it has as attributes."""
    own = group.get(_VALUES)
    own = own if isinstance(own, dict) else {}
    arrays: list[NDArray[Any]] = [own[key] for key in sorted(own, key=_number) if not isinstance(own[key], dict)]
    variables = list(layer._trainable_variables) + list(layer._non_trainable_variables)
    if len(arrays) != len(variables):
        found.problems.append(
            f'"{target.name}" has {len(arrays)} weights in the file and {len(variables)} in the network'
        )
        return
    for variable, array in zip(variables, arrays, strict=True):
        found.give(target, variable, array)
    attributes = vars(layer)
    for name, inner in group.items():
        part = attributes.get(name, attributes.get(f"_{name}"))
        if name not in {_VALUES, _SEEDS} and isinstance(inner, dict) and hasattr(part, "_trainable_variables"):
            _match_layer(target, part, inner, found)


def _number(key: str) -> int:
    return int(key) if key.isascii() and key.isdigit() and len(key) < 10 else 0
