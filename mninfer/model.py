"""A loaded model: pictures in, typed results out. ``mninfer.load`` makes it.

A Model may be used from several threads: one picture at a time is in the engine, decoding and preparing happen side by
side. ``classify_many`` is the fast way through many pictures: it has an engine per worker.
"""

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from threading import Lock
from typing import TYPE_CHECKING, Any, Self

import numpy as np
import numpy.typing as npt

from mninfer.engines.protocol import Array, Engine, available_cores
from mninfer.errors import InputError, ModelFileError, PreprocessError, UnsupportedModelError
from mninfer.memory import keep_freed_buffers
from mninfer.outputs import DetectionOutputs, OutputMeaning
from mninfer.postprocessing import best_classes, dequantize
from mninfer.preprocessing.tensor import Preprocessor
from mninfer.results import PICTURE_ERRORS, Classification, Failure
from mninfer.spec import ModelSpec

if TYPE_CHECKING:
    from mninfer.detection import Detections
    from mninfer.model_file.golden import GoldenReport
    from mninfer.model_file.graph import Graph
    from mninfer.model_file.read import ModelFile
    from mninfer.segmentation import Segmentation

__all__ = ["EngineSource", "Model", "PictureConfig"]

Run = Callable[[Sequence[Array]], list[Array]]


@dataclass(frozen=True, slots=True, kw_only=True)
class PictureConfig:
    """How pictures are decoded: up to ``max_pixels``, at reduced scale where that is enough, unless ``full_decode``."""

    full_decode: bool
    max_pixels: int


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineSource:
    """Opens further engines on the same bytes. ``threads`` is what the caller stated, None where nothing was."""

    open: Callable[[int | None], Engine]
    threads: int | None


class Model:
    """A model that is ready to run. Close it, or use it in a ``with`` block, to free its memory at a known time."""

    def __init__(
        self,
        *,
        file: "ModelFile",
        spec: ModelSpec,
        meaning: OutputMeaning,
        engine: Engine,
        engines: EngineSource,
        pictures: PictureConfig,
    ) -> None:
        self.file = file
        self.engine = engine
        self._spec = spec
        self._meaning = meaning
        self._engines = engines
        self._pictures = pictures
        self._preprocessor: Preprocessor | None = None
        self._scores_problem = _why_no_scores(spec, meaning)
        self._lock = Lock()
        self._is_closed = False
        self._has_run = False

    @property
    def spec(self) -> ModelSpec:
        """What is known of the model, settled when it was loaded."""
        return self._spec

    @property
    def meaning(self) -> OutputMeaning:
        """What the outputs stand for."""
        return self._meaning

    @property
    def graph(self) -> "Graph":
        """The decoded file: tensors, operators, metadata."""
        return self.file.graph

    def classify(self, image: Any, top: int = 5, *, order: str = "rgb") -> Classification:
        """Name what is in a picture: the ``top`` classes, best first, scores from 0 to 1.

        ``image`` is a path, encoded bytes, a file object, a uint8 array [height, width, 3] in ``order`` or a PIL image.

        >>> model = mninfer.load("model.tflite")
        >>> model.classify("photo.png").best.label
        'red circle'
        """
        _check_top(top)
        return self._classify(self._run_locked, image, top, order)

    def detect(self, image: Any, threshold: float = 0.5, *, order: str = "rgb") -> "Detections":
        """Find objects scored at least ``threshold``; boxes are in pixels of the original picture.

        >>> model = mninfer.load("detector.tflite", preprocess="mean=0,std=255", labels=["red"])
        >>> best = model.detect("photo.png").objects[0]
        >>> best.label, best.box.left > 30, best.box.right < 130
        ('red', True, True)
        """
        from mninfer.detection import Detections, detections

        if not 0 <= threshold <= 1:  # NaN is neither
            raise ValueError(f"threshold must be from 0 to 1, not {threshold}")
        outputs = self._meaning.detection
        if outputs is None:
            raise self._wrong_task("boxes", "the TFLite_Detection_PostProcess operator makes none of its outputs")
        size, arrays = self._run_picture(self._run_locked, image, order)
        boxes, classes, scores, count = self._detected(arrays, outputs)
        num_found = max(0, min(int(count), scores.size))
        found = detections(
            boxes.reshape(-1, 4)[:num_found],
            classes.ravel()[:num_found],
            scores.ravel()[:num_found],
            geometry=self.preprocessor.geometry(size),
            threshold=threshold,
            labels=self.spec.labels,
            label_offset=outputs.label_offset(self.spec.labels),
        )
        return Detections(found, _name(image))

    def segment(self, image: Any, *, order: str = "rgb") -> "Segmentation":
        """Give every pixel of the original picture a class.

        >>> model = mninfer.load("segmenter.tflite", preprocess="mean=0,std=255")
        >>> segmentation = model.segment("photo.png")
        >>> segmentation.mask.shape  # height, width
        (120, 160)
        >>> list(segmentation.shares())  # the classes present, largest first
        [0, 1]
        """
        from mninfer.segmentation import Segmentation, segment_mask

        shape = self.spec.outputs[0].shape
        if len(shape) not in {3, 4}:
            raise self._wrong_task("a mask", f"output 0 has shape {list(shape)}, not [1, height, width, classes]")
        size, arrays = self._run_picture(self._run_locked, image, order)
        output = arrays[0][0]
        if output.ndim == 3:
            output = dequantize(output, self.spec.outputs[0].quantization)
        mask = segment_mask(
            output,
            self.preprocessor.geometry(size),
            foreground_above=0.5 if self._meaning.has_probabilities else 0.0,
        )
        return Segmentation(mask, self.spec.labels, _name(image))

    def embed(self, image: Any, *, normalize: bool = False, order: str = "rgb") -> npt.NDArray[np.float32]:
        """The first output as one float32 vector; ``normalize`` scales it to length 1, for cosine similarity.

        >>> model = mninfer.load("embedder.tflite", preprocess="inception")
        >>> model.embed("photo.png").shape
        (64,)
        """
        _, arrays = self._run_picture(self._run_locked, image, order)
        vector = dequantize(arrays[0], self.spec.outputs[0].quantization).reshape(-1)
        if normalize:
            vector = vector / max(float(np.linalg.norm(vector)), 2.0**-126)  # float32's least normal number
        return np.array(vector, np.float32)

    def classify_many(
        self, images: Iterable[Any], top: int = 5, workers: int | None = None, *, order: str = "rgb"
    ) -> Iterator[Classification | Failure]:
        """Classify picture after picture, several at a time; results come in the pictures' order.

        A picture that can't be used gives a Failure in its place. ``images`` may be endless: it is read as results are
        taken, a few ahead, so that an array has to stay as it is until its result is out. ``workers`` None means one
        per core, each with an engine of one thread (of ``threads`` where that was stated to ``load``, and accordingly
        fewer).

        >>> model = mninfer.load("model.tflite")
        >>> for result in model.classify_many(["photo.png", "no-such.png"]):
        ...     print(result.error.what if isinstance(result, mninfer.Failure) else result.best.label)
        red circle
        no such file
        """
        from mninfer.bulk import in_order

        self._refuse_closed()
        _refuse_one_picture(images)
        if workers is not None and workers < 1:
            raise ValueError(f"workers must be 1 or more, not {workers}")
        _check_top(top)
        if self._scores_problem is not None:
            raise self._wrong_task("classes", self._scores_problem)
        _ = self.preprocessor  # an error of the model is told here, not once to a picture

        def worker(run: Run) -> Callable[[Any], Classification | Failure]:
            def classify(image: Any) -> Classification | Failure:
                try:
                    return self._classify(run, image, top, order)
                except PICTURE_ERRORS as error:
                    return Failure(error, _name(image))

            return classify

        def stream() -> Iterator[Classification | Failure]:
            with ExitStack() as stack:
                runs = self._worker_runs(workers, stack)
                yield from in_order(images, [worker(run) for run in runs])

        return stream()

    def run(self, arrays: Sequence[Array] | Array) -> list[Array]:
        """Run on prepared arrays, one per input as in ``spec.inputs``; give the raw outputs, as in ``spec.outputs``.

        A model with one input takes its array without a list around it, too.

        >>> model = mninfer.load("foreign.tflite")
        >>> spec = model.spec.inputs[0]
        >>> [output.shape for output in model.run([numpy.zeros(spec.shape, spec.dtype)])]
        [(1, 16)]
        """
        specs = self.spec.inputs
        if isinstance(arrays, np.ndarray):
            if len(specs) != 1:
                raise TypeError(f"run takes a list of {len(specs)} arrays, one per input, not one array")
            arrays = [arrays]
        if len(arrays) != len(specs):
            raise InputError(f"the model has {len(specs)} inputs; {len(arrays)} arrays were given")
        for spec, array in zip(specs, arrays, strict=True):
            if not isinstance(array, np.ndarray):
                raise TypeError(f'input "{spec.name}": run takes numpy arrays, not {type(array).__name__}')
            if array.shape != spec.shape or not _has_dtype(array, spec.dtype):
                raise InputError(
                    f'input "{spec.name}" is {spec.dtype} {list(spec.shape)}; '
                    f"the array is {array.dtype} {list(array.shape)}",
                    hints="for a picture, call classify, detect, segment or embed: they prepare it",
                )
        return self._run_locked(arrays)

    def check(self) -> "GoldenReport":
        """Run the file's golden pictures and compare with the recorded outputs; the report says whether they match.

        >>> mninfer.load("model.tflite").check().ok
        True

        Raises:
            ModelFileError: the file carries none.
        """
        from mninfer.model_file.golden import compare_golden

        contract = self.file.contract
        if contract is None or not contract.golden or contract.preprocess is None:
            raise ModelFileError(
                "the model carries no golden vectors to check against",
                hints="mninfer annotate MODEL --preprocess … --labels … -o OUT attaches them, by running it here",
            )
        return compare_golden(
            contract.golden,
            run=self._run_locked,
            preprocess=contract.preprocess,
            tensor=self.spec.inputs[0],
            engine=f"{self.engine.name} {self.engine.version}",
            uses_xnnpack=self.engine.uses_xnnpack,
            detection=self._meaning.detection,
        )

    def close(self) -> None:
        """Free the engine; running afterwards is a ValueError."""
        with self._lock:
            self._is_closed = True
            self.engine.close()

    def _refuse_closed(self) -> None:
        if self._is_closed:
            raise ValueError("the model is closed: load it again")

    def __enter__(self) -> Self:
        self._refuse_closed()
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __repr__(self) -> str:
        first = self.spec.inputs[0]
        return f"<Model {self.spec.task} {first.dtype}{list(first.shape)} on {self.engine.name} {self.engine.version}>"

    @property
    def preprocessor(self) -> Preprocessor:
        """Pixels -> the input, as a function; made when first wanted: without one, a model still runs arrays.

        Raises:
            PreprocessError: nothing says how a picture becomes the input.
            UnsupportedModelError: the model has several inputs, or one that is no picture.
        """
        if self._preprocessor is None:
            self._preprocessor = self._make_preprocessor()
        return self._preprocessor

    def _make_preprocessor(self) -> Preprocessor:
        if len(self.spec.inputs) != 1:
            raise UnsupportedModelError(
                f"the model has {len(self.spec.inputs)} inputs, so a picture alone is not enough",
                hints="prepare the arrays and call Model.run",
            )
        if self.spec.preprocess is None:
            raise PreprocessError(
                "nothing says how a picture becomes this model's input: neither you nor the file",
                hints=(
                    "state it as the model was trained: --preprocess inception|torch|caffe|raw|mean=..,std=..",
                    'in Python: mninfer.load(…, preprocess="inception")',
                    "mninfer annotate MODEL --preprocess … -o OUT writes it into the file",
                ),
            )
        return Preprocessor(self.spec.preprocess, self.spec.inputs[0])

    def _classify(self, run: Run, image: Any, top: int, order: str) -> Classification:
        if self._scores_problem is not None:
            raise self._wrong_task("classes", self._scores_problem)
        _, arrays = self._run_picture(run, image, order)
        best = best_classes(
            arrays[0],
            self.spec.outputs[0].quantization,
            top=top,
            needs_softmax=not self._meaning.has_probabilities,
            labels=self.spec.labels,
        )
        return Classification(best, _name(image))

    def _run_picture(self, run: Run, image: Any, order: str) -> tuple[tuple[int, int], list[Array]]:
        """The (width, height) of the original picture, and the outputs."""
        prepared = self.preprocessor
        if self._has_run:  # a second picture: there may be many, and memory that one run would not need pays
            keep_freed_buffers()
        self._has_run = True
        if order == "rgb" and _is_ready(image):
            return (image.shape[1], image.shape[0]), run([prepared(image)])
        from mninfer.images import load_image

        cover = None if self._pictures.full_decode else prepared.cover
        picture = load_image(image, order=order, max_pixels=self._pictures.max_pixels, cover=cover)
        return picture.original_size, run([prepared(picture.pixels)])

    def _run_locked(self, arrays: Sequence[Array]) -> list[Array]:
        with self._lock:
            return self.engine.run(arrays)

    def _detected(self, arrays: list[Array], outputs: DetectionOutputs) -> tuple[Array, Array, Array, float]:
        """Boxes, classes, scores as floats, and how many of them count."""
        boxes, classes, scores, count = (
            dequantize(arrays[position], self.spec.outputs[position].quantization)
            for position in (outputs.boxes, outputs.classes, outputs.scores, outputs.count)
        )
        return boxes, classes, scores, float(count.ravel()[0])

    def _worker_runs(self, workers: int | None, stack: ExitStack) -> list[Run]:
        """An engine per worker, which ``stack`` closes; opened here so that a failure is told once."""
        if not self.engine.is_shareable:
            return [self._run_locked] * (workers or available_cores())
        threads = self._engines.threads or 1
        runs: list[Run] = []
        for _ in range(workers or max(1, available_cores() // threads)):
            engine = self._engines.open(threads)
            stack.callback(engine.close)
            runs.append(engine.run)
        return runs

    def _wrong_task(self, wanted: str, why: str) -> UnsupportedModelError:
        return UnsupportedModelError(
            f"this model gives no {wanted.removeprefix('a ')}: {why}",
            hints=(f"it is a model to {self.spec.task}", "Model.run gives its outputs as they are"),
        )


def _why_no_scores(spec: ModelSpec, meaning: OutputMeaning) -> str | None:
    """Why the first output is not one score per class; None where it is."""
    shape = spec.outputs[0].shape
    if meaning.detection is not None or not shape or any(size != 1 for size in shape[:-1]):
        return f"output 0 has shape {list(shape)}, not one score per class"
    if shape[-1] == 1 and not meaning.has_probabilities:  # a softmax over one value would always say 1
        return "output 0 is a single number, and no sigmoid made it"
    return None


def _has_dtype(array: Array, dtype: str) -> bool:
    """Engines copy an array's bytes as they are, so those of the other byte order, of the same name, don't fit."""
    return array.dtype.name == dtype and array.dtype.isnative


def _refuse_one_picture(images: Any) -> None:
    """A text is iterable too, and so is one picture's array: character by character, row by row."""
    if isinstance(images, str | bytes | bytearray | memoryview | os.PathLike) or getattr(images, "ndim", 4) < 4:
        raise TypeError(
            f"classify_many takes several pictures, not one {type(images).__name__}: "
            "give a list, or call classify; mninfer.images.image_paths gives those of a folder or a pattern"
        )


def _check_top(top: int) -> None:
    if top < 1:
        raise ValueError(f"top must be 1 or more, not {top}")


def _is_ready(image: Any) -> bool:
    """Whether a picture is RGB pixels already, as a camera loop's are: nothing to load, and no time to lose."""
    return (
        type(image) is np.ndarray
        and image.dtype == np.uint8
        and image.ndim == 3
        and image.shape[2] == 3
        and image.flags.c_contiguous
        and image.size > 0
    )


def _name(image: Any) -> str | None:
    """What a result calls its source: the path, or nothing."""
    return os.fsdecode(image) if isinstance(image, str | os.PathLike) else None
