"""What runs a model: LiteRT, tflite-runtime, TensorFlow Lite and LiteRT's GPU accelerator behind one small protocol.

An engine gets bytes that have been checked already and arrays that fit; it knows nothing of pictures or labels.
"""

from mninfer.engine_names import ENGINE_NAMES
from mninfer.engines.choose import open_engine
from mninfer.engines.protocol import DelegateCoverage, Engine, EngineConfig

__all__ = ["ENGINE_NAMES", "DelegateCoverage", "Engine", "EngineConfig", "open_engine"]
