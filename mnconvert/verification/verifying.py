"""A converted file and the float model on the same pictures -> Verification: measured, judged, nothing written.

The file goes the way it will go for its users: through mninfer, by its own contract, on the preferred engine.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from itertools import islice
from typing import Any

import numpy as np
import numpy.typing as npt

import mninfer
from mnconvert.verification.dtype_census import census
from mnconvert.verification.fidelity import OutputMeter
from mnconvert.verification.judge import judge
from mnconvert.verification.limits import Limits
from mnconvert.verification.pictures import PictureKind, PicturePreparer
from mnconvert.verification.result import Verification
from mnconvert.verification.runtimes import RuntimeTrial, try_runtimes
from mninfer.errors import UnsupportedModelError, VerifyError
from mninfer.model_file import Graph, Operator, read_model
from mninfer.postprocessing import dequantize
from mninfer.preprocessing import PreprocessSpec

__all__ = ["Reference", "verify"]

Array = npt.NDArray[Any]
Reference = Callable[[npt.NDArray[np.float32]], Sequence[Array]]

BATCH = 8  # pictures that the float model takes at once: more gain nothing on a CPU, and take memory
# Operators that hand values on, so that what made them lies further back.
_PASSING = {"QUANTIZE", "DEQUANTIZE", "RESHAPE", "SQUEEZE", "CAST"}
_NO_CLASSES = {"ARG_MAX", "AVERAGE_POOL_2D", "L2_NORMALIZATION", "MAX_POOL_2D", "MEAN"}


def verify(
    data: bytes,
    *,
    reference: Reference,
    preprocess: PreprocessSpec,
    pictures: Iterable[Array],
    picture_kind: PictureKind = PictureKind.SHAPES,
    limits: Limits | None = None,
    kept_float: Collection[str] = (),
    has_classes: bool | None = None,
) -> Verification:
    """Hold the bytes of a file against ``reference``, which gives all outputs for a batch of normalized tensors.

    ``preprocess`` is the float model's; a file with a contract gets its pictures by that. ``pictures`` are uint8 RGB,
    or float32 tensors that are normalized already. ``kept_float`` names the tensors of operators that were asked to
    stay float. ``has_classes`` None: told by the graph (pooled features have none).

    Raises:
        EngineError: no engine runs the file.
        VerifyError: its outputs are not the float model's in number or size, or there was no picture.
    """
    with _load(data, preprocess) as model:
        run = _Run(model, reference, preprocess, has_classes)
        for batch in _batches(pictures, BATCH):
            run.add(batch)
        if not run.num_pictures:
            raise VerifyError("nothing was verified: there is no picture")
        coverage = model.engine.coverage()
        first = RuntimeTrial(engine=model.engine.name, version=model.engine.version, has_run=True)
        remarks = model.file.warnings
    oldest = model.spec.oldest_runtime
    return judge(
        Verification(
            outputs=tuple(meter.result() for meter in run.meters),
            num_pictures=run.num_pictures,
            picture_kind=PictureKind(picture_kind),
            census=census(model.graph, kept_float=kept_float),
            coverage=coverage,
            runtimes=(first, *try_runtimes(data, [run.last_input], oldest=oldest, skip=(first.engine,))),
            oldest_runtime=oldest,
            limits=limits or Limits(),
            remarks=remarks,
        )
    )


def _load(data: bytes, preprocess: PreprocessSpec) -> mninfer.Model:
    """By the file's own contract; what has none is prepared for as the float model is."""
    file = read_model(data, where="the converted model", allow_unlisted_ops=True)
    stated = None if file.is_ours else preprocess
    return mninfer.load(data, preprocess=stated, allow_unlisted_ops=True)


class _Run:
    """A file and its float model, run side by side on one batch after another."""

    def __init__(
        self, model: mninfer.Model, reference: Reference, preprocess: PreprocessSpec, has_classes: bool | None
    ) -> None:
        self.num_pictures = 0
        self.last_input: Array = np.empty(0)
        self._model = model
        self._reference = reference
        recorded = model.spec.preprocess or preprocess
        self._prepare = PicturePreparer(_picture_input(model), recorded=recorded, preprocess=preprocess)
        self._batch = model.spec.inputs[0].shape[0]
        self.meters = [
            OutputMeter(
                index=index,
                name=spec.name,
                has_classes=_has_classes(model.graph, index) if has_classes is None else has_classes,
                step=_step(model.graph, index),
            )
            for index, spec in enumerate(model.spec.outputs)
        ]

    def add(self, pictures: Sequence[Array]) -> None:
        prepared = [self._prepare(picture) for picture in pictures]
        wanted = self._reference(np.concatenate([tensor for _, tensor in prepared]))
        found = self._outputs([tensor for tensor, _ in prepared])
        if len(wanted) != len(found):
            raise VerifyError(f"the file has {len(found)} outputs, the float model {len(wanted)}")
        for meter, reference, got in zip(self.meters, wanted, found, strict=True):
            meter.add(_fitting(np.asarray(reference), got), got)
        self.num_pictures += len(pictures)

    def _outputs(self, tensors: Sequence[Array]) -> list[Array]:
        """Every output of all ``tensors``, in real numbers; the last batch is filled up with its last picture."""
        parts: list[list[Array]] = [[] for _ in self.meters]
        for batch in _batches(tensors, self._batch):
            filled = [*batch, *[batch[-1]] * (self._batch - len(batch))]
            self.last_input = np.concatenate(filled)
            for part, output, spec in zip(
                parts, self._model.run([self.last_input]), self._model.spec.outputs, strict=True
            ):
                part.append(dequantize(output, spec.quantization)[: len(batch)])
        return [np.concatenate(part) for part in parts]


def _picture_input(model: mninfer.Model) -> mninfer.TensorSpec:
    if len(model.spec.inputs) != 1:
        raise UnsupportedModelError(f"the model has {len(model.spec.inputs)} inputs: pictures verify one with one")
    return model.spec.inputs[0]


def _fitting(reference: Array, got: Array) -> Array:
    """The float model's output in the file's shape: axes of length 1 may come and go, sizes may not."""
    if reference.size != got.size or len(reference) != len(got):
        raise VerifyError(
            f"an output of the file is {list(got.shape[1:])}, of the float model {list(reference.shape[1:])}"
        )
    return reference.reshape(got.shape)


def _has_classes(graph: Graph, output: int) -> bool:
    """Whether an output may hold a score for each of several classes: no boxes, no class numbers, nothing pooled."""
    if graph.tensors[graph.outputs[output]].shape[-1:] in ((), (1,)):
        return False
    maker = _producers(graph).get(_handed_on(graph, output)[-1])
    return maker is not None and maker.name not in _NO_CLASSES and not maker.is_custom


def _step(graph: Graph, output: int) -> float:
    """The coarsest step in which an output's scores are told, also where they are float in the end; 0 where in none."""
    found = (graph.tensors[tensor].quantization for tensor in _handed_on(graph, output))
    return max((quantization.scales[0] for quantization in found if quantization), default=0.0)


def _handed_on(graph: Graph, output: int) -> list[int]:
    """An output and the tensors that are handed on to it, back to the one that is computed."""
    producers = _producers(graph)
    tensors = [graph.outputs[output]]
    while tensors[-1] in producers and producers[tensors[-1]].name in _PASSING:
        tensors.append(producers[tensors[-1]].inputs[0])
    return tensors


def _producers(graph: Graph) -> dict[int, Operator]:
    return {tensor: operator for operator in graph.operators for tensor in operator.outputs}


def _batches(items: Iterable[Array], size: int) -> Iterator[list[Array]]:
    remaining = iter(items)
    while batch := list(islice(remaining, size)):
        yield batch
