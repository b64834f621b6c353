"""OpenVINO on the CPU."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from mnbench.peers.engines.protocol import EngineRequest, RawArray, import_peer, precision_told, refused

__all__ = ["OpenVinoEngine", "open_engine"]

_NAME = "openvino"
_PRODUCTS = ("Convolution ", "Deconvolution ", "FullyConnected ", "MatMul ")
_WORDS = {"f32": "float32", "bf16": "bfloat16", "f16": "float16", "i8": "int8", "u8": "int8"}
_UNCOUNTED = ("Const", "Input", "Output", "Reshape")  # nodes of the graph at which nothing is computed


def open_engine(request: EngineRequest) -> "OpenVinoEngine":
    """Raise MissingDependencyError, or EngineError where it refuses the file."""
    return OpenVinoEngine(import_peer("openvino", _NAME), request)


class OpenVinoEngine:
    """One stream: the latency of a run, not the throughput of several.

    Left to itself it takes bfloat16 for float32 wherever the CPU has it; the hint keeps float32 what it says.
    """

    def __init__(self, openvino: Any, request: EngineRequest) -> None:
        self._version = str(openvino.__version__).split("-", maxsplit=1)[0]
        config: dict[str, Any] = {"INFERENCE_PRECISION_HINT": "f32", "PERFORMANCE_HINT": "LATENCY", "NUM_STREAMS": 1}
        if request.threads is not None:
            config["INFERENCE_NUM_THREADS"] = request.threads
        try:
            core = openvino.Core()
            self._model = core.compile_model(core.read_model(str(request.file)), "CPU", config)
            self._request = self._model.create_infer_request()
            self._request.set_input_tensor(openvino.Tensor(request.array))
        except RuntimeError as error:  # what its errors are derived from
            raise refused("OpenVINO", error, request.file) from error

    def run(self) -> None:
        self._request.infer(share_outputs=True)

    def outputs(self) -> Sequence[RawArray]:
        return [np.array(self._request.get_output_tensor(i).data) for i in range(len(self._model.outputs))]

    def facts(self) -> Mapping[str, Any]:
        operators = self._operators()
        return {
            "version": self._version,
            "threads": int(self._model.get_property("INFERENCE_NUM_THREADS")),
            "float_precision": self._model.get_property("INFERENCE_PRECISION_HINT").to_string(),
            **precision_told((_numbers_of(kind), operators[kind]) for kind in operators if kind.startswith(_PRODUCTS)),
            "operators": operators,
        }

    def close(self) -> None:
        del self._request, self._model

    def _operators(self) -> dict[str, int]:
        """How many of which kind run, and in which numbers: "Convolution u8" computes in integers."""
        kinds: Counter[str] = Counter()
        for operator in self._model.get_runtime_model().get_ops():
            facts = operator.get_rt_info()
            kind = facts["layerType"].astype(str)
            if kind not in _UNCOUNTED:
                kinds[f"{kind} {facts['runtimePrecision'].astype(str)}"] += 1
        return dict(kinds)


def _numbers_of(kind: str) -> str:
    """``Convolution u8`` computes in int8, as we call it."""
    word = kind.rpartition(" ")[2]
    return _WORDS.get(word, word)
