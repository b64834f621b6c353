import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from mnbench.cli.stopping import stopped_later, stopped_like_control_c
from support.commands import environment_for

pytestmark = [
    pytest.mark.smoke,
    pytest.mark.skipif(not hasattr(signal, "SIGHUP"), reason="a system without these signals"),
]


@pytest.fixture(autouse=True)
def _as_by_default() -> object:
    """Whatever started the tests (nohup, a CI's runner) may have set."""
    before = {number: signal.signal(number, signal.SIG_DFL) for number in (signal.SIGTERM, signal.SIGHUP)}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_signal_is_an_interruption_and_only_while_it_is_wanted(number: signal.Signals) -> None:
    with pytest.raises(KeyboardInterrupt), stopped_like_control_c():
        signal.raise_signal(number)
    assert signal.getsignal(number) is signal.SIG_DFL


def test_what_is_ignored_stays_ignored() -> None:
    """nohup mnbench run: the terminal may be closed."""
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    with stopped_like_control_c():
        os.kill(os.getpid(), signal.SIGHUP)
        assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN


def test_what_has_to_become_whole_does_before_control_c_is_heard() -> None:
    done = []
    usual = signal.getsignal(signal.SIGINT)

    def work() -> None:
        with stopped_like_control_c(), stopped_later():
            signal.raise_signal(signal.SIGINT)
            signal.raise_signal(signal.SIGTERM)
            done.append("whole")

    with pytest.raises(KeyboardInterrupt):
        work()
    assert done == ["whole"]
    assert signal.getsignal(signal.SIGINT) is usual


def test_where_nobody_stops_it_nothing_is_raised() -> None:
    with stopped_later():
        pass
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_it_decorates() -> None:
    @stopped_like_control_c()
    def handler() -> object:
        """Its words."""
        return signal.getsignal(signal.SIGTERM)

    assert handler() is signal.default_int_handler
    assert handler() is signal.default_int_handler, "every time"
    assert handler.__doc__ == "Its words."


def test_another_thread_is_left_alone() -> None:
    found: list[object] = []

    def elsewhere() -> None:
        with stopped_like_control_c():
            found.append(signal.getsignal(signal.SIGTERM))

    thread = threading.Thread(target=elsewhere)
    thread.start()
    thread.join()
    assert found == [signal.SIG_DFL]


def sessions_of(folder: Path) -> list[int]:
    """The processes whose command line names a file of ``folder``."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                words = (entry / "cmdline").read_bytes()
            except OSError:
                continue
            found += [int(entry.name)] if os.fsencode(folder) in words else []
    return found


@pytest.mark.skipif(
    not Path("/proc/self/cmdline").exists(), reason="without /proc no process can be found by its words"
)
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_run_that_is_ended_leaves_its_record_and_no_process_and_no_folder(
    tmp_path: Path, number: signal.Signals
) -> None:
    from support.networks import shapes_float

    (tmp_path / "scratch").mkdir()
    (tmp_path / "shapes.tflite").write_bytes(shapes_float())
    environment = environment_for() | {"TMPDIR": str(tmp_path / "scratch"), "XDG_CACHE_HOME": str(tmp_path / "cache")}
    words = "run --models shapes.tflite --engines mninfer,litert,tflite-runtime --threads 1 --pace 30 -o here.json"
    with subprocess.Popen(
        [sys.executable, "-m", "mnbench", *words.split()], cwd=tmp_path, env=environment, stderr=subprocess.PIPE
    ) as process:
        end = time.monotonic() + 60
        while not any("mnbench.worker" in line for line in commands_of(tmp_path / "scratch")):
            assert process.poll() is None, process.stderr and process.stderr.read()
            assert time.monotonic() < end
            time.sleep(0.1)
        process.send_signal(number)
        _, said = process.communicate(timeout=30)
    assert process.returncode == 130
    assert b"interrupted" in said
    assert b"Traceback" not in said
    assert sessions_of(tmp_path / "scratch") == []
    assert list((tmp_path / "scratch").iterdir()) == []
    assert (tmp_path / "here.json").exists()


def commands_of(folder: Path) -> list[str]:
    found = []
    for number in sessions_of(folder):
        try:
            found.append(Path(f"/proc/{number}/cmdline").read_bytes().replace(b"\0", b" ").decode())
        except OSError:
            continue
    return found
