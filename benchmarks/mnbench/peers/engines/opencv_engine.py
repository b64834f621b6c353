"""OpenCV's DNN module, with the engine that is new in OpenCV 5."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from mnbench.peers.engines.protocol import EngineRequest, RawArray, import_peer, refused

__all__ = ["OpencvEngine", "open_engine"]

_NAME = "opencv"


def open_engine(request: EngineRequest) -> "OpencvEngine":
    """Raise MissingDependencyError, or EngineError where it refuses the file."""
    return OpencvEngine(import_peer("cv2", _NAME), request)


class OpencvEngine:
    """A net that is given its input with each run: without, it answers from the last one.

    From ONNX: its importer of .tflite knows the older engine alone, which took V1 half as long again.
    """

    def __init__(self, cv2: Any, request: EngineRequest) -> None:
        self._cv2 = cv2
        if request.threads is not None:
            cv2.setNumThreads(request.threads)
        try:
            self._net = cv2.dnn.readNetFromONNX(str(request.file), engine=cv2.dnn.ENGINE_NEW)
        except cv2.error as error:
            raise refused("OpenCV", error, request.file) from error
        self._array = request.array
        self._outputs: Sequence[RawArray] = ()

    def run(self) -> None:
        self._net.setInput(self._array)
        self._outputs = [self._net.forward()]

    def outputs(self) -> Sequence[RawArray]:
        return [np.array(output) for output in self._outputs]

    def facts(self) -> Mapping[str, Any]:
        return {"version": self._cv2.__version__, "threads": self._cv2.getNumThreads()}

    def close(self) -> None:
        del self._net
