"""The installed version, asked of the package's metadata."""

from importlib.metadata import PackageNotFoundError

import pytest

import mninfer
from mninfer.version import installed_version

pytestmark = pytest.mark.smoke


def test_an_installed_package_has_one() -> None:
    assert installed_version("numpy")
    assert installed_version("no-such-package-anywhere") is None


def test_mninfer_tells_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    assert mninfer.__version__ == (installed_version() or "0+unknown")
    monkeypatch.delitem(vars(mninfer), "__version__")
    monkeypatch.setattr("importlib.metadata.version", lambda _name: "1.2.3")
    assert mninfer.__version__ == "1.2.3"


def test_a_source_tree_has_none(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str) -> str:
        raise PackageNotFoundError(name)

    monkeypatch.setattr("importlib.metadata.version", missing)
    monkeypatch.delitem(vars(mninfer), "__version__", raising=False)
    assert installed_version() is None
    assert mninfer.__version__ == "0+unknown"
    monkeypatch.delitem(vars(mninfer), "__version__")
