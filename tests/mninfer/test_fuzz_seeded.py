"""A seeded part of ``make fuzz``: no damaged model gets past the check and kills the engine that is installed here."""

import importlib.util
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from support import networks
from support.fuzz_runner import run_mutants
from support.model_mutants import KINDS, mutant

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="limits memory through /proc and setrlimit")

ENGINES = {"litert": "ai_edge_litert", "tflite-runtime": "tflite_runtime"}
BASES: dict[str, Callable[[], bytes]] = {
    "shapes_float": networks.shapes_float,
    "shapes_int8": networks.shapes_int8,
    "colour_segmenter": networks.colour_segmenter,
    "red_detector": networks.red_detector,
}
ROUNDS = 5  # of every kind of damage


@pytest.mark.parametrize("name", BASES)
def test_damaged_models_end_in_an_error_or_a_result(name: str, tmp_path: Path) -> None:
    engine = next((engine for engine, module in ENGINES.items() if importlib.util.find_spec(module)), None)
    if engine is None:
        pytest.skip("no engine is installed")
    base = tmp_path / f"{name}.tflite"
    base.write_bytes(BASES[name]())
    outcome = run_mutants(sys.executable, engine, base, seed="make test", count=ROUNDS * len(KINDS))
    assert outcome.trouble == []
    assert set(outcome.by_kind) == {kind for kind, _ in KINDS}
    assert outcome.totals["refused"] > outcome.totals["ran"] > 0


def test_the_same_seed_gives_the_same_damage() -> None:
    data = networks.colour_segmenter()
    for index in range(len(KINDS)):
        damaged, kind = mutant(data, "a", index)
        assert (damaged, kind) == mutant(data, "a", index)
        assert damaged != data
