"""Makes environments with venv and pip, and takes them away: whole or not at all, whatever interrupts it."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

from mnbench.last_words import last_words
from mnbench.peers.environments import (
    RECORD_NAME,
    Installed,
    find_installed,
    peers_folder,
    python_in,
    requirements_digest,
    requirements_of,
)
from mnbench.peers.peer import Environment, environment_named, peer_named
from mninfer.errors import InputError, MissingDependencyError, OutputError

__all__ = ["install_environment", "install_peer", "remove_environment", "wanted_environments"]

Watcher = Callable[[str], None]

_PART = ".part"
# What pip says that a person waiting wants to see; the rest is kept for an error.
_TOLD = ("Collecting ", "Downloading ", "Building ", "Installing ")
_MOST_SHOWN = 90
_LAST_LINES = 12

_PACKAGES = """
import json
from importlib.metadata import distributions
print(json.dumps({found.metadata["Name"]: found.version for found in distributions()}))
"""


def install_peer(name: str, watcher: Watcher, *, has_converter: bool = True) -> tuple[Installed, ...]:
    """Install what the peer ``name`` needs; what is there already, and current, is left alone.

    Without ``has_converter`` its runtime alone: for a device that gets its files from another.

    Raises:
        InputError: there is no such peer, or it can't be measured.
        MissingDependencyError: venv or pip is not usable, or pip could not install it: its own words are told.
        OutputError: the folder can't be written.
    """
    return tuple(install_environment(each, watcher) for each in wanted_environments(name, has_converter=has_converter))


def wanted_environments(name: str, *, has_converter: bool = True) -> tuple[str, ...]:
    """What ``install_peer`` would make. Raise InputError: there is no such peer, or it can't be measured."""
    if name == "tflite-runtime":
        return (name,)
    peer = peer_named(name)
    if peer.refusal:
        raise InputError(f"{peer.title} can't be installed: {peer.refusal}")
    return peer.environments if has_converter else peer.environments[:1]


def install_environment(name: str, watcher: Watcher) -> Installed:
    """Make the environment ``name`` unless it is there and current."""
    environment = environment_named(name)
    there = find_installed(name)
    if there is not None and there.is_current:
        watcher(f"{name}: is there already, {_megabytes(there.size_bytes)} in {there.folder}")
        return there
    watcher(f"{name}: about {environment.about_mb:,} MB will be installed in {peers_folder() / name}")
    part = _begin(name)
    try:
        _fill(part, environment, watcher)
        _put_in_place(part, peers_folder() / name)
    except OSError as error:
        raise OutputError(f"the environment can't be made: {error.strerror}", where=str(part)) from error
    finally:
        shutil.rmtree(part, ignore_errors=True)
    done = find_installed(name)
    assert done is not None, name
    watcher(f"{name}: done, {_megabytes(done.size_bytes)} in {done.folder}")
    return done


def remove_environment(name: str) -> int:
    """Take the environment ``name``, and what is left of attempts at it, away; the bytes that this gave back.

    Raises:
        InputError: nothing of that name is there.
        OutputError: something of it can't be removed.
    """
    home = peers_folder()
    there = [home / environment_named(name).name, *_parts(name)]
    there = [folder for folder in there if folder.exists()]
    if not there:
        raise InputError(f'"{name}" is not installed', where=str(home), hints="mnbench peers list shows what is")
    freed = sum(_size_of(folder) for folder in there)
    for folder in there:
        try:
            # Under another name first: what is half removed is no environment either.
            is_part = folder.name.endswith(_PART)
            shutil.rmtree(folder if is_part else folder.rename(home / f"{name}.{os.getpid()}{_PART}"))
        except OSError as error:
            raise OutputError(f"can't be removed: {error.strerror}", where=str(folder)) from error
    return freed


def _begin(name: str) -> Path:
    """The path of a new attempt; those whose process has ended are cleared away."""
    part = peers_folder() / f"{name}.{os.getpid()}{_PART}"
    try:
        part.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"the folder can't be made: {error.strerror}", where=str(part.parent)) from error
    for left in _parts(name):
        if left == part or not _is_running(left):
            shutil.rmtree(left, ignore_errors=True)
    return part


def _parts(name: str) -> list[Path]:
    return sorted(peers_folder().glob(f"{name}.*{_PART}"))


def _is_running(part: Path) -> bool:
    """Whether the process that makes this attempt lives; asked of the system where asking doesn't kill."""
    number = part.name.removesuffix(_PART).rpartition(".")[2]
    if os.name != "posix" or not number.isdecimal():
        return True
    try:
        os.kill(int(number), 0)
    except ProcessLookupError:
        return False
    except (OSError, OverflowError):
        return True  # somebody else's
    return True


def _fill(part: Path, environment: Environment, watcher: Watcher) -> None:
    """An environment with everything in it, proven by an import, and its record."""
    _make_venv(part)
    python = python_in(part)
    stated = part / "requirements.txt"
    stated.write_text(requirements_of(environment.name), encoding="utf-8")
    pip = [str(python), "-m", "pip", "install", "--disable-pip-version-check", "--no-input", "--progress-bar", "off"]
    _run_pip([*pip, *environment.pip_options, "-r", str(stated)], environment, watcher)
    if environment.package is not None:
        _answer(python, f"import {environment.package}", environment)
    record = {
        "schema": 1,
        "requirements": requirements_digest(environment.name),
        "packages": json.loads(_answer(python, _PACKAGES, environment)),
        "size_bytes": _size_of(part),
    }
    (part / RECORD_NAME).write_text(json.dumps(record, indent=1, sort_keys=True), encoding="utf-8")


def _make_venv(part: Path) -> None:
    process = subprocess.run([sys.executable, "-m", "venv", str(part)], capture_output=True, text=True, check=False)
    if process.returncode != 0:
        raise MissingDependencyError(
            f"this Python can't make an environment: {last_words(process.stdout + process.stderr)}",
            where=str(part),
            hints="apt install python3-venv, where Python is the system's",
        )


def _run_pip(command: list[str], environment: Environment, watcher: Watcher) -> None:
    said: list[str] = []
    variables = {**os.environ, "PYTHONNOUSERSITE": "1", "PYTHONUNBUFFERED": "1"}
    variables.pop("PYTHONPATH", None)
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace", env=variables
    ) as process:
        try:
            for line in _lines(process):
                said.append(line)
                if line.lstrip().startswith(_TOLD):
                    watcher(f"{environment.name}: {_shortened(line)}")
            code = process.wait()
        finally:
            process.kill()  # Control-C; one that has ended takes no harm
    if code != 0:
        words = [line for line in said if line.startswith("ERROR")] or said[-_LAST_LINES:]
        raise MissingDependencyError(
            f'"{environment.name}" could not be installed by pip: {" / ".join(words) or f"exit code {code}"}',
            hints=(
                "pip needs a way to its package index, and the packages a wheel for this system and this Python",
                "the same command again: nothing half done is kept",
            ),
        )


def _lines(process: "subprocess.Popen[str]") -> Iterator[str]:
    assert process.stdout is not None
    for line in process.stdout:
        yield line.rstrip()


def _shortened(line: str) -> str:
    """Pip's line without the way that led to a package."""
    text = line.strip().partition(" (from ")[0]
    return text if len(text) <= _MOST_SHOWN else f"{text[:_MOST_SHOWN]}…"


def _answer(python: Path, program: str, environment: Environment) -> str:
    """What ``program`` prints in that Python. Raise MissingDependencyError where it dies: it is no good then."""
    variables = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    done = subprocess.run([str(python), "-c", program], capture_output=True, text=True, check=False, env=variables)
    if done.returncode != 0:
        raise MissingDependencyError(
            f'"{environment.name}" was installed, and can\'t be used: {last_words(done.stderr)}',
            hints="a library of the system may be missing: its name is in the message",
        )
    return done.stdout


def _put_in_place(part: Path, home: Path) -> None:
    """Give the complete environment its name; an older one steps aside first."""
    if home.exists():
        old = home.with_name(f"{home.name}.old.{os.getpid()}{_PART}")  # the number last, as _is_running reads it
        home.rename(old)
        shutil.rmtree(old, ignore_errors=True)
    part.rename(home)


def _size_of(folder: Path) -> int:
    """The bytes that the disk gives to all files in ``folder``: their blocks, where the system tells."""
    total = 0
    for place, _, names in os.walk(folder):
        for name in names:
            try:
                status = os.lstat(os.path.join(place, name))
            except OSError:
                continue  # gone meanwhile
            blocks: int | None = getattr(status, "st_blocks", None)
            total += status.st_size if blocks is None else blocks * 512
    return total


def _megabytes(size_bytes: int) -> str:
    return f"{size_bytes / 1e6:,.0f} MB"
