"""The whole way to an ARM machine: sshd on loopback, behind it the emulated arm64 Debian of ``make test-arm``.

Its times are worthless, and marked so; that our kit runs there with what a Raspberry Pi has, is what this tells.
"""

import shlex
import time
from pathlib import Path

import pytest

from mnbench.record import Record, Status
from mnbench.remote.ssh import run_over_ssh
from support.loopback_ssh import LoopbackSsh
from support.network import float_model, initial_network

pytestmark = pytest.mark.slow


@pytest.fixture
def arm_python(server: LoopbackSsh, there: Path, repository: Path, tmp_path: Path) -> str:
    """The emulated machine's Python as tools/run_on_arm.py made it, with PYTHONPATH as far as it is given."""
    made = repository / ".venvs" / "arm" / "arm64" / "python3.11"
    if not made.exists():
        pytest.skip("the emulated arm64 machine isn't there: make test-arm makes it")
    places = tmp_path / "places"
    places.mkdir()
    line = made.read_text().splitlines()[-1]
    assert " -E PYTHONPATH=" in line
    line = line.replace(" -E PYTHONPATH=", f' -E PYTHONPATH={shlex.quote(str(places))}:"${{PYTHONPATH:-}}":')
    python = server.python("arm", f"unset LD_LIBRARY_PATH PYTHONHOME; export TMPDIR={shlex.quote(str(there))}\n{line}")
    (places / "sitecustomize.py").write_text(f"import sys\n\nsys.executable = {python!r}\n")
    return python


def test_a_flatbuffer_is_measured_there_and_its_times_are_called_worthless(
    server: LoopbackSsh, arm_python: str, there: Path, tmp_path: Path
) -> None:
    model = tmp_path / "net.tflite"
    model.write_bytes(float_model(initial_network([(8, 2), (16, 2)], 10, seed=0), (32, 32)))
    said: list[str] = []
    arguments = ("--engines", "litert", "--threads", "1", "--rounds", "1", "--pace", "0.1")
    record: Record = run_over_ssh(server.target, arguments, [model], watcher=said.append, python=arm_python)
    assert {row.status for row in record.rows} == {Status.MEASURED}, [row.reason for row in record.rows]
    assert record.machine["before"]["cpu"]["architecture"] == "aarch64"
    (doubt,) = [doubt for doubt in record.doubts if doubt.code == "emulated"]
    assert "worthless" in doubt.text
    agreement = record.rows[0].agreement
    assert agreement is not None
    assert agreement.is_held
    end = time.monotonic() + 60  # emulated, the last file takes a while to go
    while list(there.iterdir()) and time.monotonic() < end:
        time.sleep(0.1)
    assert list(there.iterdir()) == []
