"""Which mnkit measured: a wheel says its version, a checkout what its source is."""

import re
from importlib import metadata
from pathlib import Path
from types import SimpleNamespace

import pytest

from mnbench import own_version as own
from mnbench.kit import home_of, make_kit
from mnbench.own_version import own_version, source_digest

pytestmark = pytest.mark.smoke

SOURCE = re.compile(r"0\+source\.[0-9a-f]{12}")


@pytest.fixture(autouse=True)
def _asked_anew() -> None:
    own_version.cache_clear()


def installed(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    """As if pip had put mnkit 1.2.3 into ``folder``."""
    found = SimpleNamespace(version="1.2.3", locate_file=lambda name: folder / name)
    monkeypatch.setattr(metadata, "distribution", lambda _: found)


def not_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str) -> None:
        raise metadata.PackageNotFoundError(name)

    monkeypatch.setattr(metadata, "distribution", missing)


def test_a_checkout_says_what_its_source_is(monkeypatch: pytest.MonkeyPatch) -> None:
    not_installed(monkeypatch)
    assert SOURCE.fullmatch(own_version())


def test_a_checkout_beside_an_installed_mnkit_is_not_that_one(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Nor is an editable installation, whose number stays while its files change."""
    installed(monkeypatch, tmp_path)
    assert SOURCE.fullmatch(own_version())


def test_a_wheel_says_its_version(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    kit = make_kit(tmp_path)
    monkeypatch.setattr(own, "home_of", lambda name: kit / name)
    installed(monkeypatch, kit)
    assert own_version() == "1.2.3"


def test_another_device_s_copy_has_the_same_digest_and_a_changed_file_another(tmp_path: Path) -> None:
    kit = make_kit(tmp_path / "kit")
    homes = [kit / "mnbench", kit / "mninfer"]
    here = [home for name in ("mninfer", "mnbench") if (home := home_of(name)) is not None]
    before = source_digest(homes)
    assert before == source_digest(here)
    (kit / "mnbench" / "notes.txt").write_text("no source")
    assert source_digest(homes) == before
    (kit / "mnbench" / "cell.py").rename(kit / "mnbench" / "cells.py")
    assert source_digest(homes) != before
