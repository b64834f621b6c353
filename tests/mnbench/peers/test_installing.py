"""Environments are there whole or not at all: whatever pip says, whoever interrupts, and whatever an attempt left."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from mnbench.peers import install_peer, installed_peers, peers_folder, python_of, remove_environment
from mnbench.peers.environments import RECORD_NAME, find_installed
from mnbench.peers.installing import install_environment
from mninfer.errors import InputError, MissingDependencyError, OutputError
from support.pretended_python import PretendedPython

pytestmark = [
    pytest.mark.smoke,
    pytest.mark.skipif(os.name != "posix", reason="the pretended Python is a script with a first line for it"),
]


def pip_calls(pretended: PretendedPython) -> int:
    return sum(arguments[:3] == ["-m", "pip", "install"] for arguments in pretended.asked())


def names_in(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir()) if folder.exists() else []


def test_install_makes_a_whole_environment_and_tells_how(pretended: PretendedPython) -> None:
    told: list[str] = []
    (done,) = install_peer("mnn", told.append)
    assert done.packages == {"pretended": "1.0", "MNN": "3.6.1"}
    assert done.version == "3.6.1"
    assert done.size_bytes > 0
    assert python_of("mnn") == done.python == peers_folder() / "mnn" / "bin" / "python"
    assert installed_peers() == ("mnn",)
    assert names_in(peers_folder()) == ["mnn"]
    assert told[0].startswith("mnn: about 160 MB will be installed in ")
    assert "mnn: Collecting pretended==1.0" in told
    assert not any("Requirement already" in line for line in told)
    assert told[-1].startswith("mnn: done, ")


def test_what_is_there_is_left_alone(pretended: PretendedPython) -> None:
    install_peer("mnn", lambda _: None)
    told: list[str] = []
    install_peer("mnn", told.append)
    assert pip_calls(pretended) == 1
    assert [line.partition(",")[0] for line in told] == ["mnn: is there already"]


def test_a_peer_brings_its_converters_unless_it_shall_not(pretended: PretendedPython) -> None:
    assert [each.name for each in install_peer("ncnn", lambda _: None)] == ["ncnn", "tf2onnx", "pnnx"]
    assert [each.name for each in install_peer("opencv", lambda _: None, has_converter=False)] == ["opencv"]
    (pnnx,) = (call for call in pretended.asked() if "--no-deps" in call)
    assert any("pnnx" in argument for argument in pnnx)


def test_other_requirements_renew_it(pretended: PretendedPython, monkeypatch: pytest.MonkeyPatch) -> None:
    install_environment("mnn", lambda _: None)
    (peers_folder() / "mnn" / "old").write_text("")
    monkeypatch.setattr("mnbench.peers.environments.requirements_of", lambda _: "mnn==9")
    there = find_installed("mnn")
    assert there is not None
    assert not there.is_current
    assert install_environment("mnn", lambda _: None).is_current
    assert not (peers_folder() / "mnn" / "old").exists()
    assert names_in(peers_folder()) == ["mnn"]


def test_pips_words_are_told_and_nothing_is_left(pretended: PretendedPython) -> None:
    pretended.order(pip="dies")
    with pytest.raises(MissingDependencyError, match="could not be installed by pip: ERROR: No matching") as error:
        install_peer("mnn", lambda _: None)
    assert any("nothing half done is kept" in hint for hint in error.value.hints)
    assert names_in(peers_folder()) == []
    assert installed_peers() == ()


def test_a_package_that_can_not_be_imported_is_not_installed(pretended: PretendedPython) -> None:
    pretended.order(**{"import": "dies"})
    with pytest.raises(MissingDependencyError, match=r"can't be used: ImportError: libGL\.so\.1"):
        install_peer("opencv", lambda _: None)
    assert names_in(peers_folder()) == []


def test_an_older_one_stays_until_the_new_one_is_done(
    pretended: PretendedPython, monkeypatch: pytest.MonkeyPatch
) -> None:
    install_environment("mnn", lambda _: None)
    monkeypatch.setattr("mnbench.peers.environments.requirements_of", lambda _: "mnn==9")
    pretended.order(pip="dies")
    with pytest.raises(MissingDependencyError):
        install_environment("mnn", lambda _: None)
    assert python_of("mnn") is not None


def test_control_c_leaves_nothing(pretended: PretendedPython) -> None:
    def interrupt(line: str) -> None:
        if "Collecting" in line:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        install_peer("mnn", interrupt)
    assert names_in(peers_folder()) == []
    assert python_of("mnn") is None


def test_what_a_killed_renewal_left_of_the_old_one_is_cleared_away(
    pretended: PretendedPython, monkeypatch: pytest.MonkeyPatch
) -> None:
    install_environment("mnn", lambda _: None)
    monkeypatch.setattr("mnbench.peers.environments.requirements_of", lambda _: "mnn==9")
    with subprocess.Popen([sys.executable, "-S", "-c", ""]) as ended:
        ended.wait()
    with monkeypatch.context() as killed:  # between its two renamings
        killed.setattr(os, "getpid", lambda: ended.pid)
        killed.setattr(shutil, "rmtree", lambda *_, **__: None)
        install_environment("mnn", lambda _: None)
    assert len(names_in(peers_folder())) == 2
    monkeypatch.setattr("mnbench.peers.environments.requirements_of", lambda _: "mnn==10")
    install_environment("mnn", lambda _: None)
    assert names_in(peers_folder()) == ["mnn"]


def test_what_a_killed_attempt_left_is_cleared_away_and_a_living_ones_not(pretended: PretendedPython) -> None:
    with subprocess.Popen([sys.executable, "-S", "-c", ""]) as ended:
        ended.wait()
    dead, living = (peers_folder() / f"mnn.{number}.part" for number in (ended.pid, os.getppid()))
    for part in (dead, living):
        (part / "lib").mkdir(parents=True)
    install_peer("mnn", lambda _: None)
    assert names_in(peers_folder()) == sorted(["mnn", living.name])


@pytest.mark.parametrize(
    "text", ["", "[]", "{", '{"requirements": 1}', '{"requirements": "a", "packages": {"b": 1}, "size_bytes": 2}']
)
def test_a_record_that_is_none_is_no_environment(pretended: PretendedPython, text: str) -> None:
    folder = pretended.install("mnn", {"MNN": "3.6.1"})
    assert python_of("mnn") is not None
    (folder / RECORD_NAME).write_text(text)
    assert python_of("mnn") is None


def test_an_environment_whose_python_is_gone_is_none(pretended: PretendedPython) -> None:
    folder = pretended.install("mnn", {"MNN": "3.6.1"})
    (folder / "bin" / "python").unlink()
    (folder / "bin" / "python").symlink_to(folder / "of-another-python")
    assert python_of("mnn") is None
    assert installed_peers() == ()


def test_converters_and_tflite_runtime_are_no_peers(pretended: PretendedPython) -> None:
    pretended.install("tf2onnx", {"tf2onnx": "1.17.0"})
    (runtime,) = install_peer("tflite-runtime", lambda _: None)
    assert installed_peers() == ()
    assert python_of("tflite-runtime") == runtime.python
    assert python_of("keras-jax") is None


def test_remove_gives_back_and_takes_attempts_along(pretended: PretendedPython) -> None:
    install_peer("mnn", lambda _: None)
    (peers_folder() / "mnn.77.part").mkdir()
    assert remove_environment("mnn") > 0
    assert names_in(peers_folder()) == []
    with pytest.raises(InputError, match='"mnn" is not installed'):
        remove_environment("mnn")


@pytest.mark.parametrize("step", ["pathlib.Path.rename", "shutil.rmtree"])
def test_what_can_not_be_removed_is_told(
    pretended: PretendedPython, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    install_peer("mnn", lambda _: None)

    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(step, refuse)
    with pytest.raises(OutputError, match="can't be removed: Permission denied"):
        remove_environment("mnn")


def test_what_can_not_be_measured_can_not_be_installed(pretended: PretendedPython) -> None:
    with pytest.raises(InputError, match=r"ExecuTorch can't be installed: .* PyTorch alone"):
        install_peer("executorch", lambda _: None)
    assert pretended.asked() == []


def test_a_folder_that_can_not_be_made_is_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("MNBENCH_PEERS", str(tmp_path / "file" / "peers"))
    with pytest.raises(OutputError, match="can't be made"):
        install_peer("mnn", lambda _: None)


def test_a_python_without_venv_is_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("MNBENCH_PEERS", str(tmp_path))
    script = tmp_path / "python"
    script.write_text("#!/bin/sh\necho 'ensurepip is not available' >&2\nexit 1\n")
    script.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(script))
    with pytest.raises(MissingDependencyError, match="can't make an environment: ensurepip is not") as error:
        install_peer("mnn", lambda _: None)
    assert error.value.hints == ("apt install python3-venv, where Python is the system's",)


def test_the_folder_is_the_users_cache(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("MNBENCH_PEERS", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert peers_folder() == tmp_path / "mnkit" / "mnbench" / "peers"
    monkeypatch.delenv("XDG_CACHE_HOME")
    (tmp_path / "home").mkdir()
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    assert peers_folder() == tmp_path / "home" / ".cache" / "mnkit" / "mnbench" / "peers"


def test_the_record_says_what_was_asked_for(pretended: PretendedPython) -> None:
    (done,) = install_peer("mnn", lambda _: None)
    record = json.loads((done.folder / RECORD_NAME).read_text())
    assert record["requirements"] == done.requirements
    assert (done.folder / "requirements.txt").read_text().startswith("# Runtime and converter in one package.")
