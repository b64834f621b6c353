"""Why a machine couldn't be used, made of what ssh, its shell or our far side said: the error that tells it."""

from collections.abc import Mapping, Sequence
from typing import Any

from mnbench.fields import Fields
from mnbench.remote.connection import LEAST_PYTHON, ConnectionLostError
from mnbench.remote.target import SshTarget
from mninfer.engines.install import APT_LINE, PIP, Platform, install_hints
from mninfer.errors import EngineError, InputError, MissingDependencyError, MnError, OutputError

__all__ = ["refused_before", "refused_by", "unusable"]

_SSH_FAILED = 255  # ssh's own exit code; others are the remote command's
_NO_COMMAND = (126, 127)  # a shell's: it isn't there, or can't be run
_SHOWN_LINES = 3
_PACKAGES = ("numpy", "click")  # what may be missing, by the name that pip knows it by, too

# What OpenSSH says (readconf.c, sshconnect.c, and the system's own words), and what that means.
_SAID = (
    ("Could not resolve hostname", 'no machine is called "{host}"', "ping {host} says the same; try its address"),
    ("Connection refused", "{host} doesn't listen for ssh", "is ssh switched on there (raspi-config), on that port?"),
    ("timed out", "{host} doesn't answer", "is it on, and in this network?"),
    ("No route to host", "{host} can't be reached", "is it on, and in this network?"),
    ("Network is unreachable", "{host} can't be reached", "is this machine in a network?"),
    ("IDENTIFICATION HAS CHANGED", "{host} is another machine than it was", "{ssh} tells more, and how to go on"),
    (
        "Host key verification failed",
        "{host} isn't known to this machine yet",
        "{ssh} once by hand, and accept its key",
    ),
    ("Permission denied", "{host} doesn't let this user in without a password", "ssh-copy-id {login}, then again"),
    ("Too many authentication failures", "{host} turned all keys away", "name one in ~/.ssh/config: IdentityFile"),
)


def refused_before(lost: ConnectionLostError, target: SshTarget, python: str) -> MnError:
    """What stands in the way where ssh ended before our far side ran."""
    text = "\n".join(lost.lines)
    if lost.is_silent:
        return EngineError(
            f"{target.host} says nothing: does its login shell wait for an answer, or a key to be touched?",
            where=str(target),
            hints=f"{_by_hand(target)} {python} --version",
        )
    if lost.code == _SSH_FAILED:
        for sign, what, hint in _SAID:
            if sign in text:
                names = {"host": target.host, "ssh": _by_hand(target), "login": _login(target)}
                return InputError(what.format(**names), where=str(target), hints=hint.format(**names))
        return InputError(f"ssh failed: {_last(lost.lines)}", where=str(target), hints=f"{_by_hand(target)} says more")
    if lost.code in _NO_COMMAND or "not found" in text or "No such file" in text:
        return MissingDependencyError(
            f'there is no "{python}" on {target.host}',
            where=str(target),
            hints=("sudo apt-get install python3 there (Debian, Raspberry Pi OS)", "name another by --remote-python"),
        )
    return EngineError(f"its Python doesn't start: {_last(lost.lines)}", where=str(target))


def refused_by(message: Mapping[str, Any], target: SshTarget) -> MnError:
    """Our far side ran, and can't go on: it is too old a Python, or there is no room."""
    fields = Fields(message, "the device's message")
    state = fields.text("state")
    if state == "old":
        return MissingDependencyError(
            f"{target.host} has Python {_dotted(fields.counts('python'))}, mnbench needs {_dotted(LEAST_PYTHON)}",
            where=str(target),
            hints=("a newer system (Debian 12 and later have it)", "name a newer one by --remote-python"),
        )
    if state == "no room":
        return OutputError(
            f"{target.host} can't take the models: {fields.text('reason')}",
            where=f"{target}: {fields.text('folder')}",
            hints="free some space there",
        )
    return EngineError(f'the device answered "{state[:40]}", which is no word of mnbench', where=str(target))


def unusable(message: Mapping[str, Any], target: SshTarget) -> MnError | None:
    """What is missing on a machine that is ready, with the line that installs it; None where nothing is."""
    fields = Fields(message, "the device's message")
    if fields.text("system") == "Windows":  # it has no process groups and no SIGINT to end a run with
        return InputError(
            f"{target.host} runs Windows", where=str(target), hints="run mnbench there, and bring its file"
        )
    missing = [name for name in fields.texts("missing") if name in _PACKAGES]
    if not missing and fields.texts("engines"):
        return None
    where = _platform(fields)
    what = " and ".join(missing) if missing else "TFLite engine"
    lines = _packages_hints(missing, where) if missing else install_hints(where)
    return MissingDependencyError(
        f"{target.host} has no {what}",
        where=f"{target}: {where}",
        hints=(*(f"there: {line}" for line in lines), "a Python that has it: --remote-python ~/mnkit/bin/python"),
    )


def _packages_hints(missing: Sequence[str], where: Platform) -> tuple[str, ...]:
    if where.is_arm32:  # no wheels of numpy there
        return (APT_LINE,)
    line = f"{PIP} {' '.join(missing)} ai-edge-litert opencv-python-headless"
    if where.system == "Linux" and not where.in_virtual_env:
        return (f"python3 -m venv ~/mnkit && ~/mnkit/bin/{line}",)
    return (line,)


def _platform(fields: Fields) -> Platform:
    python = fields.counts("python")
    if len(python) != 2:
        raise fields.wrong("python", "two numbers")
    return Platform(
        system=fields.text("system"),
        machine=fields.text("machine"),
        is_64bit=fields.flag("is_64bit"),
        python=(python[0], python[1]),
        is_musl=fields.flag("is_musl"),
        numpy_major=2,
        in_virtual_env=fields.flag("in_virtual_env"),
    )


def _by_hand(target: SshTarget) -> str:
    return f"ssh {'' if target.port is None else f'-p {target.port} '}{_login(target)}"


def _login(target: SshTarget) -> str:
    return target.host if target.user is None else f"{target.user}@{target.host}"


def _last(lines: Sequence[str]) -> str:
    said = [line for line in lines if line.strip()]
    return "; ".join(said[-_SHOWN_LINES:]) or "it said nothing"


def _dotted(version: Sequence[int]) -> str:
    return ".".join(str(part) for part in version)
