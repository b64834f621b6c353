"""Engines that are installed are tried; what a file promises decides whether a refusal counts."""

from types import SimpleNamespace

import numpy as np
import pytest

from mnconvert.verification import runtimes, try_runtimes
from mninfer.errors import EngineError, MissingDependencyError
from support.networks import SHAPES_SIZE, shapes_float

pytestmark = pytest.mark.smoke

PICTURE = np.zeros((1, *SHAPES_SIZE, 3), np.float32)


def only_old(monkeypatch, result, version="2.14.0"):
    """As if tflite-runtime alone were installed, giving or raising ``result``."""

    def open_engine(_data, *, engine, threads):
        assert (engine, threads) == ("tflite-runtime", 1)
        if isinstance(result, Exception):
            raise result
        return SimpleNamespace(name=engine, version=version, run=lambda _arrays: [result], close=lambda: None)

    monkeypatch.setattr(runtimes, "find_spec", lambda package: package == "tflite_runtime" or None)
    monkeypatch.setattr(runtimes, "open_engine", open_engine)
    monkeypatch.setattr(runtimes, "installed_version", lambda _name: version)


def test_installed_engines_run_the_file():
    trials = try_runtimes(shapes_float(), [PICTURE], oldest="1.14.0")
    assert trials, "the base install has an engine"
    assert all(trial.has_run is not False for trial in trials)
    assert trials[0].version


def test_an_engine_may_be_left_out():
    names = [trial.engine for trial in try_runtimes(shapes_float(), [PICTURE], oldest=None)]
    assert try_runtimes(shapes_float(), [PICTURE], oldest=None, skip=names) == ()


def test_a_refusal_breaks_the_promise(monkeypatch):
    only_old(monkeypatch, EngineError("tflite-runtime 2.14.0 refused the model: FULLY_CONNECTED version 12"))
    (trial,) = try_runtimes(b"", [], oldest="2.3.0")
    assert (trial.has_run, str(trial)) == (False, "tflite-runtime 2.14.0")
    assert "version 12" in trial.note


@pytest.mark.parametrize("oldest", ["2.17.0", None])
def test_nothing_was_promised_to_an_older_runtime(monkeypatch, oldest):
    only_old(monkeypatch, EngineError("refused"))
    (trial,) = try_runtimes(b"", [], oldest=oldest)
    assert trial.has_run is None
    assert "refused" in trial.note


def test_an_engine_that_cannot_start_is_not_tried(monkeypatch):
    only_old(monkeypatch, MissingDependencyError("tflite-runtime 2.14.0 needs numpy 1"))
    (trial,) = try_runtimes(b"", [], oldest="2.3.0")
    assert (trial.has_run, trial.note, trial.version) == (None, "tflite-runtime 2.14.0 needs numpy 1", None)


def test_what_is_not_finite_has_not_run(monkeypatch):
    only_old(monkeypatch, np.array([np.nan], np.float32))
    (trial,) = try_runtimes(b"", [], oldest="2.3.0")
    assert (trial.has_run, trial.note) == (False, "it gives values that are not finite")
    assert trial.to_json()["engine"] == "tflite-runtime"
