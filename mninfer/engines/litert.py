"""LiteRT (the package ai-edge-litert), the first choice."""

from mninfer.engines.interpreter import InterpreterEngine, InterpreterRuntime
from mninfer.engines.protocol import Engine, EngineConfig
from mninfer.version import installed_version

__all__ = ["open_engine", "package_version"]


def open_engine(data: bytes, config: EngineConfig) -> Engine:
    """Load ``data`` into LiteRT."""
    from ai_edge_litert import interpreter

    runtime = InterpreterRuntime(
        name="litert",
        version=package_version(),
        interpreter_class=interpreter.Interpreter,
        load_delegate=interpreter.load_delegate,
        plain_kernels=interpreter.OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES,
    )
    return InterpreterEngine(runtime, data, config)


def package_version() -> str:
    """The version of ai-edge-litert; 1.x does not say its own."""
    import ai_edge_litert

    return getattr(ai_edge_litert, "__version__", None) or installed_version("ai-edge-litert") or "unknown"
