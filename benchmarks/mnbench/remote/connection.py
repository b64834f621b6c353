"""One ssh process and what is said through it: our far side is started, told, heard, and let know that we are there.

Plain OpenSSH: keys, names, jumps and known hosts are those of the user's own configuration. It never asks anything.
"""

import json
import os
import shlex
import subprocess
import threading
from collections import deque
from collections.abc import Callable, Mapping
from contextlib import suppress
from io import BufferedReader, RawIOBase
from pathlib import Path
from typing import IO, Any, cast

from mnbench.remote import far_side
from mnbench.remote.target import SshTarget
from mninfer.errors import EngineError, MissingDependencyError

__all__ = ["LEAST_PYTHON", "Connection", "ConnectionLostError", "ssh_command"]

LEAST_PYTHON = (3, 11)  # pyproject.toml: requires-python
_CONNECT_S = 15
_ALIVE_S = 15.0
_MISSED = 4  # signs of life that ssh itself waits for before it gives up
_CLOSE_S = 3.0
_LEAVE_S = 20.0  # for a slow card to delete a few hundred files
_MAX_NOISE_BYTES = 256 << 10  # of a login shell that talks
_MAX_LINE_BYTES = 64 << 10
_LAST_LINES = 40

# Any Python runs this, so that an old one can say how old it is; the rest is read by one that is new enough. What lies
# in the folder that a login begins in, as a checkout called tensorflow, is none of that Python's packages.
_PREAMBLE = """import sys
sys.path = [path for path in sys.path if path]
if sys.version_info < {least}:
    sys.stdout.write('{mark}{{"state": "old", "python": [%d, %d]}}\\n' % sys.version_info[:2])
    sys.stdout.flush()
    sys.exit(1)
exec(compile(sys.stdin.buffer.read({size}), "far_side.py", "exec"))
"""


class ConnectionLostError(Exception):
    """ssh ended before the far side had said its last; ``code`` is ssh's, ``lines`` what was said on stderr;
    ``is_silent``: it was ended for want of a message.
    """

    def __init__(self, code: int, lines: tuple[str, ...], *, is_silent: bool = False) -> None:
        super().__init__(f"ssh ended with {code}")
        self.code = code
        self.lines = lines
        self.is_silent = is_silent


def ssh_command(target: SshTarget, remote: str) -> list[str]:
    """The command line. Nothing of ``target`` can be taken for an option: it stands behind one, or behind ``--``."""
    options = {
        "BatchMode": "yes",  # no password prompt that waits for nobody
        "ConnectTimeout": _CONNECT_S,
        "ServerAliveInterval": int(_ALIVE_S),
        "ServerAliveCountMax": _MISSED,
        "ForwardAgent": "no",
        "ForwardX11": "no",
        "ClearAllForwardings": "yes",
        "LogLevel": "ERROR",
    }
    command = ["ssh", "-T", *(f"-o{name}={value}" for name, value in options.items())]
    command += [] if target.port is None else ["-p", str(target.port)]
    command += [] if target.user is None else ["-l", target.user]
    return [*command, "--", target.host, remote]


class Connection:
    """The far side, running in the other machine's ``python``. Lines of its stderr go to ``watcher`` once it runs.

    Raises MissingDependencyError where there is no ssh here, or one that can't be run.
    """

    def __init__(self, target: SshTarget, python: str, watcher: Callable[[str], None]) -> None:
        source = Path(far_side.__file__).read_bytes()
        preamble = _PREAMBLE.format(least=LEAST_PYTHON, mark=far_side.MARK, size=len(source)).encode()
        remote = (
            f"{_quoted(python)} -c \"import sys;exec(getattr(sys.stdin,'buffer',sys.stdin).read({len(preamble)}))\""
        )
        self._ssh = _start(ssh_command(target, remote))
        self._stdin, self._stdout, errors = _pipes(self._ssh)
        self._lines: deque[str] = deque(maxlen=_LAST_LINES)
        self._watcher = watcher
        self._is_running = False
        self._is_given_up = False
        self._writing = threading.Lock()
        self._ended = threading.Event()
        self._stderr = threading.Thread(target=self._hear, args=(errors,), daemon=True)
        self._stderr.start()
        self._write(preamble + source)

    def __enter__(self) -> "Connection":
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        """Control-C ends the waiting alone: what the block came to, as hours of measuring, is not lost for it."""
        try:
            self.close(_LEAVE_S if kind is None else _CLOSE_S)
        except KeyboardInterrupt:
            self.close(0)

    def request(self, **fields: Any) -> None:
        """The one line of JSON that the far side begins with."""
        self._write(json.dumps(fields).encode() + b"\n")

    def send(self, stream: IO[bytes]) -> None:
        """All of ``stream``."""
        while block := stream.read(1 << 20):
            self._write(block)

    def first_message(self, patience_s: float) -> Mapping[str, Any]:
        """The same, of a machine that is given up after so long: its login shell may wait for an answer."""
        timer = threading.Timer(patience_s, self._give_up)
        timer.daemon = True
        timer.start()
        try:
            return self.message()
        finally:
            timer.cancel()

    def message(self) -> Mapping[str, Any]:
        """The far side's next message. Raise ConnectionLostError where none comes any more."""
        noise = 0
        while line := self._stdout.readline(_MAX_LINE_BYTES):
            _, mark, text = line.decode(errors="replace").partition(far_side.MARK)
            if mark:
                return _parsed(text)
            noise += len(line)
            if noise > _MAX_NOISE_BYTES:
                raise EngineError("the device talks without end, and is no mnbench")
        raise self._lost()

    def receive(self, size: int) -> bytes:
        """The next ``size`` bytes."""
        data = self._stdout.read(size)
        if len(data) < size:
            raise self._lost()
        return data

    def stay(self) -> None:
        """From now on: tell the far side every few seconds that we are there, and show what it says."""
        self._is_running = True
        threading.Thread(target=self._keep_alive, daemon=True).start()

    def stop(self) -> None:
        """Ask the far side to end its run and send what it has."""
        self._write(b"s")

    def hear_out(self) -> None:
        """Wait for the last words on stderr, when the far side is done: it ends by itself once its folder is gone."""
        with suppress(subprocess.TimeoutExpired):
            self._ssh.wait(_LEAVE_S)
        self._stderr.join(_CLOSE_S)

    @property
    def last_lines(self) -> tuple[str, ...]:
        """What was last said on stderr."""
        return tuple(self._lines)

    def close(self, patience_s: float = _CLOSE_S) -> None:
        """Let go: the far side sees the end of its input, ends its run and removes its folder.

        That it does without us, too; ``patience_s`` is how long it is waited for.
        """
        self._ended.set()
        with self._writing:
            self._stdin.close()
        try:
            self._ssh.wait(patience_s)
        except subprocess.TimeoutExpired:
            self._ssh.terminate()
            self._ssh.wait()
        self._stdout.close()
        self._stderr.join(_CLOSE_S)

    def _write(self, data: bytes) -> None:
        """A pipe that broke is no error here: why it broke is what ``message`` says next."""
        with self._writing:
            left = memoryview(data)
            try:
                while left:
                    left = left[self._stdin.write(left) or 0 :]
            except (BrokenPipeError, ValueError):  # ValueError: closed
                pass

    def _hear(self, errors: IO[bytes]) -> None:
        with errors:
            while line := errors.readline(_MAX_LINE_BYTES):
                text = line.decode(errors="replace").rstrip()
                self._lines.append(text)
                if self._is_running and text:
                    self._watcher(text)

    def _keep_alive(self) -> None:
        while not self._ended.wait(_ALIVE_S):
            self._write(b".")

    def _give_up(self) -> None:
        self._is_given_up = True
        self._ssh.terminate()

    def _lost(self) -> ConnectionLostError:
        code = self._ssh.wait()
        self._stderr.join(_CLOSE_S)
        return ConnectionLostError(code, tuple(self._lines), is_silent=self._is_given_up)


def _start(command: list[str]) -> "subprocess.Popen[bytes]":
    # A session of its own: Control-C is ours to pass on. English, since what ssh says is read.
    try:
        return subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            bufsize=0,
            env=os.environ | {"LC_ALL": "C"},
            start_new_session=True,
        )
    except FileNotFoundError as error:
        raise MissingDependencyError(
            "there is no ssh on this machine",
            hints="sudo apt-get install openssh-client (Debian, Raspberry Pi OS), or your system's OpenSSH",
        ) from error
    except OSError as error:
        raise MissingDependencyError(
            f"this machine's ssh can't be run: {error.strerror}", hints="the first ssh of PATH has to be a program"
        ) from error


def _pipes(ssh: "subprocess.Popen[bytes]") -> tuple[RawIOBase, IO[bytes], IO[bytes]]:
    """What is written goes out at once, so that closing never waits for a device that takes nothing more."""
    stdin, stdout, stderr = (cast(RawIOBase, pipe) for pipe in (ssh.stdin, ssh.stdout, ssh.stderr))
    return stdin, BufferedReader(stdout), BufferedReader(stderr)


def _quoted(python: str) -> str:
    """For the other machine's shell, which is to know what ``~`` is."""
    home, slash, rest = python.partition("/")
    return f"~/{shlex.quote(rest)}" if slash and home == "~" else shlex.quote(python)


def _parsed(text: str) -> Mapping[str, Any]:
    try:
        value = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise EngineError("the device answered what is no message of mnbench") from error
    if not isinstance(value, dict) or not isinstance(value.get("state"), str):
        raise EngineError("the device answered what is no message of mnbench")
    return value
