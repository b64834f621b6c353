"""An engine by name, or the best one that is installed; a missing one is an error with the line that installs it."""

from importlib import import_module
from importlib.util import find_spec
from operator import index

from mninfer.engine_names import ENGINE_NAMES, ENGINES
from mninfer.engines.protocol import Engine, EngineConfig, default_threads
from mninfer.errors import MissingDependencyError

__all__ = ["open_engine"]

AUTO_ORDER = ("litert", "tflite-runtime", "tensorflow")


def open_engine(
    data: bytes,
    *,
    engine: str = "auto",
    threads: int | None = None,
    delegate: str | None = None,
    input_shapes: tuple[tuple[int, ...], ...] | None = None,
    use_xnnpack: bool = True,
) -> Engine:
    """Give ``data``, a checked model, to an engine. ``threads`` None means the cores that there are, four at most.

    The rest is as in ``EngineConfig``.

    Raises:
        MissingDependencyError: the engine (or the delegate's library) isn't installed.
        EngineError: the engine refuses the model.
    """
    config = EngineConfig(
        threads=default_threads() if threads is None else index(threads),
        delegate=delegate,
        input_shapes=input_shapes,
        use_xnnpack=use_xnnpack,
    )
    name = _first_installed() if engine == "auto" else _known(engine)
    package, module = ENGINES[name]
    if find_spec(package) is None:
        raise _missing(name)
    try:
        opened: Engine = import_module(f"mninfer.engines.{module}").open_engine(data, config)
    except ImportError as error:
        raise _broken(name, error) from error
    return opened


def _first_installed() -> str:
    for name in AUTO_ORDER:
        if find_spec(ENGINES[name][0]) is not None:
            return name
    raise _missing("auto")


def _known(engine: str) -> str:
    if engine in ENGINES:
        return engine
    from mninfer.near import near_names

    near = near_names(engine, ENGINE_NAMES)
    remedy = f'did you mean "{near[0]}"?' if near else f"there are {', '.join(ENGINE_NAMES)}"
    raise ValueError(f'no engine is called "{engine}"; {remedy}')


def _missing(name: str) -> MissingDependencyError:
    from mninfer.engines.install import Platform, install_hints

    where = Platform.current()
    what = "no TFLite engine is installed" if name == "auto" else f'the engine "{name}" is not installed'
    return MissingDependencyError(what, where=str(where), hints=install_hints(where, name))


def _broken(name: str, error: ImportError) -> MissingDependencyError:
    from mninfer.engines.install import Platform, install_hints

    where = Platform.current()
    return MissingDependencyError(
        f'the engine "{name}" is installed but does not load: {" ".join(str(error).split())}',
        where=str(where),
        hints=install_hints(where, name),
    )
