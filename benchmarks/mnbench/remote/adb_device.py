"""One Android device through the program ``adb``: files there, commands there, and why it couldn't be."""

import os
import re
import secrets
import shlex
import subprocess
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from mnbench.last_words import last_words
from mnbench.remote.target import AdbTarget
from mninfer.errors import EngineError, InputError, MissingDependencyError, MnError, OutputError

__all__ = ["AdbDevice", "Answer"]

_HOME = "/data/local/tmp"  # the one folder of every Android from which a shell may execute
_COMMAND_S = 60.0
_PUSH_S = 600.0
_CODE = "mnbench-code:"  # older adb's shell ends with 0 whatever ran in it
_ENDED = re.compile(rf"{_CODE}(\d{{1,3}})\s*$")
_MOST_SAID_BYTES = 16 << 20  # of one command: what mnbench import reads of a log

# What adb says (adb/client, "adb: error: …" or "error: …"), and what that means.
_SAID = (
    ("no devices", "no Android device is connected", "a cable, USB debugging switched on, and adb devices lists it"),
    ("more than one device", "several Android devices are connected", "--on adb:SERIAL; adb devices lists them"),
    ("unauthorized", "the device doesn't trust this machine yet", 'unlock it and accept "Allow USB debugging"'),
    ("offline", "the device is offline", "plug it in again, or: adb reconnect"),
    ("not found", "no such device is connected", "adb devices lists those that are"),
    ("failed to connect", "the device can't be reached", "adb connect HOST:PORT"),
)
_FULL = ("No space left", "couldn't create file", "Read-only file system")


@dataclass(frozen=True, slots=True)
class Answer:
    """What a command printed, on both its streams, and its exit code."""

    text: str
    code: int

    @property
    def last_line(self) -> str:
        """The last one that says something."""
        return last_words(self.text)


class AdbDevice:
    """The device of ``target``. Each method raises MissingDependencyError where no adb runs here, InputError where the
    device isn't there.
    """

    def __init__(self, target: AdbTarget) -> None:
        self.target = target

    @contextmanager
    def folder(self) -> Iterator[str]:
        """A folder there, removed at the end with what still runs out of it."""
        path = f"{_HOME}/mnbench-{secrets.token_hex(6)}"
        self.shell("mkdir", "-p", path)
        try:
            yield path
        finally:
            self._leave(path)

    def push(self, local: Path, there: str, *, is_program: bool = False) -> None:
        """Copy a file there.

        Raises:
            OutputError: there is no room, or the device stops taking it; InputError: ``local`` can't be read.
        """
        if not local.is_file():
            raise InputError("there is no such file", where=str(local))
        try:
            done = self._adb("push", str(local.resolve()), there, seconds=_PUSH_S)
        except subprocess.TimeoutExpired as error:
            raise OutputError(
                f"the device didn't take the file in {_PUSH_S:.0f} s",
                where=str(local),
                hints=("another cable or port", "adb reconnect"),
            ) from error
        if done.code:
            raise self._refused_file(done.text, local)
        if is_program:
            self.shell("chmod", "755", there)

    def shell(self, *words: str, seconds: float = _COMMAND_S) -> Answer:
        """Run a command there, whatever its words hold.

        Raise EngineError where it takes longer than ``seconds``, or talks without end. It may run on then, until
        ``end_what_runs``.
        """
        return self.script(shlex.join(words), seconds=seconds)

    def script(self, text: str, *, seconds: float = _COMMAND_S) -> Answer:
        """The same for a text of that device's shell."""
        try:
            done = self._adb("shell", f"({text}) 2>&1; echo {_CODE}$?", seconds=seconds)
        except subprocess.TimeoutExpired as error:
            raise EngineError(f"the device didn't finish in {seconds:.0f} s: {text[:80]}") from error
        ended = _ENDED.search(done.text)
        if ended is None:
            raise self._refused(done.text)
        return Answer(done.text[: ended.start()], int(ended[1]))

    def end_what_runs(self, path: str) -> None:
        """End the programs that run out of the folder ``path`` there."""
        self.script(_ending(path))

    def _leave(self, path: str) -> None:
        try:
            self.script(f"{_ending(path)}; rm -rf {path}")
        except MnError:
            pass  # it is gone, and so is the folder's use; it can't be told better than the run's own error

    def _adb(self, *arguments: str, seconds: float) -> Answer:
        serial = [] if self.target.serial is None else ["-s", self.target.serial]
        try:
            return _finished(["adb", *serial, *arguments], seconds)
        except FileNotFoundError as error:
            raise MissingDependencyError(
                "there is no adb on this machine",
                hints="sudo apt-get install adb (Debian, Ubuntu), or Android's platform-tools",
            ) from error
        except OSError as error:
            raise MissingDependencyError(
                f"this machine's adb can't be run: {error.strerror}", hints="the first adb of PATH has to be a program"
            ) from error

    def _refused_file(self, said: str, local: Path) -> MnError:
        if any(sign in said for sign in _FULL):
            return OutputError(f"the device can't take the file: {last_words(said)}", where=str(local))
        return self._refused(said)

    def _refused(self, said: str) -> InputError:
        for sign, what, hint in _SAID:
            if sign in said:
                return InputError(what, where=str(self.target), hints=hint)
        return InputError(f"adb failed: {last_words(said)}", where=str(self.target), hints="adb devices")


def _ending(path: str) -> str:
    """The command. The brackets keep the pattern from matching the command line that it stands in."""
    return f"pkill -9 -f '{path[:-1]}[{path[-1]}]/'"


def _finished(command: Sequence[str], seconds: float) -> Answer:
    """What a program here said. Whatever ends the waiting, Control-C too, ends it: subprocess.run leaves a zombie.

    Raise TimeoutExpired, or EngineError where it says more than anybody reads.
    """
    process = subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True
    )
    assert process.stdout is not None
    said = bytearray()
    hearing = threading.Thread(target=_hear, args=(process.stdout, said), daemon=True)
    try:
        hearing.start()
        hearing.join(seconds)
        if hearing.is_alive():
            raise subprocess.TimeoutExpired(command, seconds)
        if len(said) > _MOST_SAID_BYTES:
            raise EngineError(f"the device talks without end: more than {_MOST_SAID_BYTES >> 20} MB")
        process.wait(seconds)
    finally:
        process.kill()
        process.wait()
    return Answer(said.decode(errors="replace"), process.returncode)


def _hear(stream: IO[bytes], said: bytearray) -> None:
    """All of ``stream``, or a little more than anybody reads; by a thread: not every system can wait for a pipe."""
    with stream:
        while len(said) <= _MOST_SAID_BYTES and (block := os.read(stream.fileno(), 1 << 16)):
            said += block
