"""Where to measure, as one word of a command line: ``ssh:pi@host:2222`` or ``adb:SERIAL``. Opens nothing."""

import re
from dataclasses import dataclass

from mninfer.errors import InputError
from mninfer.near import near_names

__all__ = ["AdbTarget", "SshTarget", "parse_target"]

_SCHEMES = ("ssh", "adb")
_MAX_PORT = 65535
# Names that no program takes for an option and no shell for a command: ssh hands host and user to a ProxyCommand's
# shell (CVE-2023-51385), so what could mean something there is refused here.
_USER = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.@+\\-]*")
_HOST = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*")
_IPV6 = re.compile(r"[0-9A-Fa-f:.]*:[0-9A-Fa-f:.]*(%[A-Za-z0-9_.-]+)?")
_SERIAL = re.compile(r"[A-Za-z0-9_\[][A-Za-z0-9_.:\[\]%() -]*")  # also 10.0.0.7:5555, and "adb-R58 (2)._adb-tls-…"
_SSH_EXAMPLE = "ssh:pi@raspberrypi.local, or ssh:pi@192.168.1.7:2222, or ssh:pi@[fe80::1%eth0]:22"
_ADB_EXAMPLE = 'adb:SERIAL, as "adb devices" lists it'


@dataclass(frozen=True, slots=True)
class SshTarget:
    """A machine that OpenSSH reaches; None leaves user and port to ssh's own configuration."""

    host: str
    user: str | None = None
    port: int | None = None

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        user = "" if self.user is None else f"{self.user}@"
        return f"ssh:{user}{host}" + ("" if self.port is None else f":{self.port}")


@dataclass(frozen=True, slots=True)
class AdbTarget:
    """An Android device by its serial; None is the only one that is connected."""

    serial: str | None = None

    def __str__(self) -> str:
        return "adb" if self.serial is None else f"adb:{self.serial}"


def parse_target(text: str) -> SshTarget | AdbTarget:
    """Read ``ssh:[USER@]HOST[:PORT]`` or ``adb[:SERIAL]``. Raise InputError saying what is wrong with it."""
    scheme, colon, rest = text.partition(":")
    if scheme == "ssh" and colon:
        return _ssh_target(rest, text)
    if scheme == "adb":
        return _adb_target(rest, text)
    near = near_names(scheme, _SCHEMES)
    if colon and near:
        raise InputError(f'"{text}" is no device', hints=f'did you mean "{near[0]}:{rest}"?')
    raise InputError(f'"{text}" is no device', hints=(_SSH_EXAMPLE, _ADB_EXAMPLE))


def _ssh_target(rest: str, text: str) -> SshTarget:
    user, at, place = rest.rpartition("@")
    if at and not _USER.fullmatch(user):
        raise InputError(f'"{user}" is no user name that ssh could be given safely', where=text, hints=_SSH_EXAMPLE)
    host, port = _host_and_port(place, text)
    return SshTarget(host, user if at else None, port)


def _host_and_port(place: str, text: str) -> tuple[str, int | None]:
    if place.startswith("["):
        host, bracket, after = place[1:].partition("]")
        if not bracket or not _IPV6.fullmatch(host) or (after and not after.startswith(":")):
            raise InputError(f'"{place}" is no IPv6 address in brackets', where=text, hints=_SSH_EXAMPLE)
        return host, _port(after[1:], text) if after else None
    if place.count(":") > 1:
        raise InputError("an IPv6 address needs brackets", where=text, hints=_with_brackets(text, place))
    host, colon, port = place.partition(":")
    if not _HOST.fullmatch(host):
        what = f'"{host}" is no host name' if host else "there is no host name"
        raise InputError(what, where=text, hints=_SSH_EXAMPLE)
    return host, _port(port, text) if colon else None


def _with_brackets(text: str, place: str) -> str:
    return f"{text.removesuffix(place)}[{place}]"


def _port(text: str, where: str) -> int:
    # ASCII digits alone: int() takes "２２" and "2_2", too
    if not re.fullmatch(r"[0-9]{1,5}", text) or not 0 < int(text) <= _MAX_PORT:
        raise InputError(f'"{text}" is no port from 1 to {_MAX_PORT}', where=where, hints=_SSH_EXAMPLE)
    return int(text)


def _adb_target(serial: str, text: str) -> AdbTarget:
    if serial and not _SERIAL.fullmatch(serial):
        raise InputError(f'"{serial}" is no serial of a device', where=text, hints=_ADB_EXAMPLE)
    return AdbTarget(serial or None)
