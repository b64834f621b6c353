"""The examples in the documentation of mnmodels' functions, run; and who has to have one."""

import doctest
import importlib
import inspect
import pkgutil
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

pytest.importorskip("keras", reason="needs Keras: make test")

import keras

import mnmodels

# Public faces: what is taken from them by name has an example, unless it is a record, a protocol or an enum.
FACES = ("mnmodels",)


def modules() -> Iterator[ModuleType]:
    for found in pkgutil.walk_packages(mnmodels.__path__, "mnmodels."):
        if not found.name.endswith(("__main__", "hdf5_process")):
            yield importlib.import_module(found.name)


EXAMPLES = [
    test
    for module in modules()
    for test in doctest.DocTestFinder(exclude_empty=True).find(
        module, extraglobs={"mnmodels": mnmodels, "keras": keras, "np": np}
    )
    if test.examples
]


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda test: test.name)
def test_the_example_gives_what_it_says(
    example: doctest.DocTest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    runner = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE)
    runner.run(example)
    assert not runner.failures, capsys.readouterr().out


@pytest.mark.parametrize("face", FACES)
def test_what_is_public_has_an_example(face: str) -> None:
    named = {test.name.rsplit(".", 1)[-1] for test in EXAMPLES}
    module = sys.modules[face]
    functions = {name for name in module.__all__ if inspect.isfunction(getattr(module, name))}
    assert functions <= named
