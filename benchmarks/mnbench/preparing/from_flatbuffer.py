"""A bundle of a .tflite as it is: its variant told from its tensors, its own answers the reference.

Needs what mninfer needs. The reference is computed by the engine's plain kernels, so that XNNPACK is held against
something else than itself.
"""

from collections.abc import Callable
from dataclasses import replace

from mnbench.agreement import OWN_ANSWERS
from mnbench.cell import Variant
from mnbench.preparing.bundle import Bundle, StoredFile, file_key
from mnbench.preparing.form import variant_of
from mnbench.preparing.outputs import flatbuffer_outputs
from mnbench.preparing.pictures import encode_array, input_of, photo_jpeg
from mnbench.preparing.request import FlatbufferRequest
from mnbench.preparing.store import Store
from mnbench.preparing.wanted import Wanted
from mnbench.record import MeasuredModel
from mninfer.errors import UnsupportedModelError
from mninfer.loading import read_checked
from mninfer.model_file import ModelFile, image_input
from mninfer.preprocessing import PreprocessSpec, parse_preprocess
from mninfer.preprocessing.table import pixels_as_they_are
from mninfer.tensors import TensorSpec

__all__ = ["bundle_of_flatbuffer"]

_ASSUMED = {"preprocess": "inception", "resize": "crop:0.875"}


def bundle_of_flatbuffer(
    request: FlatbufferRequest,
    identity: str,
    old: Bundle | None,
    wanted: Wanted,
    store: Store,
    watch: Callable[[str], None],
) -> Bundle:
    """Make what ``old`` lacks of ``wanted``; what the file is not is said to be missing.

    Raises:
        MnError: the file is damaged, or takes something else than one picture.
    """
    watch(f"{request.name}: reading the file")
    file = read_checked(str(request.path))
    tensor = image_input(file.graph)
    if tensor.shape[3] != 3:
        raise UnsupportedModelError("the model takes grey pictures; those measured on have three colours")
    bundle = old or _begin(request, identity, file, tensor, store)
    preprocess = _preprocess(file, tensor) or parse_preprocess(_ASSUMED["preprocess"], resize=_ASSUMED["resize"])
    for batch in wanted.batches_lacking(old):
        watch(f"{request.name}: its answers to {batch} pictures")
        bundle = _with_batch(bundle, batch, file, tensor, preprocess, store)
    return _with_misfits(bundle, wanted, variant_of(file), tensor)


def _begin(request: FlatbufferRequest, identity: str, file: ModelFile, tensor: TensorSpec, store: Store) -> Bundle:
    shape = tuple(tensor.shape[1:])
    stored = store.put("model.tflite", file.data)
    facts = {str(variant_of(file)): {"sha256": stored.sha256, "size_bytes": stored.size_bytes}}
    return Bundle(
        folder=store.folder,
        identity=identity,
        model=MeasuredModel(
            name=request.name, title=request.name, weights=request.path.name, input_shape=shape, files=facts
        ),
        # Of a file that doesn't say how a picture becomes its input; it takes as long whatever the numbers are.
        network={} if file.preprocess is not None else _ASSUMED,
        photo_file=store.put("photo.jpg", photo_jpeg()),
        reference=OWN_ANSWERS,
    )


def _preprocess(file: ModelFile, tensor: TensorSpec) -> PreprocessSpec | None:
    """How a picture becomes the input, as far as file and tensor say it."""
    if file.preprocess is not None:
        return file.preprocess
    return None if tensor.quantization is None else pixels_as_they_are(tensor)


def _with_batch(
    bundle: Bundle, batch: int, file: ModelFile, tensor: TensorSpec, preprocess: PreprocessSpec, store: Store
) -> Bundle:
    """The input of a batch, and where the file runs it, its answers."""
    height, width = tensor.shape[1:3]
    pictures = input_of(bundle.photo.read_bytes(), batch, size=(height, width), preprocess=preprocess)
    bundle = replace(bundle, inputs={**bundle.inputs, batch: store.put(f"input_b{batch}.npy", encode_array(pictures))})
    if not _runs(tensor, batch):
        return bundle
    outputs = flatbuffer_outputs(file.data, pictures, use_xnnpack=False)
    reference = store.put(f"reference_b{batch}.npz", encode_array(*outputs, is_archive=True))
    key = file_key(variant_of(file), batch)
    return replace(
        bundle,
        stored={**bundle.stored, key: StoredFile.of("model.tflite", file.data)},
        references={**bundle.references, file_key(Variant.FLOAT32, batch): reference, key: reference},
    )


def _with_misfits(bundle: Bundle, wanted: Wanted, own: Variant, tensor: TensorSpec) -> Bundle:
    """Say of each form that was wanted and isn't the file's why it isn't there."""
    missing = dict(bundle.missing)
    for variant, batch in wanted.forms_lacking(bundle):
        is_batch = variant is own
        missing[file_key(variant, batch)] = (
            f"the file is made for a batch of {tensor.shape[0]}"
            if is_batch
            else f"the file is {own}, and measured as it is"
        )
    return replace(bundle, missing=missing)


def _runs(tensor: TensorSpec, batch: int) -> bool:
    return tensor.shape_signature[0] < 0 or batch == tensor.shape[0]
