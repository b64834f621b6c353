"""A path or bytes -> a Model: read once, check, settle what is stated against what the file says, open the engine."""

import os
from collections.abc import Sequence
from dataclasses import replace

from mninfer.engines.choose import open_engine
from mninfer.engines.protocol import Engine, fix_shape
from mninfer.errors import InputError, ModelFileError, UnsupportedModelError
from mninfer.model import EngineSource, Model, PictureConfig
from mninfer.model_file.check import check_graph
from mninfer.model_file.graph import Graph
from mninfer.model_file.labels import labels_misfit, parse_labels
from mninfer.model_file.macs import count_macs
from mninfer.model_file.model_bytes import read_model_bytes
from mninfer.model_file.read import ModelFile, read_model
from mninfer.model_file.runtime_versions import oldest_runtime
from mninfer.model_file.unlisted import EDGE_TPU_OPERATOR
from mninfer.outputs import OutputMeaning, read_outputs
from mninfer.preprocessing import PreprocessSource, PreprocessSpec, parse_preprocess
from mninfer.spec import ModelSpec
from mninfer.tensors import TensorSpec

__all__ = ["DEFAULT_MAX_PIXELS", "load"]

DEFAULT_MAX_PIXELS = 200_000_000


def load(
    model: str | os.PathLike[str] | bytes | bytearray | memoryview,
    *,
    threads: int | None = None,
    engine: str = "auto",
    delegate: str | None = None,
    preprocess: PreprocessSpec | str | None = None,
    labels: Sequence[str] | str | os.PathLike[str] | None = None,
    input_size: tuple[int, int] | None = None,
    strict: bool = True,
    sha256: str | None = None,
    allow_unlisted_ops: bool = False,
    full_decode: bool = False,
    max_pixels: int = DEFAULT_MAX_PIXELS,
) -> Model:
    """Load a TFLite model that was checked for damage first.

    >>> model = mninfer.load("foreign.tflite", preprocess="inception", labels="labels.txt")
    >>> model
    <Model classify float32[1, 48, 48, 3] on ...>
    >>> model.spec.inputs[0].name, model.spec.num_operators
    ('input', 12)

    Args:
        model: a path, or the file's bytes.
        threads: of the engine; None means the cores that this process may use, four at most.
        engine: "auto" (the best that is installed), "litert", "tflite-runtime", "tensorflow" or "litert-gpu".
        delegate: an external delegate's library, as "libedgetpu.so.1".
        preprocess: how pictures become the input, where the file doesn't say or says it wrong: a preset's name,
            "mean=..,std=..,order=..", or a PreprocessSpec.
        labels: a file with one label a line, or the labels, in the order of the outputs.
        input_size: (width, height) for a model whose input leaves them open.
        strict: refuse a file whose own labels or metadata don't fit it. With False they are dropped: results then carry
            numbers instead of labels.
        sha256: refuse any other file than the one with this digest.
        allow_unlisted_ops: run operators that the check knows no rules for.
        full_decode: decode JPEGs at full size even where less would do.
        max_pixels: refuse larger pictures.

    Raises:
        ModelFileError: not a usable model file; the message says what it is instead, or what is wrong.
        UnsupportedModelError: a sound file that this runtime can't run.
        MissingDependencyError: no engine is installed, or not the one named.
    """
    data, where = _read(model)
    if sha256 is not None:
        _check_digest(data, sha256, where)
    file = read_model(
        data,
        where=where,
        allow_unlisted_ops=allow_unlisted_ops,
        allow_custom=(EDGE_TPU_OPERATOR,) if delegate is not None and "edgetpu" in delegate else (),
        strict=strict,
    )
    shapes = _input_shapes(file.graph, input_size)
    if shapes is not None:
        check_graph(file.graph, input_shapes={file.graph.inputs[0]: shapes[0]})

    def reopen(num_threads: int | None) -> Engine:
        return open_engine(data, engine=engine, threads=num_threads, delegate=delegate, input_shapes=shapes)

    opened = reopen(threads)
    meaning = read_outputs(file.graph, file.contract.task if file.contract else None, shape=opened.outputs[0].shape)
    chosen_labels, labels_source = _labels(file, labels, meaning, where, strict=strict)
    inputs, outputs = _specs(file.graph, opened)
    return Model(
        file=file,
        spec=ModelSpec(
            inputs=inputs,
            outputs=outputs,
            task=meaning.task,
            preprocess=_preprocess(file, preprocess),
            labels=chosen_labels,
            labels_source=labels_source,
            provenance=file.contract.provenance if file.contract else None,
            oldest_runtime=oldest_runtime(file.graph),
            sha256=file.sha256,
            size_bytes=len(data),
            num_operators=len(file.graph.operators),
            macs=count_macs(file.graph),
            is_ours=file.is_ours,
        ),
        meaning=meaning,
        engine=opened,
        engines=EngineSource(open=reopen, threads=threads, is_shareable=delegate is None and engine != "litert-gpu"),
        pictures=PictureConfig(full_decode=full_decode, max_pixels=max_pixels),
    )


def _read(model: str | os.PathLike[str] | bytes | bytearray | memoryview) -> tuple[bytes, str]:
    if isinstance(model, bytes | bytearray | memoryview):
        return bytes(model), "the bytes given"
    return read_model_bytes(model), os.fspath(model)


def _check_digest(data: bytes, wanted: str, where: str) -> None:
    import hashlib

    found = hashlib.sha256(data).hexdigest()
    if found != wanted.strip().lower():
        raise ModelFileError(
            f"the file has sha256 {found}, not {wanted} as stated",
            where=where,
            hints="take the file from its source again, or state the digest of the file that you mean",
        )


def _input_shapes(graph: Graph, input_size: tuple[int, int] | None) -> tuple[tuple[int, ...], ...] | None:
    """Whole shapes for the engine where ``input_size``, a (width, height), was stated."""
    if input_size is None:
        return None
    if len(graph.inputs) != 1 or len(graph.tensors[graph.inputs[0]].shape_signature) != 4:
        raise UnsupportedModelError("an input size can be stated only for a model with one picture as its input")
    signature = graph.tensors[graph.inputs[0]].shape_signature
    width, height = input_size
    stated = (max(signature[0], 1), height, width, signature[3])
    tensor = graph.tensors[graph.inputs[0]]
    return (fix_shape(tensor.name, tensor.shape, signature, stated),)


def _specs(graph: Graph, engine: Engine) -> tuple[tuple[TensorSpec, ...], tuple[TensorSpec, ...]]:
    """Inputs and outputs as the checked file has them, in the shapes that the engine runs."""

    def specs(indices: Sequence[int], running: Sequence[TensorSpec]) -> tuple[TensorSpec, ...]:
        return tuple(graph.tensors[index].spec(opened.shape) for index, opened in zip(indices, running, strict=True))

    return specs(graph.inputs, engine.inputs), specs(graph.outputs, engine.outputs)


def _preprocess(file: ModelFile, stated: PreprocessSpec | str | None) -> PreprocessSpec | None:
    """What is stated, else what the file says or lets assume, else unknown."""
    if isinstance(stated, str):
        return parse_preprocess(stated)
    return file.preprocess if stated is None else replace(stated, source=PreprocessSource.STATED)


def _labels(
    file: ModelFile,
    stated: Sequence[str] | str | os.PathLike[str] | None,
    meaning: OutputMeaning,
    where: str,
    *,
    strict: bool,
) -> tuple[tuple[str, ...] | None, str | None]:
    """The labels and who said so; a number of labels that doesn't fit is an error, or no labels unless ``strict``."""
    if stated is None:
        labels, source = file.labels, "file" if file.labels is not None else None
    else:
        labels, source = _stated_labels(stated), "stated"
    misfit = labels_misfit(labels, meaning) if labels is not None else None
    if misfit is None:
        return labels, source
    if stated is None and not strict:
        return None, None
    raise misfit.at(where)


def _stated_labels(stated: Sequence[str] | str | os.PathLike[str]) -> tuple[str, ...]:
    if not isinstance(stated, str | os.PathLike):
        return tuple(stated)
    where = os.fspath(stated)
    try:
        with open(where, "rb") as file:
            data = file.read()
    except OSError as error:
        raise InputError(f"the label file cannot be read: {error.strerror}", where=where) from error
    return parse_labels(data, where)
