"""Arrays by a file's names -> arrays by ``layer/variable``: averages before last values, training's state left out."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from numpy.typing import NDArray

from mninfer.errors import InputError
from mnmodels.weights.dialects import DIALECTS, Dialect
from mnmodels.weights.named_arrays import NamedArrays
from mnmodels.weights.network import Network
from mnmodels.weights.variable_names import is_bookkeeping, without_average

__all__ = ["Translated", "translate"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Translated:
    """``weights`` by target, ``names`` what they are called in the file; ``unused`` names that nothing is known of.

    ``doubled`` has one line for each target that two arrays claim.
    """

    dialect: Dialect
    weights: Mapping[str, NDArray[Any]] = field(repr=False)
    names: Mapping[str, str] = field(repr=False)
    unused: tuple[str, ...]
    doubled: tuple[str, ...]
    notes: tuple[str, ...]


def translate(source: NamedArrays, network: Network) -> Translated:
    """Give each array its place in ``network`` by the dialect that knows most names. Raise InputError if none does."""
    arrays, notes = _without_state(source.arrays)
    names = list(arrays)
    readings = [(dialect, dialect.targets(names, network)) for dialect in DIALECTS]
    wanted = network.targets
    dialect, targets = max(readings, key=lambda reading: len(wanted.keys() & set(reading[1].values())))
    if not wanted.keys() & set(targets.values()):
        raise InputError(
            f"{source.kind}, and none of its names is known: {', '.join(names[:6])}{' …' if len(names) > 6 else ''}",
            where=source.where,
            hints=(
                f"is it a {network.name}? --arch says which network",
                f"name them as Keras would: {', '.join(list(wanted)[:3])}, …",
            ),
        )
    weights: dict[str, NDArray[Any]] = {}
    name_of: dict[str, str] = {}
    doubled = []
    for name, target in targets.items():
        if target in weights:
            doubled.append(f"{target}: both {name_of[target]} and {name}")
        weights[target], name_of[target] = arrays[name], name
    return Translated(
        dialect=dialect,
        weights=weights,
        names=name_of,
        unused=tuple(name for name in names if name not in targets),
        doubled=tuple(doubled),
        notes=(*source.notes, *notes, *([dialect.note] if dialect.note else [])),
    )


def _without_state(arrays: Mapping[str, NDArray[Any]]) -> tuple[dict[str, NDArray[Any]], list[str]]:
    last: dict[str, NDArray[Any]] = {}
    averages: dict[str, NDArray[Any]] = {}
    num_left = 0
    for name, array in arrays.items():
        plain, is_average = without_average(name)
        if is_bookkeeping(plain):
            num_left += 1
        elif is_average:
            averages[plain] = array
        else:
            last[name] = array
    notes = []
    if averages:
        notes.append(f"{len(averages)} weights taken as their average over training (ExponentialMovingAverage)")
    if num_left:
        notes.append(f"{num_left} arrays of the training's state left out")
    return last | averages, notes
