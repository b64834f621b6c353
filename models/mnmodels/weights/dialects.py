"""Names of weights in other people's files -> ``layer/variable`` of a registry network: one row for each way to name.

Where the names come from: tensorflow/models, research/slim/nets; Zehaos/MobileNet and MG2033/MobileNet (2017);
JonathanCMitchell/mobilenet_v2_keras; Keras' own counters for layers that nobody named.
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from mnmodels.weights.network import LayerSlots, Network
from mnmodels.weights.variable_names import split_name

__all__ = ["DIALECTS", "Dialect"]

Targets = dict[str, str]
"""A name in the file -> the ``layer/variable`` that it is for; names that say nothing are left out."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Dialect:
    """A way to name weights. ``note`` is what has to be known of nets that use it.

    ``has_gamma`` False: their normalization doesn't scale. ``relu_max`` None: their ReLU has no ceiling.
    """

    about: str
    targets: Callable[[Sequence[str], Network], Targets]
    has_gamma: bool = True
    relu_max: float | None = 6.0
    note: str | None = None


_NUMBER = r"(\d{1,6})"  # Python makes no number of more than 4300 digits, and no network has so many layers
Rename = str | Callable[[re.Match[str]], str]


def _by_paths(rules: Mapping[str, Rename]) -> Callable[[Sequence[str], Network], Targets]:
    """Layers by the end of their path; whatever scopes stand before it."""
    compiled = [(re.compile(rf"(?:.*/)?{pattern}"), rename) for pattern, rename in rules.items()]

    def layer_of(path: str) -> str | None:
        for pattern, rename in compiled:
            if match := pattern.fullmatch(path):
                return match.expand(rename) if isinstance(rename, str) else rename(match)
        return None

    def targets(names: Sequence[str], network: Network) -> Targets:
        result = {}
        for name in names:
            path, variable = split_name(name)
            layer = layer_of(path)
            if layer and variable:
                result[name] = f"{layer}/{variable}"
        return result

    return targets


def _block(layer: str) -> Callable[[re.Match[str]], str]:
    """A layer of V1's n-th separable convolution, where the stem was counted as the first."""
    return lambda match: layer.format(int(match[1]) - 1)


_SLIM_V1: dict[str, Rename] = {
    "Conv2d_0": "conv1",
    "Conv2d_0/BatchNorm": "conv1_bn",
    r"Conv2d_(\d+)_depthwise": r"conv_dw_\1",
    r"Conv2d_(\d+)_depthwise/BatchNorm": r"conv_dw_\1_bn",
    r"Conv2d_(\d+)_pointwise": r"conv_pw_\1",
    r"Conv2d_(\d+)_pointwise/BatchNorm": r"conv_pw_\1_bn",
    "Logits/Conv2d_1c_1x1": "conv_preds",
}
_SLIM_V2: dict[str, Rename] = {
    "(?:MobilenetV2[^/]*/)?Conv": "Conv1",
    "Conv/BatchNorm": "bn_Conv1",
    "expanded_conv/(depthwise|project)": r"expanded_conv_\1",
    "expanded_conv/(depthwise|project)/BatchNorm": r"expanded_conv_\1_BN",
    r"expanded_conv_(\d+)/(expand|depthwise|project)": r"block_\1_\2",
    r"expanded_conv_(\d+)/(expand|depthwise|project)/BatchNorm": r"block_\1_\2_BN",
    "Conv_1": "Conv_1",
    "Conv_1/BatchNorm": "Conv_1_bn",
    "Logits/Conv2d_1c_1x1": "predictions",
}
_ZEHAOS: dict[str, Rename] = {
    "conv_1": "conv1",
    "conv_1/batch_norm": "conv1_bn",
    rf"conv_ds_{_NUMBER}/depthwise_conv": _block("conv_dw_{}"),
    rf"conv_ds_{_NUMBER}/dw_batch_norm": _block("conv_dw_{}_bn"),
    rf"conv_ds_{_NUMBER}/pointwise_conv": _block("conv_pw_{}"),
    rf"conv_ds_{_NUMBER}/pw_batch_norm": _block("conv_pw_{}_bn"),
    "fc_16": "conv_preds",
}
_MG2033: dict[str, Rename] = {
    "conv_1": "conv1",
    "conv_1/batch_normalization": "conv1_bn",
    rf"conv_ds_{_NUMBER}/depthwise": _block("conv_dw_{}"),
    rf"conv_ds_{_NUMBER}/depthwise/batch_normalization": _block("conv_dw_{}_bn"),
    rf"conv_ds_{_NUMBER}/pointwise": _block("conv_pw_{}"),
    rf"conv_ds_{_NUMBER}/pointwise/batch_normalization": _block("conv_pw_{}_bn"),
    "fc": "conv_preds",
}


def _old_v2(match: re.Match[str]) -> str:
    """``mobl3_conv_3_expand`` and ``bn3_conv_3_bn_expand``: the first V2 for Keras."""
    kind, block, layer = match[1], match[2], match[3]
    prefix = "expanded_conv" if block == "0" else f"block_{block}"
    return f"{prefix}_{layer}" + ("_BN" if kind == "bn" else "")


_OLD_V2 = re.compile(r"(mobl|bn)(\d+)_conv_\2_(?:bn_)?(expand|depthwise|project)")


def _keras_targets(names: Sequence[str], network: Network) -> Targets:
    """By Keras' layer names: the first part of the path that is a layer of the network, or an old name of one."""
    layers = {layer.name: layer for layer in network.layers}
    result = {}
    for name in names:
        *path, last = name.split("/")
        for index, part in enumerate(path):
            layer = layers.get(part) or layers.get(_renamed(part))
            if layer is not None:
                variable = _variable(part, [*path[index + 1 :], last], layer)
                if variable:
                    result[name] = f"{layer.name}/{variable}"
                break
    return result


def _renamed(layer: str) -> str:
    if match := _OLD_V2.fullmatch(layer):
        return _old_v2(match)
    return "predictions" if layer == "Logits" else ""


def _variable(layer: str, rest: Sequence[str], slots: LayerSlots) -> str | None:
    """Keras 3 counts a layer's variables (``vars/0``); Keras 1 has the layer's name before theirs (``conv1_W``)."""
    if len(rest) == 2 and rest[0] == "vars" and re.fullmatch(_NUMBER, rest[1]):
        return _counted(slots, int(rest[1]))
    last = rest[-1].removeprefix(f"{layer}_")
    plain = last.partition(":")[0]
    return plain if plain in slots.shapes else split_name(f"{layer}/{last}")[1]


def _counted(slots: LayerSlots, index: int) -> str | None:
    variables = list(slots.shapes)
    return variables[index] if index < len(variables) else None


_COUNTED = re.compile(
    rf"(conv2d|convolution2d|depthwise_conv2d|batch_normalization|batchnormalization|dense)(?:_{_NUMBER})?"
)
_KIND_OF = {"conv2d": "conv", "convolution2d": "conv", "depthwise_conv2d": "depthwise", "dense": "dense"}


def _counted_targets(names: Sequence[str], network: Network) -> Targets:
    """By Keras' counters: the n-th convolution of the file is the n-th of the network, whatever it counted from.

    A classifier may be a 1×1 convolution in one and a Dense layer in the other, so both count as one kind, in order.
    """
    found: dict[str, tuple[str, int, int]] = {}
    for name in names:
        if owner := next((match for part in name.split("/")[:-1] if (match := _COUNTED.fullmatch(part))), None):
            kind = _KIND_OF.get(owner[1], "norm")
            group = "conv" if kind == "dense" else kind
            found[name] = (group, int(kind == "dense"), int(owner[2] or 0))
    result: Targets = {}
    for group in ("conv", "depthwise", "norm"):
        numbers = sorted({place for place in found.values() if place[0] == group})
        slots = [layer for layer in network.layers if ("conv" if layer.kind == "dense" else layer.kind) == group]
        layer_at = dict(zip(numbers, slots, strict=False))
        for name, place in found.items():
            if place in layer_at:
                result |= _counted_target(name, layer_at[place])
    return result


def _counted_target(name: str, slots: LayerSlots) -> Targets:
    parts = name.split("/")
    variable = _variable(parts[-2] if len(parts) > 1 else "", parts[-2:] if parts[-2] == "vars" else parts[-1:], slots)
    return {name: f"{slots.name}/{variable}"} if variable else {}


_IN_ORDER = re.compile(rf"(?:.*/)?(?:layer_with_weights-|operator_){_NUMBER}/.*")


def _ordered_targets(kinds: Iterable[str] | None) -> Callable[[Sequence[str], Network], Targets]:
    """By the order of layers alone: of those of ``kinds``, or of all that have weights."""

    def targets(names: Sequence[str], network: Network) -> Targets:
        numbers = {name: int(match[1]) for name in names if (match := _IN_ORDER.fullmatch(name))}
        slots = [layer for layer in network.layers if kinds is None or layer.kind in kinds]
        layer_at = dict(zip(sorted(set(numbers.values())), slots, strict=False))
        result = {}
        for name, number in numbers.items():
            variable = split_name(name)[1]
            if number in layer_at and variable:
                result[name] = f"{layer_at[number].name}/{variable}"
        return result

    return targets


DIALECTS = (
    Dialect(about="TF-slim's MobilenetV1", targets=_by_paths(_SLIM_V1)),
    Dialect(about="TF-slim's MobilenetV2", targets=_by_paths(_SLIM_V2)),
    Dialect(
        about="Zehaos/MobileNet (2017)",
        targets=_by_paths(_ZEHAOS),
        has_gamma=False,
        relu_max=None,
        note="Zehaos/MobileNet has ReLU without a ceiling, and so has this net; its normalization has no gamma",
    ),
    Dialect(
        about="MG2033/MobileNet (2017)",
        targets=_by_paths(_MG2033),
        note="MG2033/MobileNet itself runs them with ReLU; the weights that it ships are TF-slim's, made for ReLU6",
    ),
    Dialect(about="Keras' layer names", targets=_keras_targets),
    Dialect(about="Keras' counters (conv2d_1, conv2d_2, ...)", targets=_counted_targets),
    Dialect(about="the order of operators", targets=_ordered_targets(("conv", "depthwise", "dense"))),
    Dialect(about="the order of tf.keras' layers", targets=_ordered_targets(None)),
)
