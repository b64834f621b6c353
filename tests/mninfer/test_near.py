from pathlib import Path

import pytest

from mninfer.near import near_files, near_names

pytestmark = pytest.mark.smoke


def test_the_most_alike_comes_first() -> None:
    assert near_names("litrt", ["tensorflow", "litert", "litert-gpu"], most=2) == ["litert", "litert-gpu"]
    assert near_names("zzz", ["tensorflow", "litert"]) == []


def test_files_beside_the_one_that_is_not_there(tmp_path: Path) -> None:
    (tmp_path / "photo1.jpg").touch()
    assert near_files(str(tmp_path / "photo1.jp")) == [str(tmp_path / "photo1.jpg")]
    assert near_files(str(tmp_path / "none" / "photo1.jpg")) == []
