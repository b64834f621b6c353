"""The command line in a record: as it was typed, without what only its user has."""

import shlex
from pathlib import Path

import pytest

from mnbench.cli.recorded_command import options_of_record, recorded_command
from mnbench.cli.run import command
from mnbench.record import Record

pytestmark = pytest.mark.smoke


def recorded(*words: str) -> str:
    with command.make_context("run", list(words)) as context:
        return recorded_command(context)


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--on", "ssh:pi@kitchen:22", "-o", "pi.json"], "mnbench run -o pi.json --on ssh"),
        (["--on=ssh:pi@kitchen"], "mnbench run --on ssh"),
        (["--on=adb:R58M12345"], "mnbench run --on adb"),
        (["--models", "/home/me/nets/net.h5", "--models=/b/net.h5"], "mnbench run --models net.h5 --models net.h5"),
        (["--models=/home/me/my net.h5"], "mnbench run --models 'my net.h5'"),
        (["--models", "/home/me/bundle/"], "mnbench run --models bundle"),
        ([r"--benchmark-model=C:\Users\me\benchmark_model"], "mnbench run --benchmark-model benchmark_model"),
        (["--remote-python", "/home/me/env/bin/python"], "mnbench run --remote-python python"),
        (["-o/home/me/r.json", "--force"], "mnbench run -o r.json --force"),
        (["--preset", "quick", "--batch=1,8", "--profile"], "mnbench run --preset quick --batch 1,8 --profile"),
        (["--pace", "2", "--rounds", "7"], "mnbench run --rounds 7 --pace 2"),
    ],
)
def test_folders_and_hosts_stay_here(words: list[str], told: str) -> None:
    assert recorded(*words) == told


@pytest.mark.parametrize("name", ["Lab/Pi 5", "ssh:of course", r"a\b", "-o", "a/"])
def test_what_is_no_path_is_kept_as_it_was_typed(name: str) -> None:
    assert recorded(f"--device-name={name}") == f"mnbench run {shlex.join(['--device-name', name])}"


def test_a_folder_is_told_from_a_network_by_its_slash(tmp_path: Path) -> None:
    (tmp_path / "my").mkdir()
    assert recorded("--models", str(tmp_path / "my")) == "mnbench run --models my/"
    assert recorded("--models", f"{tmp_path}/my/") == "mnbench run --models my/"


@pytest.mark.parametrize("pace", ["0.1", "0.30000000000000004", "3"])
def test_what_is_recorded_makes_the_same_plan_again(pace: str) -> None:
    words = ["--preset", "quick", "--threads", "1,2", "--rounds", "9", "--pace", pace, "--device-name", "x"]
    record = Record(device="d", command=recorded(*words), plan="", rows=())
    told = options_of_record(record, command)
    assert told == {"preset": "quick", "threads": "1,2", "rounds": 9, "pace": float(pace)}
