"""A seeded part of tools/fuzz_keras_files.py; the full run is a result file."""

import random

import pytest

pytest.importorskip("keras", reason="needs Keras: make test")

import fuzz_keras_files as fuzz


@pytest.mark.slow
def test_hostile_files_are_refused_or_load_harmlessly():
    cases = random.Random(3).sample(fuzz.hostile_files(), 60)
    outcomes = [(case.kind, case.name, verdict, detail) for case, verdict, detail in fuzz.run(cases)]
    assert not [outcome for outcome in outcomes if outcome[2] in fuzz.FATAL]
    assert {verdict for _, _, verdict, _ in outcomes} == {"refused", "loaded"}
