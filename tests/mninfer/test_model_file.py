"""The public face of the package: every name is there, is not hidden by a module, and costs nothing until used."""

import importlib
import inspect
import subprocess
import sys
from pathlib import Path

import pytest

from mninfer import model_file

pytestmark = pytest.mark.smoke


def test_each_name_is_there_once_every_module_is_imported() -> None:
    """A module of the same name would take the place of a function."""
    for path in Path(model_file.__file__).parent.glob("*.py"):
        importlib.import_module(f"mninfer.model_file.{path.stem}")
    hidden = [name for name in model_file.__all__ if inspect.ismodule(getattr(model_file, name))]
    assert not hidden
    assert set(model_file.__all__) <= set(dir(model_file))


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match=r"'mninfer\.model_file' has no attribute 'decode_modle'"):
        _ = model_file.decode_modle


def test_importing_the_package_imports_no_other_of_ours_and_nothing_heavy() -> None:
    code = "import sys, mninfer.model_file; print(*sorted(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    names = done.stdout.split()
    ours = [name for name in names if name.startswith("mninfer")]
    assert ours == ["mninfer", "mninfer.lazy_names", "mninfer.model_file"]
    assert not {"numpy", "dataclasses", "typing", "json"} & set(names)
