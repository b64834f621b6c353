"""What every test may ask for: the folder of other people's files, and the repository itself.

``make test`` says which environment it runs in (MNKIT_ENVIRONMENT); by hand, ``python -m pytest`` tests the checkout.
"""

import os
import signal
import sys
from pathlib import Path

import pytest
from hypothesis import settings

ROOT = Path(__file__).resolve().parent.parent
SHARED = Path(os.environ.get("MNKIT_SHARED") or ROOT.parent / "shared")
ENVIRONMENT = os.environ.get("MNKIT_ENVIRONMENT", "checkout")
if ENVIRONMENT == "checkout":
    # mnmodels and mnbench; a wheel's tests find the installed ones
    sys.path[:0] = [str(ROOT / "models"), str(ROOT / "benchmarks")]


# The same examples each time, however slow the machine: what finds new ones is make fuzz.
settings.register_profile("seeded", derandomize=True, deadline=None, database=None)
settings.load_profile("seeded")

# Started in the background, this process ignores Control-C, and its children would: the tests that send it need it.
signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session")
def repository() -> Path:
    """The checkout that these tests lie in."""
    return ROOT


@pytest.fixture(scope="session")
def environment() -> str:
    """``wheel``, ``tflite_runtime``, ``keras``: make test; ``armhf``, ``arm64``: make test-arm; else ``checkout``."""
    return ENVIRONMENT


@pytest.fixture(scope="session")
def shared() -> Path:
    """Models and pictures made by others: not ours to ship, so the tests that look at them skip without."""
    if not (SHARED / "models").is_dir():
        pytest.skip("the folder of other people's models and pictures is absent (MNKIT_SHARED says where it is)")
    return SHARED


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """One line per environment for the end of ``make test``, where the skips are easily scrolled past."""
    if path := os.environ.get("MNKIT_SUMMARY"):
        names = ("passed", "failed", "error", "skipped", "xfailed")
        counts = ", ".join(f"{len(terminalreporter.stats.get(name, ()))} {name}" for name in names)
        Path(path).write_text(f"{ENVIRONMENT}: {counts}\n", encoding="utf-8")
