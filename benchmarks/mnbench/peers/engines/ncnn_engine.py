"""ncnn on the CPU."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from mnbench.peers.engines.protocol import EngineRequest, RawArray, import_peer
from mninfer.errors import EngineError

__all__ = ["NcnnEngine", "open_engine"]

_NAME = "ncnn"
_INPUT = "in0"  # pnnx numbers what goes in and comes out
# Each of them would compute, or keep numbers, in 16 bits.
_HALVES = (
    "use_fp16_packed",
    "use_fp16_storage",
    "use_fp16_arithmetic",
    "use_bf16_packed",
    "use_bf16_storage",
)


def open_engine(request: EngineRequest) -> "NcnnEngine":
    """Raise MissingDependencyError, or EngineError where it refuses the file."""
    return NcnnEngine(import_peer("ncnn", _NAME), request)


class NcnnEngine:
    """A net; each run is an extractor of its own, which is how ncnn runs. It knows no batch: one picture."""

    def __init__(self, ncnn: Any, request: EngineRequest) -> None:
        self._version = ncnn.__version__
        self._net = ncnn.Net()
        options = self._net.opt
        options.use_vulkan_compute = False
        if request.threads is not None:
            options.num_threads = request.threads
        for name in _HALVES:
            if hasattr(options, name):  # older ones have fewer
                setattr(options, name, False)
        param = request.file.with_suffix(".param")
        if self._net.load_param(str(param)) != 0 or self._net.load_model(str(request.file)) != 0:
            raise EngineError("ncnn refused the model: it says why on its own", where=str(param))
        self._input = ncnn.Mat(request.array[0]).clone()
        self._names = [f"out{i}" for i in range(len(request.prepared.outputs))]
        self._outputs: Sequence[Any] = ()

    def run(self) -> None:
        extractor = self._net.create_extractor()
        extractor.input(_INPUT, self._input)
        results = [extractor.extract(name) for name in self._names]
        if any(code != 0 for code, _ in results):
            raise EngineError(f"ncnn failed while it ran the model: codes {[code for code, _ in results]}")
        self._outputs = [output for _, output in results]

    def outputs(self) -> Sequence[RawArray]:
        return [np.array(output) for output in self._outputs]

    def facts(self) -> Mapping[str, Any]:
        return {"version": self._version, "threads": self._net.opt.num_threads}

    def close(self) -> None:
        self._net.clear()
