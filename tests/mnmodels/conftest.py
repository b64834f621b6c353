"""Keras for the tests of mnmodels, and the command itself in this process.

A module that needs Keras begins with ``pytest.importorskip("keras", reason="needs Keras: make test")``, before it
imports a module of ours that imports Keras. Where make test promises Keras, its absence is an error and no skip.
"""

import os
import warnings
from importlib.util import find_spec

import pytest

from mnmodels.backend import start_keras
from mnmodels.cli.main import main
from support.commands import Cli, in_this_process

# Once, before any test: importing TensorFlow and Keras warns of deprecated names in their code, theirs to mend.
if find_spec("keras") or os.environ.get("MNKIT_ENVIRONMENT") == "keras":
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        start_keras()


@pytest.fixture
def cli(capfd: pytest.CaptureFixture[str]) -> Cli:
    """``cli("summary", "mobilenet_v1")`` -> exit code, stdout, stderr."""
    return in_this_process(main, capfd)
