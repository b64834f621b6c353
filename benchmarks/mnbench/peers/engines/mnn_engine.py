"""MNN on the CPU."""

from collections.abc import Mapping, Sequence
from importlib.metadata import version
from typing import Any

import numpy as np

from mnbench.peers.engines.protocol import EngineRequest, RawArray, import_peer, refused

__all__ = ["MnnEngine", "open_engine"]

_NAME = "mnn"


def open_engine(request: EngineRequest) -> "MnnEngine":
    """Raise MissingDependencyError, or EngineError where it refuses the file."""
    return MnnEngine(import_peer("MNN", _NAME), request)


class MnnEngine:
    """A module of its newer interface; the older one's sessions overwrite their input while they run.

    ``precision`` high is float32; normal and low leave it to MNN to compute in 16 bits.
    """

    def __init__(self, mnn: Any, request: EngineRequest) -> None:
        self._threads = request.threads
        prepared = request.prepared
        config: dict[str, Any] = {"backend": "CPU", "precision": "high", "memory": "normal"}
        if request.threads is not None:
            config["numThread"] = request.threads
        expressions = mnn.expr
        try:
            self._runtime = mnn.nn.create_runtime_manager((config,))
            self._module = mnn.nn.load_module_from_file(
                str(request.file),
                [prepared.input.name],
                [output.name for output in prepared.outputs],
                runtime_manager=self._runtime,
                shape_mutable=False,
            )
            shape = list(request.array.shape)
            self._input = expressions.const(request.array, shape, expressions.NHWC, expressions.float)
        except (RuntimeError, SystemError, ValueError) as error:
            raise refused("MNN", error, request.file) from error
        self._outputs: Sequence[Any] = ()

    def run(self) -> None:
        outputs = self._module.forward([self._input])
        for output in outputs:
            output.read()  # computed by now, at the latest
        self._outputs = outputs

    def outputs(self) -> Sequence[RawArray]:
        return [np.array(output.read()) for output in self._outputs]

    def facts(self) -> Mapping[str, Any]:
        return {"version": version("MNN"), "threads": self._threads}

    def close(self) -> None:
        del self._module, self._runtime
