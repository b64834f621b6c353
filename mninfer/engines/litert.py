"""LiteRT (the package ai-edge-litert), the first choice."""

from mninfer.engines.interpreter import InterpreterEngine, InterpreterRuntime
from mninfer.engines.protocol import Engine, EngineConfig

__all__ = ["open_engine"]


def open_engine(data: bytes, config: EngineConfig) -> Engine:
    """Load ``data`` into LiteRT."""
    import ai_edge_litert
    from ai_edge_litert import interpreter

    # 1.x has no __version__ of its own.
    version = getattr(ai_edge_litert, "__version__", None) or _distribution_version()
    runtime = InterpreterRuntime("litert", version, interpreter.Interpreter, interpreter.load_delegate)
    return InterpreterEngine(runtime, data, config)


def _distribution_version() -> str:
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version("ai-edge-litert")
    except PackageNotFoundError:
        return "unknown"
