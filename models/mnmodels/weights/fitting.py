"""Arrays by ``layer/variable`` -> exactly what a network wants, or one error that lists all that doesn't fit.

What may differ without harm is made equal: axes of length one, a bias before a normalization, a normalization that was
folded into its convolution, a gamma that a network never had, a background class that is to go.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mninfer.errors import UnsupportedModelError
from mnmodels.weights.network import LayerSlots, Network
from mnmodels.weights.translate import Translated

__all__ = ["FitConfig", "fit"]

Weights = dict[str, NDArray[np.float32]]


@dataclass(frozen=True, slots=True, kw_only=True)
class FitConfig:
    """``drop_background``: class 0 goes, where the file has one class more. ``left_out``: layers without a place."""

    where: str
    drop_background: bool = False
    left_out: tuple[str, ...] = ()


def fit(translated: Translated, network: Network, config: FitConfig) -> tuple[Weights, list[str]]:
    """The weights for every place of ``network``, and notes on what was made equal.

    Raise UnsupportedModelError whose offenders are all that is missing, unused, doubled, misshapen or no number.
    """
    notes: list[str] = []
    given = {target: array for target, array in translated.weights.items() if not _belongs(target, config.left_out)}
    if len(given) < len(translated.weights):
        notes.append(f'the classifier "{", ".join(config.left_out)}" of the file is left out')
    if config.drop_background:
        notes += _drop_background(given, network)
    notes += _merge_biases(given, network)
    if not translated.dialect.has_gamma:
        _add_gammas(given, network)
    problems = _problems(given, network, translated)
    if problems:
        raise _misfit(problems, given, network, config.where)
    return {target: _shaped(given[target], shape) for target, shape in network.targets.items()}, notes


def _belongs(target: str, layers: tuple[str, ...]) -> bool:
    return target.rpartition("/")[0] in layers


def _drop_background(given: dict[str, NDArray[Any]], network: Network) -> list[str]:
    head = network.head
    targets = [f"{head.name}/{variable}" for variable in head.shapes] if head else []
    for target in targets:
        wanted = network.targets[target][-1]
        if target not in given or given[target].shape[-1:] != (wanted + 1,):
            return []  # the comparison of shapes says what is wrong
    for target in targets:
        given[target] = given[target][..., 1:]
    return ["class 0, the background, is dropped: the classes are the file's 1, 2, ..."] if targets else []


def _merge_biases(given: dict[str, NDArray[Any]], network: Network) -> list[str]:
    """A bias for a convolution that has none: its normalization takes it in.

    Before a normalization, a bias is a shift of the mean. Where the normalization was folded, it is all that is left of
    it: then gamma = 1, mean = 0 and variance = 1 - epsilon make it an addition.
    """
    merged = folded = 0
    for layer in network.layers:
        bias = given.get(f"{layer.name}/bias")
        if bias is None or "bias" in layer.shapes or layer.norm is None:
            continue
        norm = network.layer(layer.norm)
        if norm is None or bias.shape != norm.shapes.get("beta"):
            continue
        del given[f"{layer.name}/bias"]
        if any(f"{norm.name}/{variable}" in given for variable in norm.shapes):
            mean = given.get(f"{norm.name}/moving_mean", np.float32(0))
            given[f"{norm.name}/moving_mean"] = np.asarray(mean, np.float64) - bias
            merged += 1
        else:
            given |= _addition(norm, bias)
            folded += 1
    notes = [f"{merged} biases before a normalization became part of its mean"] if merged else []
    return notes + ([f"{folded} folded normalizations are biases in the file, and add them here"] if folded else [])


def _addition(norm: LayerSlots, bias: NDArray[Any]) -> dict[str, NDArray[Any]]:
    one = np.ones_like(bias, np.float32)
    parts = {"gamma": one, "beta": bias, "moving_mean": 0 * one, "moving_variance": one - np.float32(norm.epsilon)}
    return {f"{norm.name}/{variable}": parts[variable] for variable in norm.shapes if variable in parts}


def _add_gammas(given: dict[str, NDArray[Any]], network: Network) -> None:
    for layer in network.layers:
        if layer.kind == "norm" and "gamma" in layer.shapes and f"{layer.name}/beta" in given:
            given.setdefault(f"{layer.name}/gamma", np.ones(layer.shapes["gamma"], np.float32))


def _problems(given: Mapping[str, NDArray[Any]], network: Network, translated: Translated) -> list[str]:
    wanted = network.targets
    names = translated.names
    missing = [f"missing: {target} {_text(shape)}" for target, shape in wanted.items() if target not in given]
    unused = [f"unused: {names.get(t, t)} {_text(array.shape)}" for t, array in given.items() if t not in wanted]
    unused += [f"unused: {name}" for name in translated.unused]
    doubled = [f"twice: {line}" for line in translated.doubled]
    misfits = [
        f"{problem}, in the file {names.get(target, target)}"
        for target, shape in wanted.items()
        if target in given and (problem := _misfits(target, given[target], shape))
    ]
    return missing + misfits + doubled + unused


def _misfits(target: str, array: NDArray[Any], shape: tuple[int, ...]) -> str | None:
    if _without_ones(array.shape) != _without_ones(shape):
        return f"shape: {target} is {_text(shape)}, not {_text(array.shape)}"
    if array.dtype.kind != "f":
        return f"numbers: {target} has {array.dtype} values, not real numbers"
    if not np.isfinite(array.astype(np.float32)).all():
        return f"numbers: {target} has values that are not finite"
    if target.endswith("/moving_variance") and array.size and array.min() < 0:
        return f"numbers: {target} has a negative variance"
    return None


def _without_ones(shape: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(length for length in shape if length != 1)


def _shaped(array: NDArray[Any], shape: tuple[int, ...]) -> NDArray[np.float32]:
    return np.ascontiguousarray(array, np.float32).reshape(shape)


def _text(shape: tuple[int, ...]) -> str:
    return "×".join(map(str, shape)) or "a number"


def _misfit(
    problems: list[str], given: Mapping[str, NDArray[Any]], network: Network, where: str
) -> UnsupportedModelError:
    lines = "".join(f"\n    {problem}" for problem in problems)
    return UnsupportedModelError(
        f"the weights don't fit {network.name}: {len(problems)} of them{lines}",
        offenders=problems,
        where=where,
        hints=_hints(given, network),
    )


def _hints(given: Mapping[str, NDArray[Any]], network: Network) -> list[str]:
    wanted, hints = network.targets, []
    stem = next(iter(wanted), "")
    if stem in given and given[stem].shape[-1:] not in ((), wanted[stem][-1:]):
        found = given[stem].shape[-1]
        hints.append(f"the first convolution has {found} filters, here {wanted[stem][-1]}: another --alpha?")
    head = network.head
    kernel = f"{head.name}/kernel" if head else ""
    if head and kernel not in given:
        hints.append("without a classifier in the file: --without-top")
    elif head and given[kernel].shape[-1:] != wanted[kernel][-1:] and given[kernel].ndim:
        found, here = given[kernel].shape[-1], wanted[kernel][-1]
        hints.append(f"the file has {found} classes, here {here}: --option classes={found}, or --without-top")
        if found == here + 1:
            hints.insert(0, "if its class 0 is the background: --drop-background")
    return hints or ["the options of --arch that the weights were made with"]
