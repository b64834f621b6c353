"""The examples in the documentation of mnconvert's functions, run beside a trained Keras file; who has to have one."""

import doctest
import shutil
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("tensorflow", reason="needs TensorFlow: make test")

import mnconvert
from support.examples import examples_of, public_functions, run_example

EXAMPLES = examples_of(mnconvert, np=np)


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda test: test.name)
def test_the_example_gives_what_it_says(
    example: doctest.DocTest,
    repository: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    shutil.copy(repository / "models" / "pretrained" / "mobilenet_v1_025_cifar10.h5", tmp_path / "model.h5")
    monkeypatch.chdir(tmp_path)
    assert not run_example(example), capsys.readouterr().out


def test_what_is_public_has_an_example() -> None:
    assert public_functions(mnconvert) <= {test.name.rsplit(".", 1)[-1] for test in EXAMPLES}
