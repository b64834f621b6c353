"""From a cell and its model's files to the order of one process, and how that is started."""

import os
import site
import sysconfig
from functools import cache
from importlib.util import find_spec
from pathlib import Path

from mnbench.cache import cache_folder
from mnbench.catalogue import EngineKind, engine_entry
from mnbench.cell import Cell, Work
from mnbench.job import Job
from mnbench.kit import home_of, make_kit
from mnbench.launching import Launch
from mnbench.peers import convert, python_of
from mnbench.peers.peer import ENVIRONMENTS
from mnbench.plan import budget_of
from mnbench.preparing import Bundle
from mnbench.preparing.bundle import file_key
from mnbench.process_environment import environment_of
from mninfer.errors import MissingDependencyError, UnsupportedModelError

__all__ = ["converted_from", "job_for", "launch_for"]

_PACKAGES = ("mnbench", "mninfer", "mnmodels", "mnconvert")
_WITH_PHOTO = (Work.PHOTO_TO_LABEL, Work.COLD_START)


def job_for(cell: Cell, bundle: Bundle, *, pace: float, outputs: Path | None, is_profiled: bool = False) -> Job:
    """The order for one process of ``cell``; ``outputs`` is where its outputs go, if they are wanted.

    Raises:
        MissingDependencyError: what runs it, or converts for that, has an environment of its own, not installed, or is
            a program for another device.
        UnsupportedModelError: the model can't be had in the cell's form; the message says why.
        VariantError: the engine never runs that form.
        MnError: a peer's tool can't convert the model.
    """
    if engine_entry(cell.engine).kind is EngineKind.DEVICE:
        raise MissingDependencyError(f"{cell.engine} runs on Android", hints="--on adb --benchmark-model FILE")
    return Job(
        cell=cell,
        budget=budget_of(cell, pace),
        input=bundle.input_for(cell.batch),
        file=_file_for(cell, bundle),
        network=bundle.network,
        picture=bundle.photo if cell.work in _WITH_PHOTO else None,
        outputs=outputs,
        is_profiled=is_profiled,
    )


def converted_from(cell: Cell, bundle: Bundle) -> Path | None:
    """The flatbuffer that the cell's engine has its own file made from, by ``job_for``; None where it needs none."""
    return bundle.file_for(cell) if engine_entry(cell.engine).kind is EngineKind.PEER else None


def _file_for(cell: Cell, bundle: Bundle) -> Path | None:
    """What the engine loads: a file of the bundle, or what a peer's own tool makes of that, once."""
    file = bundle.file_for(cell)
    entry = engine_entry(cell.engine)
    if file is None and entry.kind is not EngineKind.KERAS and cell.work is not Work.IMPORT:
        raise _unmade(cell, bundle)
    if entry.kind is EngineKind.PEER and file is not None:
        return convert(cell.engine, cell.variant, file, cache_folder() / "converted" / bundle.model.name)
    if cell.engine in ENVIRONMENTS and find_spec(entry.package) is None and _own_python(cell.engine) is None:
        raise MissingDependencyError(
            f'the engine "{cell.engine}" is not installed', hints=f"mnbench peers install {cell.engine}"
        )
    return file


def _unmade(cell: Cell, bundle: Bundle) -> UnsupportedModelError:
    """Why there is no flatbuffer for the cell, as it was found when the others were made."""
    key = file_key(cell.variant, cell.batch)
    if key in bundle.missing:
        return UnsupportedModelError(f"there is no {key} of {cell.model}: {bundle.missing[key]}")
    return UnsupportedModelError(
        f"no {key} of {cell.model} was prepared",
        hints=f"mnbench prepare --variants {cell.variant} --batch {cell.batch}",
    )


def launch_for(cell: Cell, scratch: Path) -> Launch:
    """This Python, or that of the engine's own environment, which sees of our packages a copy and nothing else."""
    variables = environment_of(cell, os.environ)
    python = _own_python(cell.engine)
    if python is None:
        return Launch(scratch=scratch, variables={**variables, **_path_to_us()})
    kit = scratch / "kit"
    if not kit.exists():
        make_kit(kit)
    variables = {**variables, "PYTHONPATH": str(kit), "PYTHONNOUSERSITE": "1"}
    return Launch(scratch=scratch, python=str(python), variables=variables)


def _path_to_us() -> dict[str, str]:
    """What a child needs to find our packages, if anything: beside what is installed, a longer path only slows it."""
    installed = {sysconfig.get_path("purelib"), sysconfig.get_path("platlib"), *site.getsitepackages()}
    homes = dict.fromkeys(str(home.parent) for home in map(home_of, _PACKAGES) if home is not None)
    wanted = [home for home in homes if home not in installed]
    inherited = os.environ.get("PYTHONPATH", "").split(os.pathsep)
    if all(home in inherited for home in wanted):
        return {}
    return {"PYTHONPATH": os.pathsep.join([*wanted, *filter(None, inherited)])}


@cache
def _own_python(engine: str) -> Path | None:
    """Where an engine runs that is not of this environment: a peer, and tflite-runtime beside a newer numpy."""
    entry = engine_entry(engine)
    if entry.kind is EngineKind.PEER or (entry.kind is EngineKind.FLATBUFFER and find_spec(entry.package) is None):
        return python_of(engine)
    return None
