"""Our packages alone in a folder of their own: for a Python that has its own numpy and none of what we have installed.

The interpreters of peers and of other devices find mnbench and mninfer there by PYTHONPATH, and nothing else of ours.
"""

import shutil
from importlib.util import find_spec
from pathlib import Path

__all__ = ["home_of", "make_kit"]

_PACKAGES = ("mnbench", "mninfer")


def make_kit(folder: Path) -> Path:
    """Copy mnbench and mninfer into ``folder`` and return it; what is there of an earlier kit is replaced."""
    for name in _PACKAGES:
        target = folder / name
        shutil.rmtree(target, ignore_errors=True)
        home = home_of(name)
        assert home, f"{name} is what is running"
        shutil.copytree(home, target, ignore=shutil.ignore_patterns("__pycache__", "*.pyc"))
    return folder


def home_of(package: str) -> Path | None:
    """The folder of an importable package; None where there is none."""
    spec = find_spec(package)
    locations = None if spec is None else spec.submodule_search_locations
    return Path(next(iter(locations))) if locations else None
