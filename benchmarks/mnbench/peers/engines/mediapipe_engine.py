"""MediaPipe's image classifier: LiteRT with XNNPACK inside a graph that takes pictures and gives named classes."""

from collections.abc import Mapping, Sequence
from importlib.metadata import version
from typing import Any

import numpy as np

from mnbench.peers.engines.protocol import EngineRequest, RawArray, import_peer, refused
from mninfer.errors import UnsupportedModelError

__all__ = ["MediapipeEngine", "open_engine"]

_NAME = "mediapipe"


def open_engine(request: EngineRequest) -> "MediapipeEngine":
    """Raise MissingDependencyError, UnsupportedModelError, or EngineError where it refuses the file."""
    pixels = _pixels(request)
    vision = import_peer("mediapipe.tasks.python.vision", _NAME)
    return MediapipeEngine(import_peer("mediapipe", _NAME), vision, request, pixels)


class MediapipeEngine:
    """A classifier that is asked for all classes; a run is from the picture to their list."""

    def __init__(self, mediapipe: Any, vision: Any, request: EngineRequest, pixels: RawArray) -> None:
        base = import_peer("mediapipe.tasks.python", _NAME).BaseOptions(model_asset_buffer=request.file.read_bytes())
        options = vision.ImageClassifierOptions(base_options=base, max_results=-1)
        try:
            self._classifier = vision.ImageClassifier.create_from_options(options)
        except (RuntimeError, ValueError) as error:
            raise refused("MediaPipe", error, request.file) from error
        self._image = mediapipe.Image(image_format=mediapipe.ImageFormat.SRGB, data=pixels)
        self._shape = request.prepared.outputs[0].shape
        self._result: Any = None

    def run(self) -> None:
        self._result = self._classifier.classify(self._image)

    def outputs(self) -> Sequence[RawArray]:
        """The scores of all classes, which MediaPipe has dequantized."""
        scores = np.zeros(self._shape, np.float32)
        for category in self._result.classifications[0].categories:
            scores[0, category.index] = category.score
        return [scores]

    def facts(self) -> Mapping[str, Any]:
        return {"version": version("mediapipe"), "threads": None}

    def close(self) -> None:
        self._classifier.close()


def _pixels(request: EngineRequest) -> RawArray:
    """The picture that MediaPipe makes the job's input of: the quantized input itself, or the normalization undone."""
    prepared, shape = request.prepared, request.array.shape
    if shape[0] != 1:
        raise UnsupportedModelError(f"MediaPipe takes one picture to a run, the file {shape[0]}")
    if prepared.input.dtype == "uint8":
        return np.ascontiguousarray(request.array[0])
    if prepared.input.dtype != "float32" or not prepared.mean:
        raise UnsupportedModelError(
            f"MediaPipe takes uint8, or float32 with its normalization in the file: this is {prepared.input.dtype}",
            hints="mnconvert --io uint8 or --io float32 makes such a file",
        )
    pixels = request.pictures[0] * np.asarray(prepared.std, np.float32) + np.asarray(prepared.mean, np.float32)
    return np.ascontiguousarray(np.clip(np.rint(pixels), 0, 255).astype(np.uint8))
