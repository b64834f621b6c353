"""A trained net of learned groups as one of standard group convolutions, each after a gather of its channels."""

from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
from keras import layers

from mninfer.errors import MnError, VerifyError
from mnmodels.architectures.channel_gather import ChannelGather
from mnmodels.architectures.condensing import learned_group_convs
from mnmodels.architectures.learned_group_conv import LearnedGroupConv2D

__all__ = ["MOST_DIFFERENCE", "Regrouped", "regroup"]

MOST_DIFFERENCE = 1e-4  # of any output: sums in another order, nothing else
_PICTURES = 8
_OPEN_SIDE = 64  # of a picture whose size the net leaves open


@dataclass(frozen=True, slots=True, kw_only=True)
class Regrouped:
    """The new model, how many layers of it are regrouped, and how far its outputs were from the old one's."""

    model: Any
    num_layers: int
    num_parameters_before: int
    num_parameters_after: int
    max_difference: float


def regroup(model: Any) -> Regrouped:
    """Make standard group convolutions of a net's learned ones, and compare the outputs of both nets.

    Raise MnError for a net that has none, or whose groups are not fully condensed; VerifyError where outputs differ by
    more than 1e-4 (on pictures of noise and of flat squares in [-1, 1], seed 0).
    """
    _check_condensed(model)
    new = _rebuilt(model)
    difference = _max_difference(model, new)
    result = Regrouped(
        model=new,
        num_layers=len(learned_group_convs(model)),
        num_parameters_before=_num_parameters(model),
        num_parameters_after=_num_parameters(new),
        max_difference=difference,
    )
    if not difference <= MOST_DIFFERENCE:
        raise VerifyError(
            f"the regrouped net's outputs differ by {difference:.1e}, more than {MOST_DIFFERENCE:.0e}", report=result
        )
    return result


def _check_condensed(model: Any) -> None:
    convs = learned_group_convs(model)
    if not convs:
        raise MnError(
            f'model "{model.name}" has no learned group convolution',
            hints="a net trained as mobilenet_v2_lgc; it may be regrouped already",
        )
    still_open = [conv.name for conv in convs if not conv.is_condensed()]
    if still_open:
        raise MnError(
            f"{len(still_open)} of {len(convs)} learned group convolutions are not fully condensed: "
            + ", ".join(still_open[:6])
            + (" …" if len(still_open) > 6 else ""),
            hints="train past the last condensing stage (half of all epochs)",
        )


def _rebuilt(model: Any) -> Any:
    pairs = []

    def cloned(layer: Any) -> Any:
        clone = _clone(layer)
        pairs.append((layer, clone))
        return clone

    new = keras.models.clone_model(model, clone_function=cloned, call_function=_call, recursive=True)
    for layer, clone in pairs:
        is_learned = isinstance(layer, LearnedGroupConv2D)
        clone.set_weights([_group_kernel(layer)] if is_learned else layer.get_weights())
    return new


def _clone(layer: Any) -> Any:
    if not isinstance(layer, LearnedGroupConv2D):
        return layer.__class__.from_config(layer.get_config())
    conv = layers.Conv2D(
        layer.filters, 1, use_bias=False, groups=layer.groups, name=layer.name, dtype=layer.dtype_policy
    )
    conv.gathered = tuple(index for kept in layer.kept_inputs() for index in kept)
    return conv


def _call(layer: Any, *args: Any, **options: Any) -> Any:
    gathered = getattr(layer, "gathered", None)
    if gathered is None:
        return layer(*args, **options)
    return layer(ChannelGather(gathered, name=f"{layer.name}_gather")(*args))


def _group_kernel(layer: LearnedGroupConv2D) -> np.ndarray[Any, Any]:
    """The kernel (1, 1, inputs of a group, filters) of the standard group convolution."""
    kernel = layer.kernel.numpy()
    width = layer.filters // layer.groups
    return np.concatenate(
        [
            kernel[:, :, list(kept), group * width : (group + 1) * width]
            for group, kept in enumerate(layer.kept_inputs())
        ],
        axis=3,
    )


def _max_difference(model: Any, new: Any) -> float:
    pictures = _pictures(model.input_shape[1:])
    before, after = (np.asarray(each.predict_on_batch(pictures), np.float64) for each in (model, new))
    return float(np.abs(before - after).max())


def _pictures(shape: tuple[int | None, ...]) -> np.ndarray[Any, Any]:
    """Half of them noise, which a trained net may find all the same; half of them flat squares, which it doesn't."""
    height, width, channels = (size or _OPEN_SIDE for size in shape)
    random = np.random.default_rng(0)
    noise = random.uniform(-1, 1, (_PICTURES // 2, height, width, channels))
    squares = random.uniform(-1, 1, (_PICTURES // 2, 4, 4, channels))
    rows, columns = np.arange(height) * 4 // height, np.arange(width) * 4 // width
    return np.concatenate([noise, squares[:, rows][:, :, columns]]).astype(np.float32)


def _num_parameters(model: Any) -> int:
    return sum(int(np.prod(weight.shape)) for weight in model.trainable_weights)
