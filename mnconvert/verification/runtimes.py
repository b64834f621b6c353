"""Whether a file loads and runs on the engines that are installed: what it claims is tried where it can be."""

from collections.abc import Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any

import numpy as np
import numpy.typing as npt

from mninfer.engine_names import ENGINES
from mninfer.engines import Engine, open_engine
from mninfer.errors import EngineError, MissingDependencyError

__all__ = ["RuntimeTrial", "installed_version", "try_runtimes"]

Array = npt.NDArray[Any]

# TensorFlow's own interpreter is LiteRT's code in another package, and the newest: trying it shows nothing more.
_TRIED = ("litert", "tflite-runtime")
_OF_RELEASES = ("tflite-runtime",)  # engines whose version is TensorFlow's


@dataclass(frozen=True, slots=True, kw_only=True)
class RuntimeTrial:
    """One engine. ``has_run`` None: it could not be tried, or is older than what the file claims; ``note`` says why."""

    engine: str
    version: str | None
    has_run: bool | None
    note: str | None = None

    def __str__(self) -> str:
        return self.engine if self.version is None else f"{self.engine} {self.version}"

    def to_json(self) -> dict[str, Any]:
        return {"engine": self.engine, "version": self.version, "has_run": self.has_run, "note": self.note}


def try_runtimes(
    data: bytes, arrays: Sequence[Array], *, oldest: str | None, skip: Sequence[str] = ()
) -> tuple[RuntimeTrial, ...]:
    """Run ``data`` once on every engine that is installed, but for ``skip``; ``oldest`` is the release it claims."""
    names = [name for name in _TRIED if name not in skip and find_spec(ENGINES[name][0]) is not None]
    return tuple(_try(name, data, arrays, oldest) for name in names)


def _try(name: str, data: bytes, arrays: Sequence[Array], oldest: str | None) -> RuntimeTrial:
    try:
        engine = open_engine(data, engine=name, threads=1)
    except MissingDependencyError as error:
        return RuntimeTrial(engine=name, version=None, has_run=None, note=error.what)
    except EngineError as error:
        return _refused(name, error, oldest)
    try:
        return _run(engine, arrays)
    except EngineError as error:
        return RuntimeTrial(engine=name, version=engine.version, has_run=False, note=error.what)
    finally:
        engine.close()


def _run(engine: Engine, arrays: Sequence[Array]) -> RuntimeTrial:
    outputs = engine.run(arrays)
    is_finite = all(bool(np.isfinite(output).all()) for output in outputs if output.dtype.kind == "f")
    return RuntimeTrial(
        engine=engine.name,
        version=engine.version,
        has_run=is_finite,
        note=None if is_finite else "it gives values that are not finite",
    )


def _refused(name: str, error: EngineError, oldest: str | None) -> RuntimeTrial:
    """A runtime that is older than the file claims may refuse it: nothing was promised there."""
    version = installed_version(name)
    if name in _OF_RELEASES and version and (oldest is None or _number(version) < _number(oldest)):
        return RuntimeTrial(engine=name, version=version, has_run=None, note=f"older than {oldest}: {error.what}")
    return RuntimeTrial(engine=name, version=version, has_run=False, note=error.what)


def installed_version(name: str) -> str | None:
    """The version of an engine's package, as its distribution says."""
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version(ENGINES[name][0].replace("_", "-"))
    except PackageNotFoundError:
        return None


def _number(release: str) -> tuple[int, ...]:
    return tuple(int(part) for part in release.split(".")[:3] if part.isdigit())
