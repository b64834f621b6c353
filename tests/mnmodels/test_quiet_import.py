"""Modules that say what TensorFlow says, imported where it can be seen what reaches stderr."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from support.commands import environment_for

pytestmark = pytest.mark.smoke

TALK = r"""
import os, sys
os.write(2, b"WARNING: All log messages before absl::InitializeLog() is called are written to STDERR\n")
os.write(2, b"I0000 00:00:1795258007.444028    8966 port.cc:153] oneDNN custom operations are on.\n")
os.write(2, b"To enable the following instructions: AVX2, rebuild TensorFlow.\n")
os.write(2, b"E0000 00:00:1795258007.444398    8966 something.cc:31] a real trouble\n")
print("and from Python", file=sys.stderr)
"""
HEARD = "E0000 00:00:1795258007.444398    8966 something.cc:31] a real trouble\nand from Python\n"


def import_in_a_child(folder: Path, module: str, *, before: str = "") -> "subprocess.CompletedProcess[str]":
    (folder / "talker.py").write_text(module, encoding="utf-8")
    code = f"from mnmodels.quiet_import import import_quietly; {before}print(import_quietly('math', 'talker').__name__)"
    environment = environment_for(PYTHONSAFEPATH="1", PYTHONFAULTHANDLER=os.environ.get("PYTHONFAULTHANDLER", ""))
    return subprocess.run(
        [sys.executable, "-c", code],
        env={**environment, "PYTHONPATH": os.pathsep.join((environment["PYTHONPATH"], str(folder)))},
        capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip


def test_announcements_are_held_back_and_nothing_else(tmp_path: Path) -> None:
    done = import_in_a_child(tmp_path, TALK + "\ndef later():\n    os.write(2, b'I0000 later\\n')\n")
    assert (done.returncode, done.stdout, done.stderr) == (0, "talker\n", HEARD)


def test_stderr_is_whole_again_afterwards(tmp_path: Path) -> None:
    done = import_in_a_child(
        tmp_path, TALK, before="import atexit, os; atexit.register(os.write, 2, b'I0000 later\\n'); "
    )
    assert done.stderr == HEARD + "I0000 later\n"


def test_a_failing_import_fails_with_what_it_said(tmp_path: Path) -> None:
    done = import_in_a_child(tmp_path, TALK + "raise ImportError('libtensorflow.so: no such file')\n")
    assert done.returncode == 1
    assert done.stderr.startswith(HEARD)
    assert done.stderr.endswith("ImportError: libtensorflow.so: no such file\n")


@pytest.mark.parametrize("asked", ["", "1"])
def test_an_import_that_ends_the_process_says_where(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, asked: str
) -> None:
    monkeypatch.setenv("PYTHONFAULTHANDLER", asked)
    done = import_in_a_child(tmp_path, TALK + "os.abort()\n")
    assert done.returncode < 0
    assert "Fatal Python error: Aborted" in done.stderr
    assert "talker.py" in done.stderr


def test_no_folder_that_can_be_written_to_is_needed(tmp_path: Path) -> None:
    if not hasattr(os, "memfd_create"):
        pytest.skip("no files in memory on this system")
    nowhere = "import tempfile; tempfile._candidate_tempdir_list = lambda: ['/nonexistent']; "
    done = import_in_a_child(tmp_path, TALK, before=nowhere)
    assert (done.returncode, done.stderr) == (0, HEARD)


def test_a_closed_stderr_is_no_trouble(tmp_path: Path) -> None:
    done = import_in_a_child(tmp_path, "x = 1", before="import sys; sys.stderr = None; ")
    assert (done.returncode, done.stdout) == (0, "talker\n")
