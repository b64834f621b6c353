"""What every test may ask for: the folder of other people's files, and the repository itself."""

import os
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
SHARED = Path(os.environ.get("MNKIT_SHARED") or ROOT.parent / "shared")


@pytest.fixture(scope="session")
def repository() -> Path:
    """The checkout that these tests lie in."""
    return ROOT


@pytest.fixture(scope="session")
def shared() -> Path:
    """Models and pictures made by others: not ours to ship, so the tests that look at them skip without."""
    if not (SHARED / "models").is_dir():
        pytest.skip(
            f"no folder of other people's models and pictures (MNKIT_SHARED, else {SHARED.name}/ beside the checkout)"
        )
    return SHARED
