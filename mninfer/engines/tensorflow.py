"""TensorFlow's own TFLite interpreter: seconds to import, so only when it is named or nothing else is installed."""

import os

from mninfer.engines.interpreter import InterpreterEngine, InterpreterRuntime
from mninfer.engines.protocol import Engine, EngineConfig

__all__ = ["open_engine"]


def open_engine(data: bytes, config: EngineConfig) -> Engine:
    """Load ``data`` into tf.lite."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "1")  # leave out the page about instruction sets and GPUs
    import tensorflow

    lite = tensorflow.lite
    runtime = InterpreterRuntime(
        name="tensorflow",
        version=tensorflow.__version__,
        interpreter_class=lite.Interpreter,
        load_delegate=lite.experimental.load_delegate,
        plain_kernels=lite.experimental.OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES,
    )
    return InterpreterEngine(runtime, data, config)
