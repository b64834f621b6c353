"""The one picture that a model takes, as the tensor that an engine will run."""

from mninfer.errors import UnsupportedModelError
from mninfer.model_file.graph import Graph
from mninfer.tensors import TensorSpec

__all__ = ["image_input"]


def image_input(graph: Graph) -> TensorSpec:
    """The one picture that the model takes, with a batch that is left open set to 1.

    Raises:
        UnsupportedModelError: several inputs, no picture, or a size that is not fixed.
    """
    if len(graph.inputs) != 1:
        raise UnsupportedModelError(f"the model has {len(graph.inputs)} inputs; the contract is for one picture")
    tensor = graph.tensors[graph.inputs[0]]
    signature = tensor.shape_signature
    if len(signature) != 4 or tensor.shape[3] not in (1, 3):
        raise UnsupportedModelError(
            f'input "{tensor.name}" has shape {list(signature)}; a picture is [1, height, width, 3 or 1]'
        )
    shape = (1 if signature[0] < 0 else signature[0], *signature[1:])
    if min(shape) < 1:
        raise UnsupportedModelError(
            f'input "{tensor.name}" has shape {list(signature)}: golden vectors need a fixed height and width',
            hints="convert the model again with a fixed input size",
        )
    return tensor.spec(shape)
