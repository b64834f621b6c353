"""The command line in a record: as it was typed, without what only its user has."""

import pytest

from mnbench.cli.recorded_command import recorded_command

pytestmark = pytest.mark.smoke


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["run", "--on", "ssh:pi@kitchen:22", "-o", "pi.json"], "mnbench run --on ssh -o pi.json"),
        (["run", "--on=ssh:pi@kitchen"], "mnbench run --on=ssh"),
        (["run", "--on=adb:R58M12345"], "mnbench run --on=adb"),
        (["run", "--models", "/home/me/nets/net.h5"], "mnbench run --models net.h5"),
        (["run", "--models=/home/me/my net.h5"], "mnbench run '--models=my net.h5'"),
        (["run", "--models", "/home/me/bundle/"], "mnbench run --models bundle"),
        (["run", r"--benchmark-model=C:\Users\me\benchmark_model"], "mnbench run --benchmark-model=benchmark_model"),
        (["run", "-o/home/me/r.json"], "mnbench run -or.json"),
        (["run", "--preset", "quick", "--batch=1,8"], "mnbench run --preset quick --batch=1,8"),
    ],
)
def test_folders_and_hosts_stay_here(words: list[str], told: str) -> None:
    assert recorded_command(words) == told
