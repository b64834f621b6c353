"""tflite-runtime, the engine for 32-bit ARM and for machines that have it already. Its wheels need numpy 1."""

import numpy as np

from mninfer.engines.interpreter import InterpreterEngine, InterpreterRuntime
from mninfer.engines.protocol import Engine, EngineConfig
from mninfer.errors import MissingDependencyError, UnsupportedModelError

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

    runtime = InterpreterRuntime(
        name="tflite-runtime",
        version=version,
        interpreter_class=interpreter.Interpreter,
        load_delegate=interpreter.load_delegate,
        plain_kernels=interpreter.OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES,
    )
    engine = InterpreterEngine(runtime, data, config)
    frozen = _freeze(data, engine) if config.use_xnnpack else None
    return engine if frozen is None else InterpreterEngine(runtime, frozen, config)


def _freeze(data: bytes, engine: InterpreterEngine) -> bytes | None:
    """The model with its shapes made constant, where open sizes keep XNNPACK away."""
    if not any(-1 in spec.shape_signature for spec in engine.inputs) or engine.uses_xnnpack:
        return None
    from mninfer.model_file.freeze_shapes import freeze_shapes

    try:
        return freeze_shapes(data, [spec.shape for spec in engine.inputs])
    except UnsupportedModelError:
        return None  # it can't be rewritten without loss, so it runs as it is


def _release(version: str) -> tuple[int, int]:
    major, minor = version.split(".")[:2]
    return int(major), int(minor)
