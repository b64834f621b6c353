"""A path or bytes -> a Model: read once, check, settle what is stated against what the file says, open the engine."""

import os
from collections.abc import Iterable, Sequence

from mninfer.engines.choose import open_engine
from mninfer.engines.edge_tpu import delegated_operators
from mninfer.engines.protocol import Engine, fix_shape
from mninfer.errors import InputError, MnError, ModelFileError, UnsupportedModelError
from mninfer.files import FileTooLargeError, NotRegularFileError, read_regular_file
from mninfer.limits import DEFAULT_MAX_PIXELS
from mninfer.model import EngineSource, Model, PictureConfig
from mninfer.model_file.check import check_graph
from mninfer.model_file.digest import digest_of
from mninfer.model_file.graph import Graph
from mninfer.model_file.labels import MAX_LABEL_BYTES, labels_misfit, parse_labels
from mninfer.model_file.macs import count_macs
from mninfer.model_file.model_bytes import read_model_bytes
from mninfer.model_file.read import ModelFile, read_model
from mninfer.model_file.runtime_versions import oldest_runtime
from mninfer.model_file.xnnpack_limits import misread_by_xnnpack
from mninfer.outputs import OutputMeaning, read_outputs
from mninfer.preprocessing import PreprocessSpec, StatedPreprocess
from mninfer.spec import LabelsSource, ModelSpec
from mninfer.tensors import TensorSpec

__all__ = ["ModelSource", "checked_input_shapes", "load", "open_checked", "read_checked"]

ModelSource = str | os.PathLike[str] | bytes | bytearray | memoryview


def load(
    model: ModelSource,
    *,
    threads: int | None = None,
    engine: str = "auto",
    delegate: str | None = None,
    use_xnnpack: bool = True,
    preprocess: PreprocessSpec | StatedPreprocess | str | None = None,
    resize: str | None = None,
    interpolation: str | None = None,
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
        use_xnnpack: False leaves the model to the engine's own kernels, to compare with. What XNNPACK would compute
            wrongly is left to them anyway.
        preprocess: how pictures become the input, where the file doesn't say or says it wrong: a preset's name or
            "mean=..,std=..,order=..", which leave the rest as the file says; or a PreprocessSpec, which states it all.
        resize: "stretch", "crop", "crop:0.875" or "letterbox", where the file says otherwise.
        interpolation: "area" or "bilinear", likewise.
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
    if not isinstance(engine, str):
        raise TypeError(f'engine takes a name, such as "auto", not {type(engine).__name__}')
    stated = _stated_preprocess(preprocess, resize, interpolation)
    where = _name(model)
    file = read_checked(model, delegate=delegate, strict=strict, sha256=sha256, allow_unlisted_ops=allow_unlisted_ops)
    try:
        shapes = checked_input_shapes(file.graph, input_size)
        settled = file.preprocess if stated.is_empty else stated.over(file.preprocess)
    except MnError as error:
        raise error.at(where) from error.__cause__

    def reopen(num_threads: int | None) -> Engine:
        return open_checked(
            file,
            engine=engine,
            threads=num_threads,
            delegate=delegate,
            input_shapes=shapes,
            use_xnnpack=use_xnnpack,
        )

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
            preprocess=settled,
            labels=chosen_labels,
            labels_source=labels_source,
            provenance=file.contract.provenance if file.contract else None,
            oldest_runtime=oldest_runtime(file.graph),
            sha256=file.sha256,
            size_bytes=len(file.data),
            num_operators=len(file.graph.operators),
            macs=count_macs(file.graph),
            is_ours=file.is_ours,
        ),
        meaning=meaning,
        engine=opened,
        engines=EngineSource(open=reopen, threads=threads),
        pictures=PictureConfig(full_decode=full_decode, max_pixels=max_pixels),
    )


def read_checked(
    model: ModelSource,
    *,
    delegate: str | None = None,
    strict: bool = True,
    sha256: str | None = None,
    allow_unlisted_ops: bool = False,
) -> ModelFile:
    """Read and check a model without opening an engine; the arguments are those of ``load``."""
    where = _name(model)
    data = read_model_bytes(model) if isinstance(model, str | os.PathLike) else _bytes(model)
    if sha256 is not None:
        _check_digest(data, sha256, where)
    return read_model(
        data,
        where=where,
        allow_unlisted_ops=allow_unlisted_ops,
        allow_custom=delegated_operators(delegate),
        strict=strict,
    )


def open_checked(
    file: ModelFile,
    *,
    engine: str = "auto",
    threads: int | None = None,
    delegate: str | None = None,
    input_shapes: tuple[tuple[int, ...], ...] | None = None,
    use_xnnpack: bool = True,
) -> Engine:
    """As ``engines.open_engine``, but that XNNPACK gets no model that it would compute wrongly.

    Such a model runs in one thread: in several, the engines' own convolution is wrong where a filter has the picture's
    size (LiteRT 2.1.6 and tflite-runtime 2.14, 2 x 2 on 2 x 2).
    """
    graph, shapes = file.graph, None
    if input_shapes is not None:
        shapes = check_graph(graph, input_shapes=dict(zip(graph.inputs, input_shapes, strict=True)))
    is_misread = misread_by_xnnpack(graph, shapes) is not None
    return open_engine(
        file.data,
        engine=engine,
        threads=1 if is_misread else threads,
        delegate=delegate,
        input_shapes=input_shapes,
        use_xnnpack=use_xnnpack and not is_misread,
    )


def checked_input_shapes(graph: Graph, input_size: tuple[int, int] | None) -> tuple[tuple[int, ...], ...] | None:
    """Whole shapes for the engine where ``input_size``, a (width, height), is stated; None where it isn't.

    The graph is checked again in that size: shapes and memory follow from it.

    Raises:
        UnsupportedModelError: the model has no one picture as its input, or the size doesn't fit it.
        ModelFileError: the graph cannot run in that size.
    """
    if input_size is None:
        return None
    if len(graph.inputs) != 1 or len(graph.tensors[graph.inputs[0]].shape_signature) != 4:
        raise UnsupportedModelError("an input size can be stated only for a model with one picture as its input")
    tensor = graph.tensors[graph.inputs[0]]
    width, height = input_size
    batch, _, _, channels = tensor.shape_signature
    shape = fix_shape(tensor.name, tensor.shape, tensor.shape_signature, (max(batch, 1), height, width, channels))
    check_graph(graph, input_shapes={tensor.index: shape})
    return (shape,)


def _name(model: ModelSource) -> str:
    return os.fspath(model) if isinstance(model, str | os.PathLike) else "the bytes given"


def _bytes(model: object) -> bytes:
    if not isinstance(model, bytes | bytearray | memoryview):
        raise TypeError(f"model takes a path or a file's bytes, not {type(model).__name__}")
    return bytes(model)


def _check_digest(data: bytes, wanted: str, where: str) -> None:
    stated = wanted.strip().lower()
    if len(stated) != 64 or not set(stated) <= set("0123456789abcdef"):
        raise ValueError(f'sha256 takes 64 hex digits, not "{wanted}"')
    found = digest_of(data)
    if found != stated:
        raise ModelFileError(
            f"the file has sha256 {found}, not {wanted} as stated",
            where=where,
            hints="take the file from its source again, or state the digest of the file that you mean",
        )


def _specs(graph: Graph, engine: Engine) -> tuple[tuple[TensorSpec, ...], tuple[TensorSpec, ...]]:
    """Inputs and outputs as the checked file has them, in the shapes that the engine runs."""

    def specs(indices: Sequence[int], running: Sequence[TensorSpec]) -> tuple[TensorSpec, ...]:
        return tuple(graph.tensors[index].spec(opened.shape) for index, opened in zip(indices, running, strict=True))

    return specs(graph.inputs, engine.inputs), specs(graph.outputs, engine.outputs)


def _stated_preprocess(
    preprocess: PreprocessSpec | StatedPreprocess | str | None, resize: str | None, interpolation: str | None
) -> StatedPreprocess:
    if preprocess is not None and not isinstance(preprocess, str | PreprocessSpec | StatedPreprocess):
        raise TypeError(
            f'preprocess takes a text such as "inception" or "mean=127.5,std=127.5", or a PreprocessSpec, '
            f"not {type(preprocess).__name__}"
        )
    if not isinstance(preprocess, StatedPreprocess):
        return StatedPreprocess.parse(preprocess=preprocess, resize=resize, interpolation=interpolation)
    if resize is not None or interpolation is not None:
        raise ValueError("a StatedPreprocess states resize and interpolation itself: leave out the arguments beside it")
    return preprocess


def _labels(
    file: ModelFile,
    stated: Sequence[str] | str | os.PathLike[str] | None,
    meaning: OutputMeaning,
    where: str,
    *,
    strict: bool,
) -> tuple[tuple[str, ...] | None, LabelsSource | None]:
    """The labels and who said so; a number of labels that doesn't fit is an error, or no labels unless ``strict``."""
    if stated is None:
        labels, source = file.labels, LabelsSource.FILE if file.labels is not None else None
    else:
        labels, source = _stated_labels(stated), LabelsSource.STATED
    misfit = labels_misfit(labels, meaning) if labels is not None else None
    if misfit is None:
        return labels, source
    if stated is None and not strict:
        return None, None
    raise misfit.at(where)


def _texts(labels: Sequence[str]) -> tuple[str, ...]:
    if not isinstance(labels, Iterable):
        raise TypeError(f"labels takes texts, one per output, or a file's name; not {type(labels).__name__}")
    texts = tuple(labels)
    for index, label in enumerate(texts):
        if not isinstance(label, str):
            raise TypeError(f"labels takes texts; label {index} is {type(label).__name__}")
    return texts


def _stated_labels(stated: Sequence[str] | str | os.PathLike[str]) -> tuple[str, ...]:
    if not isinstance(stated, str | os.PathLike):
        return _texts(stated)
    where = os.fspath(stated)
    try:
        data = read_regular_file(where, MAX_LABEL_BYTES)
    except NotRegularFileError as error:
        raise InputError(f"the label file is {error.kind}, not a file", where=where) from None
    except FileTooLargeError as error:
        raise InputError(
            f"the label file has {error.size_bytes:,} bytes; at most {MAX_LABEL_BYTES:,} are read", where=where
        ) from None
    except (OSError, ValueError) as error:  # ValueError: a zero byte in the path
        reason = error.strerror if isinstance(error, OSError) else error
        raise InputError(f"the label file cannot be read: {reason}", where=where) from error
    return parse_labels(data, where)
