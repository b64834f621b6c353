"""The cache folder: XDG's word where it counts, else the home's, else a temporary one."""

from pathlib import Path

import pytest

from mnbench.cache import cache_folder

pytestmark = pytest.mark.smoke


def test_xdgs_word_counts(tmp_path: Path) -> None:
    assert cache_folder({"XDG_CACHE_HOME": str(tmp_path)}) == tmp_path / "mnkit" / "mnbench"


def test_a_relative_one_does_not(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    assert cache_folder({"XDG_CACHE_HOME": "here"}) == tmp_path / ".cache" / "mnkit" / "mnbench"


def test_without_a_home_it_is_a_temporary_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path / "absent"))
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "t"))
    assert cache_folder({}).is_relative_to(tmp_path / "t")
