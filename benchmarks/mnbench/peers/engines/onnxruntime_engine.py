"""ONNX Runtime on its own CPU kernels."""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from mnbench.peers.engines.protocol import EngineRequest, RawArray, import_peer, precision_told, refused

__all__ = ["OnnxRuntimeEngine", "open_engine"]

_NAME = "onnxruntime"
_ERROR_ONLY = 3
_PROVIDERS = ["CPUExecutionProvider"]
# Its operators that multiply, on files whose numbers are float32 or quantized to 8 bits.
_COMPUTES_IN = {
    **dict.fromkeys(("Conv", "FusedConv", "Gemm", "FusedGemm", "MatMul", "FusedMatMul"), "float32"),
    **dict.fromkeys(("QLinearConv", "ConvInteger", "QGemm", "QLinearMatMul", "MatMulInteger"), "int8"),
}


def open_engine(request: EngineRequest) -> "OnnxRuntimeEngine":
    """Raise MissingDependencyError, or EngineError where it refuses the file."""
    return OnnxRuntimeEngine(import_peer("onnxruntime", _NAME), request)


class OnnxRuntimeEngine:
    """A session with every graph optimization, which is its default, one operator after the other."""

    def __init__(self, runtime: Any, request: EngineRequest) -> None:
        self._runtime = runtime
        self._request = request
        self._session = self._open(self._options())
        self._feed = {self._session.get_inputs()[0].name: request.array}
        self._outputs: Sequence[RawArray] = ()

    def run(self) -> None:
        self._outputs = self._session.run(None, self._feed)

    def outputs(self) -> Sequence[RawArray]:
        return self._outputs

    def facts(self) -> Mapping[str, Any]:
        """``operators`` from a second session, that writes a profile."""
        operators = self._operators()
        return {
            "version": self._runtime.__version__,
            "threads": self._session.get_session_options().intra_op_num_threads or None,
            "provider": self._session.get_providers()[0],
            **precision_told((_COMPUTES_IN[name], operators[name]) for name in operators if name in _COMPUTES_IN),
            "operators": operators,
        }

    def close(self) -> None:
        del self._session

    def _options(self) -> Any:
        options = self._runtime.SessionOptions()
        options.intra_op_num_threads = self._request.threads or 0  # 0: as many as there are cores
        options.inter_op_num_threads = 1
        options.log_severity_level = _ERROR_ONLY
        return options

    def _open(self, options: Any) -> Any:
        try:
            return self._runtime.InferenceSession(str(self._request.file), options, providers=_PROVIDERS)
        except (RuntimeError, ValueError) as error:  # what its errors are derived from
            raise refused("ONNX Runtime", error, self._request.file) from error

    def _operators(self) -> dict[str, int]:
        """How many of which kind run in the optimized graph: QLinearConv computes in integers, Conv in float."""
        with TemporaryDirectory() as folder:
            options = self._options()
            options.enable_profiling = True
            options.profile_file_prefix = str(Path(folder) / "profile")
            session = self._open(options)
            session.run(None, self._feed)
            events = json.loads(Path(session.end_profiling()).read_text(encoding="utf-8"))
        return dict(
            Counter(
                event["args"]["op_name"]
                for event in events
                if event.get("cat") == "Node" and event["name"].endswith("_kernel_time")
            )
        )
