"""Where the environments lie, and which are there. Standard library alone; writes nothing.

An environment under its name is whole: it is made under another name and moved there when pip and a first import were
done with it (installing.py).
"""

import hashlib
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

from mnbench.cache import cache_folder
from mnbench.fields import Fields
from mnbench.peers.peer import ENVIRONMENTS, PEERS, environment_named
from mninfer.errors import InputError

__all__ = [
    "RECORD_NAME",
    "Installed",
    "find_installed",
    "installed_peers",
    "peers_folder",
    "python_in",
    "python_of",
    "requirements_digest",
    "requirements_of",
]

RECORD_NAME = "mnbench-environment.json"
_FOLDER_VARIABLE = "MNBENCH_PEERS"


@dataclass(frozen=True, slots=True, kw_only=True)
class Installed:
    """An environment that is there: its ``folder``, what pip put into it, and how many bytes that takes."""

    name: str
    folder: Path
    requirements: str
    packages: Mapping[str, str]
    size_bytes: int

    @property
    def python(self) -> Path:
        return python_in(self.folder)

    @property
    def version(self) -> str:
        """Of the package that it is there for."""
        spelled = {package.lower().replace("_", "-"): version for package, version in self.packages.items()}
        return spelled.get(environment_named(self.name).distribution, "unknown")

    @property
    def is_current(self) -> bool:
        """Whether it is what this version of mnbench would install."""
        return self.requirements == requirements_digest(self.name)


def peers_folder() -> Path:
    """Where environments are made: MNBENCH_PEERS, or below the user's cache."""
    if stated := os.environ.get(_FOLDER_VARIABLE):
        return Path(stated)
    return cache_folder() / "peers"


def python_in(folder: Path) -> Path:
    """The interpreter of the environment in ``folder``."""
    return folder / "Scripts" / "python.exe" if os.name == "nt" else folder / "bin" / "python"


def find_installed(name: str) -> Installed | None:
    """The environment ``name``; None where it isn't there, or its Python is gone.

    Raises:
        InputError: there is no environment of that name.
    """
    folder = peers_folder() / environment_named(name).name
    try:
        fields = Fields(json.loads((folder / RECORD_NAME).read_text(encoding="utf-8")), RECORD_NAME)
        packages = Fields(fields.mapping("packages"), "packages")
        found = Installed(
            name=name,
            folder=folder,
            requirements=fields.text("requirements"),
            packages={package: packages.text(package) for package in fields.mapping("packages")},
            size_bytes=fields.count("size_bytes"),
        )
    except (OSError, ValueError, InputError):
        return None
    return found if found.python.exists() else None


def python_of(name: str) -> Path | None:
    """The Python that a peer, or tflite-runtime, runs in; None where its environment isn't installed."""
    if name not in ENVIRONMENTS:
        return None
    found = find_installed(name)
    return None if found is None else found.python


def installed_peers() -> tuple[str, ...]:
    """The names of the peers that can be measured now."""
    return tuple(name for name in PEERS if name in ENVIRONMENTS and find_installed(name) is not None)


def requirements_of(name: str) -> str:
    """The text of the environment's file of requirements."""
    return (files("mnbench.peers") / "requirements" / f"{environment_named(name).name}.txt").read_text(encoding="utf-8")


def requirements_digest(name: str) -> str:
    """What tells one file of requirements from another; comments count for nothing."""
    lines = [line.strip() for line in requirements_of(name).splitlines()]
    stated = "\n".join(sorted(line for line in lines if line and not line.startswith("#")))
    return hashlib.sha256(stated.encode()).hexdigest()[:16]
