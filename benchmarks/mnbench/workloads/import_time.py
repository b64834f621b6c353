"""What importing an engine costs: a whole process that imports it and ends, beside one that imports nothing.

Its parts are both: what Python takes to start and end, and the rest, which is the import's.
"""

import sys
from collections.abc import Mapping, Sequence
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from typing import Any

from mnbench.catalogue import engine_entry
from mnbench.job import Job
from mnbench.own_version import own_version
from mnbench.workloads.launcher import EndedProcess, Launcher
from mnbench.workloads.protocol import Array, Workload
from mninfer.errors import EngineError, MissingDependencyError

__all__ = ["ImportTime", "import_statement", "open_workload"]

# What a program needs before it can open a model; of all others, their package.
_STATEMENTS = {
    "mninfer": "from mninfer import load",  # import mninfer alone is lazy, and says little
    "litert": "from ai_edge_litert.interpreter import Interpreter",
    "litert-gpu": "from ai_edge_litert.compiled_model import CompiledModel",
    "tflite-runtime": "from tflite_runtime.interpreter import Interpreter",
    "keras-tensorflow": "import keras",  # KERAS_BACKEND says which
    "keras-jax": "import keras",
    "keras-torch": "import keras",
}


def import_statement(engine: str) -> str:
    """The line that is timed."""
    return _STATEMENTS.get(engine) or f"import {engine_entry(engine).package}"


def open_workload(job: Job) -> Workload:
    """Be ready to time the import of the cell's engine, which has gone well once.

    Raises:
        MissingDependencyError: it isn't installed.
        EngineError: it is, and can't be imported.
    """
    entry = engine_entry(job.cell.engine)
    if not entry.package or find_spec(entry.package) is None:
        raise MissingDependencyError(f'the engine "{entry.name}" is not installed in this environment')
    workload = ImportTime(import_statement(entry.name), entry.package)
    try:
        workload.run()
    except EngineError:
        workload.close()
        raise
    return workload


class ImportTime:
    """``run`` is the process that imports; the bare one runs after each of them, so that both see the same machine."""

    def __init__(self, statement: str, package: str) -> None:
        self._statement = statement
        self._package = package
        self._importing = Launcher([sys.executable, "-c", statement])
        self._bare = Launcher([sys.executable, "-c", "pass"])
        self._last = EndedProcess(0, 0, 0)
        self._peaks: dict[str, int] = {}

    def run(self) -> None:
        self._last = _well_ended(self._importing, self._statement)

    def parts_ns(self) -> Mapping[str, int]:
        bare = _well_ended(self._bare, "pass")
        for name, ended in (("process_peak_bytes", self._last), ("bare_peak_bytes", bare)):
            self._peaks[name] = max(self._peaks.get(name, 0), ended.peak_bytes)
        python_ns = min(bare.elapsed_ns, self._last.elapsed_ns)
        return {"python": python_ns, "import": self._last.elapsed_ns - python_ns}

    def outputs(self) -> Sequence[Array]:
        return ()

    def facts(self) -> Mapping[str, Any]:
        return {"version": _version_of(self._package), "statement": self._statement, **self._peaks}

    def close(self) -> None:
        self._importing.close()
        self._bare.close()


def _well_ended(launcher: Launcher, statement: str) -> EndedProcess:
    ended = launcher.launch()
    if ended.exit_code:
        raise EngineError(f'python -c "{statement}" ended with exit code {ended.exit_code}')
    return ended


def _version_of(package: str) -> str:
    """Of the distribution that the package came with, where there is one of its name (they ignore - and _)."""
    if package == "mninfer":
        return own_version()
    try:
        return version(package)
    except PackageNotFoundError:
        return "unknown"
