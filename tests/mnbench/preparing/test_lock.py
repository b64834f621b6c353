"""Two processes and one folder: the second waits, is told so, and finds what the first has made."""

import subprocess
import sys
import threading
from pathlib import Path

import pytest

from mnbench.cell import Variant
from mnbench.preparing import making, prepare
from mnbench.preparing.lock import alone
from mnbench.preparing.request import read_request
from mnbench.preparing.versions import versions_here
from mnbench.preparing.wanted import wanted_of
from support.networks import shapes_float

pytest.importorskip("fcntl")
pytestmark = pytest.mark.smoke

HOLDER = """
import sys
from pathlib import Path
from mnbench.preparing.lock import alone
with alone(Path(sys.argv[1]), "net", print):
    print("held", flush=True)
    sys.stdin.readline()
"""


def test_the_second_waits_and_is_told(tmp_path: Path) -> None:
    told: list[str] = []
    with subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdin is not None
        assert holder.stdout.readline() == "held\n"
        is_in = threading.Event()

        def enter() -> None:
            with alone(tmp_path, "net", told.append):
                is_in.set()

        thread = threading.Thread(target=enter)
        thread.start()
        assert not is_in.wait(0.3)
        holder.stdin.write("\n")
        holder.stdin.flush()
        assert is_in.wait(20)
        thread.join()
    assert told == ["net: waiting for another mnbench that makes it"]


def test_a_holder_that_is_killed_holds_nothing(tmp_path: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        holder.kill()
        holder.wait()
    told: list[str] = []
    with alone(tmp_path, "net", told.append):
        assert told == []


def test_other_models_are_not_waited_for(tmp_path: Path) -> None:
    with alone(tmp_path, "a", print), alone(tmp_path, "b", pytest.fail):
        pass


def test_a_folder_that_can_not_hold_a_lock_has_none(tmp_path: Path) -> None:
    with alone(tmp_path / "absent", "net", pytest.fail):
        pass


def test_what_somebody_else_has_made_meanwhile_is_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "net.tflite"
    path.write_bytes(shapes_float())
    (first,) = prepare([str(path)], folder=tmp_path / "bundles")
    monkeypatch.setattr(making, "_make", pytest.fail)
    wanted = wanted_of(tuple(Variant), (1,))
    assert making.make_bundle(read_request(str(path)), wanted, tmp_path / "bundles", lambda _: None) == first


class TestVersions:
    def test_what_another_version_made_is_made_anew_and_tried_again(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        path = tmp_path / "net.tflite"
        path.write_bytes(shapes_float())
        monkeypatch.setattr(making, "versions_here", lambda: {"mnkit": "0.1", "tensorflow": "2.20"})
        (first,) = prepare([str(path)], folder=tmp_path / "bundles")
        assert first.made_by == {"mnkit": "0.1", "tensorflow": "2.20"}
        told: list[str] = []
        monkeypatch.setattr(making, "versions_here", lambda: {"mnkit": "0.1", "tensorflow": "2.21"})
        (second,) = prepare([str(path)], folder=tmp_path / "bundles", watcher=told.append)
        assert second.made_by["tensorflow"] == "2.21"
        assert any("made anew: it was made by tensorflow 2.20" in line for line in told)

    def test_what_is_not_installed_here_makes_nothing_better(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        path = tmp_path / "net.tflite"
        path.write_bytes(shapes_float())
        monkeypatch.setattr(making, "versions_here", lambda: {"mnkit": "0.1", "tensorflow": "2.20"})
        (first,) = prepare([str(path)], folder=tmp_path / "bundles")
        monkeypatch.setattr(making, "versions_here", lambda: {"mnkit": "0.1"})
        assert prepare([str(path)], folder=tmp_path / "bundles") == (first,)

    def test_a_folder_that_is_named_is_taken_whoever_made_it(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        path = tmp_path / "net.tflite"
        path.write_bytes(shapes_float())
        (first,) = prepare([str(path)], folder=tmp_path / "bundles")
        monkeypatch.setattr(making, "versions_here", lambda: {"mnkit": "9"})
        assert prepare([str(first.folder)]) == (first,)

    def test_they_are_of_what_is_installed(self) -> None:
        assert set(versions_here()) <= {"mnkit", "tensorflow", "keras"}
        assert all(versions_here().values())
