"""tflite-runtime, the engine for 32-bit ARM and for machines that have it already. Its wheels need numpy 1."""

import numpy as np

from mninfer.engines.interpreter import InterpreterEngine, InterpreterRuntime
from mninfer.engines.protocol import Engine, EngineConfig
from mninfer.errors import MissingDependencyError

__all__ = ["open_engine"]

# The last release; importing it under numpy 2 works, and making an Interpreter then fails in C.
LAST_FOR_NUMPY_1 = (2, 14)


def open_engine(data: bytes, config: EngineConfig) -> Engine:
    """Load ``data`` into tflite-runtime."""
    import tflite_runtime

    version = tflite_runtime.__version__
    if np.lib.NumpyVersion(np.__version__) >= "2.0.0" and _release(version) <= LAST_FOR_NUMPY_1:
        raise MissingDependencyError(
            f"tflite-runtime {version} needs numpy 1, and numpy {np.__version__} is installed",
            hints=('python -m pip install "numpy<2"', "python -m pip install ai-edge-litert"),
        )
    from tflite_runtime import interpreter

    runtime = InterpreterRuntime("tflite-runtime", version, interpreter.Interpreter, interpreter.load_delegate)
    return InterpreterEngine(runtime, data, config)


def _release(version: str) -> tuple[int, int]:
    major, minor = version.split(".")[:2]
    return int(major), int(minor)
