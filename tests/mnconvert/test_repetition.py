"""The same source and the same request give the same bytes: again in this process, and in others.

Another process draws another hash seed, and its threads come to their sums in other orders.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("tensorflow", reason="needs TensorFlow: make test")

from support.commands import environment_for
from support.repetition import CONFIGS, digests

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def network(repository: Path) -> Path:
    """The one that is shipped."""
    return repository / "models" / "pretrained" / "mobilenet_v1_025_cifar10.h5"


@pytest.fixture(scope="module")
def first(network: Path) -> dict[str, str]:
    return digests(network)


def test_variants_are_different_files(first):
    assert len(set(first.values())) == len(CONFIGS)


def test_again_in_this_process(first, network):
    assert digests(network) == first


def test_in_another_process(first, network):
    environment = environment_for(PYTHONHASHSEED="1")
    tests = str(Path(__file__).resolve().parent.parent)
    environment["PYTHONPATH"] = os.pathsep.join((environment["PYTHONPATH"], tests))
    done = subprocess.run(
        [sys.executable, "-m", "support.repetition", str(network)],
        env=environment, capture_output=True, text=True, timeout=600, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-2000:]
    assert json.loads(done.stdout.splitlines()[-1]) == first
