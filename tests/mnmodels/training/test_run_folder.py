"""What a run's folder may hold before a run, and whose it is meanwhile."""

from pathlib import Path

import pytest

from mninfer.errors import OutputError, RecipeError
from mnmodels.training.run_folder import alone_in, clear_runs, is_of_run, refuse_other_run

pytestmark = pytest.mark.smoke


def test_a_run_is_gone_on_with_where_there_is_a_checkpoint(tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match="nothing to resume"):
        refuse_other_run(tmp_path, resume=True, force=True)
    (tmp_path / "best.keras").touch()
    with pytest.raises(OutputError, match="holds a run already") as caught:
        refuse_other_run(tmp_path, resume=False, force=False)
    assert caught.value.hints == ("--force to begin it again", "--folder ANOTHER")  # there is nothing to resume
    (tmp_path / "checkpoint.npz").touch()
    with pytest.raises(OutputError, match="--resume to go on with it"):
        refuse_other_run(tmp_path, resume=False, force=False)
    refuse_other_run(tmp_path, resume=True, force=False)
    refuse_other_run(tmp_path, resume=False, force=True)


def test_two_do_not_train_in_one_folder(tmp_path: Path) -> None:
    pytest.importorskip("fcntl", reason="locks are POSIX's")
    folder = tmp_path / "runs" / "mine"
    with (
        alone_in(folder),
        pytest.raises(OutputError, match="another process trains in this folder"),
        alone_in(folder),
    ):
        pass
    with alone_in(folder):
        assert list(folder.iterdir()) == []
    assert not folder.exists()  # where nothing came of it, as without a network, nothing is left
    with alone_in(folder):
        (folder / "log.csv").touch()
    assert (folder / "log.csv").exists()


def test_what_a_killed_process_was_writing_is_taken_away(tmp_path: Path) -> None:
    pytest.importorskip("fcntl", reason="locks are POSIX's")
    for name in ("checkpoint.npz.1.part", "best.keras.4711.part", "mine.1.part", "checkpoint.npz.part", "best.keras"):
        (tmp_path / name).touch()
    with alone_in(tmp_path):
        assert {path.name for path in tmp_path.iterdir()} == {"mine.1.part", "checkpoint.npz.part", "best.keras"}


def test_only_the_runs_own_files_are_cleared(tmp_path: Path) -> None:
    for name in ("checkpoint.npz", "log.csv", "model.keras", "best.keras", "result.json", "curves.png"):
        (tmp_path / name).touch()
    clear_runs((tmp_path, tmp_path / "none"))
    assert [path.name for path in tmp_path.iterdir()] == ["curves.png"]


def test_a_runs_own_files_are_known_by_any_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    folders = (Path("run"), Path("other"))
    assert is_of_run("run/best.keras", folders)
    assert is_of_run(tmp_path / "run" / ".." / "other" / "model.keras", folders)
    assert not is_of_run("best.keras", folders)
    assert not is_of_run("run/mine.keras", folders)
