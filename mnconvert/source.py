"""What is converted: a Keras file of any era, a built model, a float .tflite; preprocessing and labels settled."""

import hashlib
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from mnconvert.config import ConvertConfig
from mninfer.errors import UnsupportedModelError
from mninfer.preprocessing import PreprocessSpec
from mnmodels.backend import start_keras
from mnmodels.evaluation import is_tflite

if TYPE_CHECKING:
    from mnconvert.lowering.leading_layers import LeadingLayers
    from mninfer.model_file import SourceContract

__all__ = ["Source", "open_source"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """``preprocess`` is how a picture becomes what follows the ``leading`` layers, which are taken out.

    ``model`` is None for a float flatbuffer, whose bytes ``flatbuffer`` holds then.
    """

    name: str
    sha256: str | None
    preprocess: PreprocessSpec
    labels: tuple[str, ...] | None
    model: Any = field(repr=False, default=None)
    flatbuffer: bytes | None = field(repr=False, default=None)
    leading: "LeadingLayers | None" = None
    keras_version: str | None = None
    changes: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()


def open_source(
    given: Any,
    config: ConvertConfig | None = None,
    *,
    arch: Mapping[str, Any] | None = None,
    lambdas: Mapping[str, str] | None = None,
    custom: Sequence[str] = (),
    trust: bool = False,
) -> Source:
    """Open a path, a built Keras model, or a Source (which stays as it is); ``config`` states preprocessing and labels.

    Raises:
        KerasFileError: no Keras file, damaged, or weights without ``arch``.
        UnsupportedModelError: layers that are code; lists all of them.
        PreprocessError: nothing says how a picture becomes its input.
    """
    if isinstance(given, Source):
        return given
    config = config or ConvertConfig()
    if isinstance(given, str | os.PathLike) and is_tflite(os.fspath(given)):
        return _of_flatbuffer(given, config)
    start_keras("tensorflow")
    if isinstance(given, str | os.PathLike):
        from mnmodels.keras_file import load_keras

        file = load_keras(given, arch=arch, lambdas=lambdas, custom=custom, trust=trust)
        return _of_keras(
            file.model,
            config,
            contract=file.contract,
            name=file.name,
            sha256=file.sha256,
            keras_version=file.keras_version,
            changes=file.changes,
        )
    import keras

    if not isinstance(given, keras.Model):
        raise TypeError(f"a path or a Keras model, not {type(given).__name__}")
    return _of_keras(given, config, contract=None, name=given.name, sha256=None, keras_version=keras.__version__)


def _of_keras(model: Any, config: ConvertConfig, *, contract: "SourceContract | None", **facts: Any) -> Source:
    from mnconvert.lowering.bare_input import bare_input
    from mnconvert.lowering.check_weights import check_weights
    from mnconvert.lowering.in_float32 import in_float32
    from mnconvert.lowering.leading_layers import find_leading_layers, with_leading_layers
    from mnmodels.evaluation.keras_preprocess import settle_preprocess

    if not model.built or not getattr(model, "inputs", None):
        raise UnsupportedModelError(
            "the model's graph is not known: it is a subclass of Model, or was never built",
            hints="a functional or Sequential model: keras.Model(inputs, outputs), or call it once on a picture",
        )
    model, others = in_float32(bare_input(model))
    check_weights(model)
    in_file = None if contract is None else contract.preprocess
    spec, warning = settle_preprocess(model, stated=config.preprocess, in_file=in_file)
    leading = find_leading_layers(model)
    changes = [f"computes in {dtype}: converted as float32" for dtype in others]
    if leading.names:
        changes.append(f"taken out of the graph, and recorded as preprocessing: {', '.join(leading.names)}")
    return Source(
        model=model,
        leading=leading,
        preprocess=with_leading_layers(spec, leading),
        labels=config.labels if config.labels is not None or contract is None else contract.labels,
        warnings=() if warning is None else (warning,),
        **facts | {"changes": (*facts.get("changes", ()), *changes)},
    )


def _of_flatbuffer(path: str | os.PathLike[str], config: ConvertConfig) -> Source:
    from mnconvert.passes.settle_shapes import settle_shapes
    from mninfer.errors import PreprocessError
    from mninfer.model_file import read_model, read_model_bytes, without_contract

    data = read_model_bytes(path)
    file = read_model(data, where=os.fspath(path))
    quantized = [t.name for t in file.graph.tensors if t.dtype in ("int8", "uint8", "int16", "float16")]
    if quantized:
        raise UnsupportedModelError(
            f'the file is quantized already: "{quantized[0].split(";")[0]}"',
            where=os.fspath(path),
            hints="the float .tflite, or the Keras model it was made from",
        )
    spec = file.preprocess if config.preprocess.is_empty else config.preprocess.over(file.preprocess)
    if spec is None:
        raise PreprocessError(
            "the file does not say how a picture becomes its input",
            where=os.fspath(path),
            hints="state it as the model was trained: --preprocess inception|torch|caffe|raw|mean=..,std=..",
        )
    return Source(
        name=os.path.basename(os.fspath(path)),
        sha256=hashlib.sha256(data).hexdigest(),
        preprocess=spec,
        labels=config.labels if config.labels is not None else file.labels,
        flatbuffer=settle_shapes(without_contract(data)),
        warnings=file.warnings,
    )
