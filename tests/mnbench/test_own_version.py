"""Which mnkit measured: a wheel says its version, a checkout what its source is."""

import re
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path
from types import SimpleNamespace

import pytest

from mnbench import own_version as own
from mnbench.kit import home_of, make_kit
from mnbench.machine.likeness import changed_packages
from mnbench.own_version import is_same_version, own_version, source_digest

pytestmark = pytest.mark.smoke

SOURCE = re.compile(r"0\+source\.[0-9a-f]{12}")


@pytest.fixture(autouse=True)
def _asked_anew() -> Iterator[None]:
    own_version.cache_clear()
    yield
    own_version.cache_clear()


def installed(monkeypatch: pytest.MonkeyPatch, folder: Path, version: str = "1.2.3") -> None:
    """As if pip had put mnkit into ``folder``."""
    found = SimpleNamespace(version=version, locate_file=lambda name: folder / name)
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


def test_a_wheel_between_releases_says_what_its_source_is(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Of every commit it is called the same."""
    kit = make_kit(tmp_path)
    monkeypatch.setattr(own, "home_of", lambda name: kit / name)
    installed(monkeypatch, kit, "0.1.0.dev0")
    assert own_version() == f"0.1.0.dev0+source.{source_digest([kit / name for name in ('mnbench', 'mninfer')])}"


@pytest.mark.parametrize(
    ("before", "after", "is_same"),
    [
        ("0.1.0.dev0+source.aa", "0.1.0.dev0+source.aa", True),
        ("0.1.0.dev0+source.aa", "0.1.0.dev0+source.bb", False),
        ("0.1.0.dev0+source.aa", "0+source.aa", True),  # a wheel, and what it sends to another device
        ("0.1.0.dev0", "0.1.0.dev0+source.aa", True),  # a result from when wheels told no digest
        ("0.1.0", "0.1.0.dev0+source.aa", False),
        ("0.1.0", "0+source.aa", False),
        ("2.1.0", "2.1.0+cpu", False),
    ],
)
def test_versions_are_compared_by_their_source_where_both_tell_it(before: str, after: str, is_same: bool) -> None:
    for old, new in ((before, after), (after, before)):
        assert is_same_version(old, new) is is_same
        told = changed_packages({"packages": {"mnkit": old}}, {"packages": {"mnkit": new}})
        assert told == (() if is_same else (f"mnkit {old} -> {new}",))


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
