"""The examples in the documentation of mnmodels' functions, run; and who has to have one."""

import doctest
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("keras", reason="needs Keras: make test")

import keras

import mnmodels
from support.examples import examples_of, public_functions, run_example

EXAMPLES = examples_of(mnmodels, keras=keras, np=np)


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda test: test.name)
def test_the_example_gives_what_it_says(
    example: doctest.DocTest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert not run_example(example), capsys.readouterr().out


def test_what_is_public_has_an_example() -> None:
    assert public_functions(mnmodels) <= {test.name.rsplit(".", 1)[-1] for test in EXAMPLES}
