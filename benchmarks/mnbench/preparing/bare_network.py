"""A Keras model without the layers that normalize its pictures: what all engines are given is normalized already."""

from typing import Any

from mninfer.errors import UnsupportedModelError
from mninfer.preprocessing import PreprocessSpec

__all__ = ["bare_network"]


def bare_network(model: Any, preprocess: PreprocessSpec) -> tuple[Any, PreprocessSpec]:
    """The model that follows its own leading Rescaling, Normalization, Resizing, and how a picture becomes its input.

    The model itself where it has no such layers. Weights are shared, not copied.

    Raises:
        UnsupportedModelError: these layers are within a model within the model.
    """
    import keras

    from mnconvert.lowering.leading_layers import find_leading_layers, with_leading_layers

    leading = find_leading_layers(model)
    inputs = {layer.name for layer in model.layers if isinstance(layer, keras.layers.InputLayer)}
    names = [name for name in leading.names if name not in inputs]
    if not names:
        return model, preprocess
    last = next((layer for layer in model.layers if layer.name == names[-1]), None)
    if last is None:
        raise UnsupportedModelError(
            f'the network normalizes its pictures within a model of its own: "{names[-1]}"',
            hints="mnconvert MODEL -o FILE.tflite, and that file: these layers are taken out of it",
        )
    return keras.Model(last.output, model.output), with_leading_layers(preprocess, leading)
