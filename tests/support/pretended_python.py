"""Environments whose Python is a small program of ours: it plays venv's interpreter, pip, and converters."""

import json
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from mnbench.peers.environments import RECORD_NAME, peers_folder, python_in, requirements_digest

__all__ = ["PretendedPython", "pretend"]

# What it is told to do lies in the file orders.json beside it; what it was asked for goes to asked.txt in the home.
_PROGRAM = """#!{python} -S
import json, os, shutil, sys
from pathlib import Path
orders = json.loads(Path({orders!r}).read_text())
arguments = sys.argv[1:]
with open({asked!r}, "a") as asked:
    asked.write(json.dumps(arguments) + "\\n")
if arguments[:3] == ["-m", "pip", "install"]:
    print("Collecting pretended==1.0 (from -r requirements.txt (line 1))")
    print("Requirement already satisfied: nothing")
    if orders.get("pip") != "dies":
        print("Installing collected packages: pretended")
        sys.exit(0)
    print("ERROR: No matching distribution found for pretended==1.0")
    sys.exit(1)
if arguments[0] == "-c" and "distributions" in arguments[1]:
    print(json.dumps({{"pretended": "1.0", "MNN": "3.6.1"}}))
elif arguments[0] == "-c" and arguments[1].startswith("import ") and "_tools" not in arguments[1]:
    if orders.get("import") == "dies":
        sys.exit("ImportError: libGL.so.1: cannot open shared object file")
else:
    named = dict(zip(arguments, arguments[1:]))
    source = named.get("--tflite") or named.get("--modelFile")
    target = named.get("--output") or named.get("--MNNModel")
    if orders.get("tool") == "dies":
        print("reading")
        print("this operator is unknown to me")
        sys.exit(3)
    if source and orders.get("tool") != "lies":
        Path(target).write_bytes(b"made of " + Path(source).read_bytes()[:8])
"""


class PretendedPython:
    """The orders to every pretended Python of a test, and what they were asked."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.order()

    def order(self, **orders: str) -> None:
        (self._folder / "orders.json").write_text(json.dumps(orders))

    def asked(self) -> list[list[str]]:
        path = self._folder / "asked.txt"
        return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []

    def make(self, folder: Path) -> None:
        """What ``python -m venv`` would."""
        python = python_in(folder)
        python.parent.mkdir(parents=True)
        text = _PROGRAM.format(
            python=sys.executable,
            orders=str(self._folder / "orders.json"),
            asked=str(self._folder / "asked.txt"),
        )
        python.write_text(text)
        python.chmod(0o755)

    def install(self, name: str, packages: Mapping[str, str]) -> Path:
        """An environment that is there."""
        folder = peers_folder() / name
        self.make(folder)
        record = {
            "schema": 1,
            "requirements": requirements_digest(name),
            "packages": dict(packages),
            "size_bytes": 1_000_000,
        }
        (folder / RECORD_NAME).write_text(json.dumps(record))
        return folder


def pretend(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> PretendedPython:
    """An empty folder for environments, and Pythons in them that pretend."""
    home = tmp_path / "peers"
    monkeypatch.setenv("MNBENCH_PEERS", str(home))
    pretended = PretendedPython(tmp_path)
    monkeypatch.setattr("mnbench.peers.installing._make_venv", pretended.make)
    return pretended
