"""A layer that takes channels in a stated order: for groups that were learned, or are shuffled. GATHER in TFLite."""

from collections.abc import Sequence
from typing import Any

import keras
from keras import layers, ops

from mninfer.errors import MnError

__all__ = ["ChannelGather", "interleaved"]


@keras.saving.register_keras_serializable(package="mnmodels")
class ChannelGather(layers.Layer):  # type: ignore[misc]  # Keras has no types
    """The channels ``indices`` of its input; one may come twice, or not at all.

    >>> ChannelGather([2, 0])(keras.ops.ones((1, 4, 4, 3))).shape[-1]
    2
    """

    def __init__(self, indices: Sequence[int], **options: Any) -> None:
        super().__init__(**options)
        self.indices = tuple(int(index) for index in indices)
        if not self.indices or min(self.indices) < 0:
            raise MnError(
                f'layer "{self.name}" gathers no channel, or one below 0', hints="indices: at least one, from 0"
            )

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        channels = input_shape[-1] or 0
        if max(self.indices) >= channels:
            raise MnError(
                f'layer "{self.name}" gathers channel {max(self.indices)} of {channels}',
                hints=f"indices: from 0 to {channels - 1}",
            )

    def call(self, inputs: Any) -> Any:
        return ops.take(inputs, ops.array(self.indices, dtype="int32"), axis=-1)

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        return (*input_shape[:-1], len(self.indices))

    def get_config(self) -> dict[str, Any]:
        config: dict[str, Any] = super().get_config()
        return config | {"indices": list(self.indices)}


def interleaved(channels: int, groups: int) -> tuple[int, ...]:
    """The order that gives every group of the next layer channels of every group of this one (ShuffleNet, section 3.1).

    >>> interleaved(6, 2)
    (0, 3, 1, 4, 2, 5)
    """
    width = channels // groups
    return tuple(group * width + place for place in range(width) for group in range(groups))
