"""Pictures in every bad state, in one process whose memory is watched: a picture or a clear InputError."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from mninfer.errors import InputError
from mninfer.images import load_image
from support.hostile_pictures import all_kinds

KINDS = all_kinds()
GIBIBYTE = 1 << 30


@pytest.fixture(scope="module")
def report() -> dict:
    """What became of each kind, and the process's peak memory; a killed process fails here."""
    tests = Path(__file__).resolve().parent.parent
    paths = [str(tests), *(path for path in sys.path if path)]
    code = f"import sys; sys.path[:0] = {paths!r}; from support.hostile_pictures import main; main()"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, timeout=300, check=True)
    return json.loads(run.stdout)


def test_there_are_many_kinds() -> None:
    assert len({kind.name for kind in KINDS}) == len(KINDS)
    assert len(KINDS) > 150


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_a_picture_or_a_clear_error(kind, report) -> None:
    outcome = report["outcomes"][kind.name]
    if kind.expected is None:
        assert "shape" in outcome, outcome
        width, height = outcome["size"]
        assert outcome["shape"] == [height, width, 3]
    else:
        assert outcome.get("error") == "InputError", outcome
        assert kind.expected in outcome["text"].splitlines()[0]
        assert "where: " in outcome["text"]


def test_memory_stays_below_a_gibibyte(report) -> None:
    assert report["peak_bytes"] < GIBIBYTE


def test_every_error_says_what_to_try(report) -> None:
    errors = [outcome for outcome in report["outcomes"].values() if "error" in outcome]
    assert [outcome["text"] for outcome in errors if not outcome["hints"]] == []


@pytest.mark.parametrize("suffix", [".jpg", ".png", ".bmp", ".webp", ".tiff"])
def test_every_truncation_is_an_error(suffix) -> None:
    from support.hostile_pictures import encoded

    data = encoded(suffix)
    for length in [*range(200), *range(200, len(data) - 2, 97), len(data) - 1]:
        with pytest.raises(InputError):
            load_image(data[:length])


@pytest.mark.parametrize("suffix", [".jpg", ".png", ".bmp", ".webp", ".tiff"])
def test_random_damage_never_escapes_the_error_family(suffix) -> None:
    import numpy as np

    from support.hostile_pictures import encoded

    rng, data = np.random.default_rng(7), encoded(suffix)
    for _ in range(300):
        damaged = bytearray(data)
        for _ in range(int(rng.integers(1, 4))):
            damaged[int(rng.integers(len(data) if rng.integers(2) else min(200, len(data))))] = int(rng.integers(256))
        try:
            loaded = load_image(bytes(damaged), max_pixels=4_000_000)
        except InputError:
            continue
        assert loaded.pixels.dtype == np.uint8
        assert loaded.pixels.shape[2] == 3
