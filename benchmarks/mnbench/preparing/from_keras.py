"""A bundle of a Keras model, be it a file or a network of the registry: weights, flatbuffers, input, reference.

Weights are written first, and everything else is made from that file: so all engines have the same ones.
"""

import os
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from mnbench.cell import Variant
from mnbench.preparing.bare_network import bare_network
from mnbench.preparing.bundle import KERAS, Bundle, StoredFile, file_key
from mnbench.preparing.converting import Made, backend_here, convert_forms, refuse_without_keras
from mnbench.preparing.network import build_network, preprocessing
from mnbench.preparing.outputs import flatbuffer_outputs, keras_outputs
from mnbench.preparing.pictures import encode_array, input_of, photo_jpeg
from mnbench.preparing.request import KerasRequest, NetworkRequest
from mnbench.preparing.store import Store
from mnbench.preparing.wanted import Form, Wanted
from mnbench.record import MeasuredModel
from mninfer.errors import InputError
from mninfer.files import read_regular_file
from mninfer.model_file import SourceContract
from mninfer.preprocessing import PreprocessSpec, StatedPreprocess
from mnmodels.backend import start_keras
from mnmodels.keras_file import load_keras, save_keras

__all__ = ["SEED", "bundle_of_keras"]

SEED = 0
_MOST_KERAS_BYTES = 2 << 30
_WITH_REFERENCE = (Variant.DYNAMIC, Variant.INT8, Variant.INT16X8)  # peers' integers are held against these

Watch = Callable[[str], None]


def bundle_of_keras(
    request: NetworkRequest | KerasRequest,
    identity: str,
    old: Bundle | None,
    wanted: Wanted,
    store: Store,
    watch: Watch,
) -> Bundle:
    """Make what ``old`` lacks of ``wanted``, or all of it.

    Raises:
        MissingDependencyError: there is no Keras here, or no TensorFlow where flatbuffers are wanted.
        MnError: the file isn't a model of pictures that can be measured.
    """
    forms = wanted.forms_lacking(old)
    refuse_without_keras(request.name, has_flatbuffers=bool(forms))
    start_keras(backend_here())
    bundle = old or _begin(request, identity, store, watch)
    watch(f"{request.name}: reading the weights")
    model, preprocess = _open(store.path(bundle.stored[KERAS]))
    bundle = _with_inputs(bundle, wanted.batches_lacking(old), model, preprocess, store, watch)
    return _with_forms(bundle, forms, store, watch)


def _begin(request: NetworkRequest | KerasRequest, identity: str, store: Store, watch: Watch) -> Bundle:
    """The bundle with its weights and its photo."""
    if isinstance(request, NetworkRequest):
        watch(f"{request.name}: drawing random weights")
        network = {"architecture": request.architecture, "options": dict(request.options), "seed": SEED}
        keras_file = _put_network(network, store)
        title, weights = _title(request), f"random, seed {SEED}"
    else:
        network, keras_file = {}, _put_file(request.path, store)
        title, weights = request.name, request.path.name
    model, _ = _open(store.path(keras_file))
    return Bundle(
        folder=store.folder,
        identity=identity,
        model=MeasuredModel(name=request.name, title=title, weights=weights, input_shape=_picture_shape(model)),
        network=network,
        photo_file=store.put("photo.jpg", photo_jpeg()),
        stored={KERAS: keras_file},
    )


def _title(request: NetworkRequest) -> str:
    from mnmodels.architectures.registry import architecture

    about = architecture(request.architecture).about.partition(" (")[0]
    return f"{about} {request.options['alpha']}/{request.options['input_shape'][0]}"


def _put_network(network: dict[str, Any], store: Store) -> StoredFile:
    return _put_model(build_network(network), preprocessing(), store)


def _put_file(path: Path, store: Store) -> StoredFile:
    """The file as it is; without the layers that normalize pictures where it has some."""
    model, preprocess = _open(path)
    bare, bare_preprocess = bare_network(model, preprocess)
    if bare is not model:
        return _put_model(bare, bare_preprocess, store)
    return store.put(f"weights{path.suffix.lower() or '.keras'}", read_regular_file(path, _MOST_KERAS_BYTES))


def _put_model(model: Any, preprocess: PreprocessSpec, store: Store) -> StoredFile:
    path = store.folder / "weights.keras"
    save_keras(model, path, contract=SourceContract(labels=None, preprocess=preprocess), force=True)
    return StoredFile.of(path.name, path.read_bytes())


def _open(path: Path) -> tuple[Any, PreprocessSpec]:
    """The model and how pictures become its input."""
    from mnmodels.evaluation.keras_preprocess import settle_preprocess

    file = load_keras(os.fspath(path))
    in_file = file.contract.preprocess if file.contract else None
    preprocess, _ = settle_preprocess(file.model, stated=StatedPreprocess(), in_file=in_file)
    return file.model, preprocess


def _picture_shape(model: Any) -> tuple[int, ...]:
    shape = model.input_shape
    if not isinstance(shape, tuple) or len(shape) != 4 or shape[3] != 3 or None in shape[1:]:
        raise InputError(
            f"the model's input is {shape}, not one picture of a fixed size and three colours",
            hints="mnconvert MODEL --input-size WIDTHxHEIGHT -o FILE.tflite, and that file: its size is fixed",
        )
    return tuple(int(size) for size in shape[1:])


def _with_inputs(
    bundle: Bundle, batches: Sequence[int], model: Any, preprocess: PreprocessSpec, store: Store, watch: Watch
) -> Bundle:
    """The input of each batch, and what the Keras model answers to it."""
    inputs, references = dict(bundle.inputs), dict(bundle.references)
    height, width, _ = bundle.model.input_shape
    for batch in batches:
        watch(f"{bundle.model.name}: the reference's answers to {batch} pictures")
        pictures = input_of(bundle.photo.read_bytes(), batch, size=(height, width), preprocess=preprocess)
        inputs[batch] = store.put(f"input_b{batch}.npy", encode_array(pictures))
        outputs = encode_array(*keras_outputs(model, pictures), is_archive=True)
        references[file_key(Variant.FLOAT32, batch)] = store.put(f"reference_b{batch}.npz", outputs)
    return replace(bundle, inputs=inputs, references=references)


def _with_forms(bundle: Bundle, forms: Sequence[Form], store: Store, watch: Watch) -> Bundle:
    """The flatbuffers, or why there is none."""
    name, keras_file = bundle.model.name, bundle.stored[KERAS]
    bundle = _with_facts(bundle, KERAS, _facts(keras_file))
    if not forms:
        return bundle
    for outcome in convert_forms(store.path(keras_file), forms, lambda stage: watch(f"{name}: {stage}")):
        key = file_key(outcome.variant, outcome.batch)
        if isinstance(outcome, Made):
            bundle = _with_form(bundle, key, outcome, store)
        else:
            bundle = replace(bundle, missing={**bundle.missing, key: outcome.reason})
    return bundle


def _with_form(bundle: Bundle, key: str, made: Made, store: Store) -> Bundle:
    """One flatbuffer, what is known of it, and of a quantized one its answers."""
    file = store.put(f"{_file_name(key)}.tflite", made.data)
    bundle = replace(bundle, stored={**bundle.stored, key: file})
    bundle = _with_facts(bundle, key, {**_facts(file), "verification": made.facts})
    if made.variant not in _WITH_REFERENCE:
        return bundle
    outputs = flatbuffer_outputs(made.data, np.load(bundle.input_for(made.batch)))
    reference = store.put(f"reference_{_file_name(key)}.npz", encode_array(*outputs, is_archive=True))
    return replace(bundle, references={**bundle.references, key: reference})


def _with_facts(bundle: Bundle, key: str, facts: dict[str, Any]) -> Bundle:
    return replace(bundle, model=replace(bundle.model, files={**bundle.model.files, key: facts}))


def _facts(file: StoredFile) -> dict[str, Any]:
    return {"sha256": file.sha256, "size_bytes": file.size_bytes}


def _file_name(key: str) -> str:
    return key.replace("@", "_")
