"""The base install, and nothing but it: what it takes, what it brings."""

import json
import os
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
LIMIT_BYTES = 300e6
BROUGHT_BY_LITERT = {"backports.strenum", "protobuf", "tqdm", "typing_extensions"}
OURS = {"ai-edge-litert", "click", "flatbuffers", "ml_dtypes", "mnkit", "numpy", "opencv-python-headless", "simplejpeg"}

LIST = "import importlib.metadata as m, json; print(json.dumps([d.metadata['Name'] for d in m.distributions()]))"


def ask(python: str, *arguments: str) -> str:
    return subprocess.run([python, *arguments], capture_output=True, text=True, check=True, timeout=60).stdout


@pytest.fixture(scope="module")
def base_python() -> str:
    if not (path := os.environ.get("MNKIT_BASE_PYTHON")):
        pytest.skip("needs the base install: make test makes one (MNKIT_BASE_PYTHON)")
    return path


def test_it_stays_under_its_limit_on_disk(base_python: str) -> None:
    measured = json.loads(ask(base_python, str(ROOT / "tools" / "measure_install.py"), "--json"))
    assert measured["total_bytes"] <= LIMIT_BYTES
    assert measured["total_bytes"] > sum(measured["bytes"].get(name, 0) for name in ("cv2", "numpy", "ai_edge_litert"))


def test_it_brings_the_runtime_alone(base_python: str) -> None:
    assert set(json.loads(ask(base_python, "-c", LIST))) == OURS | BROUGHT_BY_LITERT


def test_its_command_starts(base_python: str) -> None:
    assert "classify" in ask(str(Path(base_python).with_name("mninfer")), "--help")
