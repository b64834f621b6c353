"""A file whose graph computes shapes from an open batch, as the stock converter writes it -> one of a single picture.

Of whole numbers no picture tells a range, and TensorFlow's quantizer knows no SHAPE: neither reads such a file.
"""

from mnconvert.passes.editing import Editing
from mninfer.model_file import check_model, image_input
from mninfer.model_file.freeze_shapes import freeze_shapes

__all__ = ["settle_shapes"]


def settle_shapes(flatbuffer: bytes) -> bytes:
    """The file with its shapes as constants; as it is where it computes none.

    Raises:
        UnsupportedModelError: it takes more than one picture, or one of any size.
    """
    frozen = freeze_shapes(flatbuffer, [image_input(check_model(flatbuffer)).shape])
    if frozen is None:
        return flatbuffer
    editing = Editing(frozen)
    for tensor in editing.tensors:
        tensor.pop("shape_signature", None)  # what was computed for one picture is for no other batch
    return editing.encoded()
