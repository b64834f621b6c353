"""Learned group convolution (CondenseNet: Huang et al. 2018, section 3), for the 1×1 convolutions of a network.

The filters form ``groups``. While the net trains, stage by stage, each group loses the inputs that it uses least, until
it is left with 1/``condense_factor`` of them; a group lasso makes filters of a group agree on what they use. What is
left is a standard group convolution of gathered channels, which ``regroup`` makes of it.
"""

from typing import Any

import keras
import numpy as np
from keras import layers, ops

from mninfer.errors import MnError
from mnmodels.architectures.widths import check_divides

__all__ = ["LearnedGroupConv2D"]


@keras.saving.register_keras_serializable(package="mnmodels")
class LearnedGroupConv2D(layers.Layer):  # type: ignore[misc]  # Keras has no types
    """A 1×1 convolution without bias whose ``mask`` (input channels, groups) says which inputs a group still has.

    While training, ``lasso`` times the group lasso is one of the layer's losses, until the layer is fully condensed.
    """

    def __init__(
        self,
        filters: int,
        *,
        groups: int = 4,
        condense_factor: int = 4,
        lasso: float = 1e-5,
        kernel_initializer: Any = "glorot_uniform",
        **options: Any,
    ) -> None:
        super().__init__(**options)
        self.filters = int(filters)
        self.groups = int(groups)
        self.condense_factor = int(condense_factor)
        self.lasso = float(lasso)
        self.kernel_initializer = keras.initializers.get(kernel_initializer)
        if min(self.filters, self.groups, self.condense_factor) < 1 or self.lasso < 0:
            raise MnError(
                f'layer "{self.name}" can\'t have {filters} filters in {groups} groups, '
                f"condensed {condense_factor} times, at a lasso of {lasso}",
                hints="whole numbers of at least 1, and a lasso of at least 0",
            )

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        channels = int(input_shape[-1] or 0)
        check_divides(self.name, "groups", self.groups, self.filters)
        check_divides(self.name, "condense_factor", self.condense_factor, channels)
        self.kernel = self.add_weight(
            name="kernel", shape=(1, 1, channels, self.filters), initializer=self.kernel_initializer
        )
        self.mask = self.add_weight(
            name="mask", shape=(channels, self.groups), initializer="ones", trainable=False, autocast=False
        )

    def call(self, inputs: Any, training: bool | None = None) -> Any:
        if training and self.trainable and self.lasso:
            self.add_loss(self.lasso * self.lasso_loss())
        return ops.conv(inputs, self._masked_kernel(self.compute_dtype), padding="valid", data_format="channels_last")

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        return (*input_shape[:-1], self.filters)

    def lasso_loss(self) -> Any:
        """The group lasso: the length of what one group has for one input, summed; 0 once fully condensed."""
        squares = ops.square(
            ops.reshape(self._masked_kernel("float32"), (-1, self.groups, self.filters // self.groups))
        )
        lengths = ops.sqrt(ops.sum(squares, axis=-1) + 1e-12)  # the root's slope at 0, where pruned, is infinite
        is_open = ops.sum(self.mask) > self.groups * self.num_kept(self.condense_factor - 1)
        return ops.sum(lengths * self.mask) * ops.cast(is_open, "float32")

    def num_kept(self, stage: int) -> int:
        """How many inputs a group has after ``stage`` (0 … condense_factor - 1)."""
        return int(self.kernel.shape[2]) * (self.condense_factor - stage) // self.condense_factor

    def condense(self, stage: int) -> None:
        """Leave each group the inputs that the stage allows, those of the greatest L1 norm. Never gives one back."""
        if not 0 <= stage < self.condense_factor:
            raise MnError(
                f'layer "{self.name}" has no condensing stage "{stage}"', hints=f"from 0 to {self.condense_factor - 1}"
            )
        kernel, mask = self.kernel.numpy(), self.mask.numpy()
        norms = np.abs(kernel).reshape(*mask.shape, -1).sum(axis=2)
        norms[mask == 0] = -1  # what is gone stays gone
        pruned = np.argsort(-norms, axis=0, kind="stable")[self.num_kept(stage) :]
        mask = mask.copy()
        np.put_along_axis(mask, pruned, 0, axis=0)
        self.mask.assign(mask)
        self.kernel.assign(kernel * np.repeat(mask, self.filters // self.groups, axis=1))

    def kept_inputs(self) -> tuple[tuple[int, ...], ...]:
        """The inputs that each group has, in their order."""
        mask = self.mask.numpy()
        return tuple(tuple(np.flatnonzero(column).tolist()) for column in mask.T)

    def is_condensed(self) -> bool:
        """Whether every group has as few inputs as it will have in the end."""
        return all(len(kept) == self.num_kept(self.condense_factor - 1) for kept in self.kept_inputs())

    def dense_kernel(self) -> np.ndarray[Any, np.dtype[np.float32]]:
        """The kernel of the standard convolution that this layer is in use: zeros where a group has lost an input."""
        return np.asarray(ops.convert_to_numpy(self._masked_kernel("float32")))

    def get_config(self) -> dict[str, Any]:
        config: dict[str, Any] = super().get_config()
        return config | {
            "filters": self.filters,
            "groups": self.groups,
            "condense_factor": self.condense_factor,
            "lasso": self.lasso,
            "kernel_initializer": keras.initializers.serialize(self.kernel_initializer),
        }

    def _masked_kernel(self, dtype: str) -> Any:
        mask = ops.repeat(ops.cast(self.mask, dtype), self.filters // self.groups, axis=1)
        return ops.cast(self.kernel, dtype) * mask
