"""Build first, allocate later: variables get their sizes checked, then their values, and never a random one.

Keras creates variables without values inside of a StatelessScope. That, and the list of those that wait for a value,
is all of Keras' inside that is used here.
"""

import math
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import keras
from keras.src.backend.common import global_state
from keras.src.backend.common.variables import initialize_all_variables
from numpy.typing import NDArray

from mninfer.errors import KerasFileError

__all__ = ["MAX_PARAMETERS", "building", "check_num_parameters", "forget_built", "give_values"]

MAX_PARAMETERS = 1 << 28  # 1 GiB; VGG-19 has 144 million
_WAITING = "uninitialized_variables"


@contextmanager
def building() -> Iterator[None]:
    """Inside, Keras layers are built without allocating; a failure leaves nothing behind."""
    before = list(global_state.get_global_attribute(_WAITING) or [])
    try:
        with keras.StatelessScope(initialize_variables=False):
            yield
    except BaseException:
        global_state.set_global_attribute(_WAITING, before)
        raise


def forget_built() -> None:
    """Drop the variables that wait: the model that they belong to is not wanted."""
    global_state.set_global_attribute(_WAITING, [])


def check_num_parameters(model: Any) -> None:
    """Raise KerasFileError for a model of more parameters than are loaded."""
    if sum(map(_size, model.variables)) <= MAX_PARAMETERS:
        return
    largest = max(model.variables, key=_size)
    shape = tuple(largest.shape)
    forget_built()
    raise KerasFileError(
        f"its configuration asks for more than {MAX_PARAMETERS:,} parameters: {largest.path} has the shape {shape}"
    )


def _size(variable: Any) -> int:
    return math.prod(int(size) for size in variable.shape)


def give_values(values: Mapping[int, NDArray[Any]]) -> None:
    """Allocate what was built, with ``values`` by the identity (``id``) of their variable."""
    waiting = list(global_state.get_global_attribute(_WAITING) or [])
    is_trainable = [variable.trainable for variable in waiting]
    for variable in waiting:
        if id(variable) in values:
            variable._initializer = _value(values[id(variable)])
        variable.trainable = True  # TensorFlow's own variable keeps what it is made with: unfrozen, it would not learn
    initialize_all_variables()
    for variable, flag in zip(waiting, is_trainable, strict=True):
        variable.trainable = flag


def _value(array: NDArray[Any]) -> Any:
    def initializer(shape: Any, dtype: Any = None) -> Any:
        return keras.ops.convert_to_tensor(array, dtype)

    return initializer
