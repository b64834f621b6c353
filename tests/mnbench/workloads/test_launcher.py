"""The thin process: how it tells time, memory and the end of others, and what it says of those it can't start."""

import sys

import pytest

from mnbench.machine import Host
from mnbench.workloads.launcher import Launcher, program_environment
from mninfer.errors import EngineError

pytestmark = pytest.mark.smoke


def python(program: str) -> list[str]:
    return [sys.executable, "-I", "-S", "-c", program]


def test_each_launch_is_a_process_of_its_own() -> None:
    launcher = Launcher(python("import time; time.sleep(0.05)"))
    first, second = launcher.launch(), launcher.launch()
    launcher.close()
    for ended in (first, second):
        assert ended.exit_code == 0
        assert 50e6 < ended.elapsed_ns < 30e9


def test_its_memory_is_the_process_s_own() -> None:
    """Not ours, which is larger: a child begins with the peak of who started it."""
    ballast = bytearray(200 << 20)
    ballast[::4096] = b"x" * len(ballast[::4096])
    small, large = Launcher(python("pass")), Launcher(python("x = b'x' * (64 << 20)"))
    small_bytes, large_bytes = small.launch().peak_bytes, large.launch().peak_bytes
    small.close()
    large.close()
    assert small_bytes < 100 << 20
    assert large_bytes - small_bytes == pytest.approx(64 << 20, rel=0.1)
    del ballast


def test_what_it_started_took_our_time_once_it_is_closed() -> None:
    """Else all of it were other programs'."""
    busy = Launcher(python("import time\nwhile time.process_time() < 0.3: pass"))
    before = Host().own_cpu_s()
    busy.launch()
    busy.close()
    assert Host().own_cpu_s() - before > 0.28


def test_an_exit_code_and_a_signal_are_told() -> None:
    for program, code in (("raise SystemExit(7)", 7), ("import os, signal; os.kill(os.getpid(), 9)", -9)):
        launcher = Launcher(python(program))
        assert launcher.launch().exit_code == code
        launcher.close()


def test_what_the_process_says_is_not_in_the_way() -> None:
    launcher = Launcher(python("print(1, 2, 3); import sys; print(sys.stdin.read(), file=sys.stderr)"))
    assert launcher.launch().exit_code == 0
    assert launcher.launch().exit_code == 0
    launcher.close()


def test_a_command_that_is_not_there_is_an_error_with_its_name() -> None:
    launcher = Launcher(["/no/such/program"])
    with pytest.raises(EngineError, match=r'"/no/such/program" could not be started: .*No such file'):
        launcher.launch()
    launcher.close()


def test_after_it_is_closed_nothing_starts() -> None:
    launcher = Launcher(python("pass"))
    launcher.close()
    with pytest.raises(EngineError, match="has ended"):
        launcher.launch()


def test_programs_keep_what_they_compiled(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONDONTWRITEBYTECODE", "1")
    monkeypatch.setenv("KERAS_BACKEND", "jax")
    environment = program_environment()
    assert "PYTHONDONTWRITEBYTECODE" not in environment
    assert environment["KERAS_BACKEND"] == "jax"
