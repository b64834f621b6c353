"""From a cell and its model's files to the order of one process, and how that is started."""

import os
import site
import sysconfig
from functools import cache
from importlib.util import find_spec
from pathlib import Path

from mnbench.catalogue import EngineKind, engine_entry
from mnbench.cell import Cell, Work
from mnbench.job import Job
from mnbench.kit import home_of, make_kit
from mnbench.launching import Launch
from mnbench.peers import python_of
from mnbench.plan import budget_of
from mnbench.preparing import Bundle
from mnbench.process_environment import environment_of

__all__ = ["job_for", "launch_for"]

_PACKAGES = ("mnbench", "mninfer", "mnmodels", "mnconvert")
_WITH_PHOTO = (Work.PHOTO_TO_LABEL, Work.COLD_START)


def job_for(cell: Cell, bundle: Bundle, *, pace: float, outputs: Path | None, is_profiled: bool = False) -> Job:
    """The order for one process of ``cell``; ``outputs`` is where its outputs go, if they are wanted."""
    return Job(
        cell=cell,
        budget=budget_of(cell, pace),
        input=bundle.input_for(cell.batch),
        file=bundle.file_for(cell),
        network=bundle.network,
        picture=bundle.photo if cell.work in _WITH_PHOTO else None,
        outputs=outputs,
        is_profiled=is_profiled,
    )


def launch_for(cell: Cell, scratch: Path) -> Launch:
    """This Python, or that of the engine's own environment, which sees of our packages a copy and nothing else."""
    variables = environment_of(cell)
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
