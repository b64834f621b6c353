"""Names of a package that are imported when they are first used."""

import subprocess
import sys
from types import ModuleType

import pytest

from mninfer.lazy_names import lazy_names

pytestmark = pytest.mark.smoke


@pytest.fixture
def package(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    made = ModuleType("lazy_package")
    monkeypatch.setitem(sys.modules, made.__name__, made)
    made.__dict__["__getattr__"], made.__dict__["__dir__"] = lazy_names(made.__name__, {"fractions": ("Fraction",)})
    return made


def test_a_name_is_taken_from_its_module_once(package: ModuleType) -> None:
    from fractions import Fraction

    assert "Fraction" not in vars(package)
    assert package.Fraction is Fraction
    assert vars(package)["Fraction"] is Fraction


def test_names_not_yet_used_are_listed(package: ModuleType) -> None:
    assert "Fraction" in dir(package)


def test_others_are_missing_as_in_any_module(package: ModuleType) -> None:
    with pytest.raises(AttributeError, match="module 'lazy_package' has no attribute 'Fractoin'"):
        package.Fractoin


@pytest.mark.parametrize("name", ["mninfer.model_file", "mninfer.model_file.golden"])
def test_a_package_brings_none_of_what_it_names(name: str) -> None:
    script = (
        f"import sys, {name}; print('mninfer.model_file.golden.make' in sys.modules, 'ai_edge_litert' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.split() == ["False", "False"]


@pytest.mark.parametrize("name", ["draw.draw", "images.image_paths"])
def test_the_modules_of_the_runtime_that_are_named_are_there_without_importing_them(name: str) -> None:
    done = subprocess.run([sys.executable, "-c", f"import mninfer; mninfer.{name}"], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
