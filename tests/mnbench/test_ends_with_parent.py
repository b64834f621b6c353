"""A process whose parent is killed is killed with it: nobody is left who would end it."""

import os
import signal
import subprocess
import sys
import time

import pytest

pytestmark = [
    pytest.mark.smoke,
    pytest.mark.skipif(sys.platform != "linux", reason="Linux alone tells a process that its parent has ended"),
]

PATIENCE_S = 20.0
CHILD = """
import time
from mnbench.ends_with_parent import end_with_parent
end_with_parent()
print("ready", flush=True)
time.sleep(120)
"""
PARENT = """
import subprocess, sys, time
child = subprocess.Popen([sys.executable, "-c", sys.argv[1]], stdout=subprocess.PIPE, start_new_session=True)
child.stdout.readline()
print(child.pid, flush=True)
time.sleep(120)
"""


# Its child begins when it is gone already; and, as long as it is there, another one that goes on.
GONE = '''
import os, subprocess, sys
from mnbench.ends_with_parent import variable_for_children
child = """
import sys
sys.stdin.read()
from mnbench.ends_with_parent import end_with_parent
end_with_parent()
print(1)
"""
variables = {**os.environ, **variable_for_children()}
command = [sys.executable, "-c", child]
children = [subprocess.Popen(command, stdin=stdin, env=variables) for stdin in (subprocess.DEVNULL, 0)]
children[0].wait()
os._exit(0)
'''


def is_running(process: int) -> bool:
    try:
        with open(f"/proc/{process}/stat") as file:
            return file.read().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def test_a_child_in_a_session_of_its_own_ends_with_its_parent() -> None:
    path = os.pathsep.join(place for place in sys.path if place)
    command = [sys.executable, "-c", PARENT, CHILD]
    with subprocess.Popen(command, stdout=subprocess.PIPE, env={**os.environ, "PYTHONPATH": path}) as parent:
        assert parent.stdout is not None
        child = int(parent.stdout.readline())
        assert is_running(child)
        parent.send_signal(signal.SIGKILL)
        parent.wait(PATIENCE_S)
    end = time.monotonic() + PATIENCE_S
    try:
        while is_running(child):
            assert time.monotonic() < end, "it runs on"
            time.sleep(0.02)
    finally:
        if is_running(child):
            os.kill(child, signal.SIGKILL)


def test_a_child_that_still_starts_when_its_parent_ends_does_not_begin() -> None:
    path = os.pathsep.join(place for place in sys.path if place)
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    with subprocess.Popen([sys.executable, "-c", GONE], env={**os.environ, "PYTHONPATH": path}, **pipes) as parent:  # type: ignore[call-overload]
        parent.wait(PATIENCE_S)
        parent.stdin.close()
        assert parent.stdout.read() == b"1\n", "the first child, which had its parent, alone says something"
