"""A real sshd on loopback, run by whoever runs the tests, with keys and a configuration of its own."""

import getpass
import os
import shlex
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from mnbench.remote.target import SshTarget

__all__ = ["LoopbackSsh", "loopback_ssh", "sshd_path"]

PATIENCE_S = 15.0


@dataclass(frozen=True, slots=True)
class LoopbackSsh:
    """The server, and the folder of the ``ssh`` that knows its key and no other configuration."""

    port: int
    folder: Path

    @property
    def target(self) -> SshTarget:
        return SshTarget("127.0.0.1", getpass.getuser(), self.port)

    def python(self, name: str, line: str) -> str:
        """A "Python" of that machine: a script of one line of shell."""
        path = self.folder / name
        path.write_text(f"#!/bin/sh\n{line}\n")
        path.chmod(0o755)
        return str(path)

    def write_client(self, folder: Path) -> None:
        """Put an ``ssh`` into ``folder`` that finds this server and its keys, and reads nothing of the user's."""
        ssh = folder / "ssh"
        ssh.write_text(
            f'#!/bin/sh\nexec {shutil.which("ssh")} -F {shlex.quote(str(self.folder / "ssh_config"))} "$@"\n'
        )
        ssh.chmod(0o755)


def sshd_path() -> str | None:
    """Where sshd is; None where it isn't installed. It stands on no user's PATH in Debian."""
    return shutil.which("sshd", path=f"{os.environ.get('PATH', '')}{os.pathsep}/usr/sbin")


@contextmanager
def loopback_ssh(sshd: str, folder: Path) -> Iterator[LoopbackSsh]:
    """The server, until the block is left. Raise OSError where it doesn't start."""
    port = _free_port()
    _write_keys(folder)
    (folder / "sshd_config").write_text(_SERVER.format(folder=folder, port=port))
    (folder / "ssh_config").write_text(_CLIENT.format(folder=folder))
    if os.geteuid() == 0:
        Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)  # where root's sshd locks itself in; its service makes it
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen([sshd, "-D", "-e", "-f", folder / "sshd_config"], stderr=log)
    try:
        _wait_for(port, process)
        yield LoopbackSsh(port, folder)
    finally:
        process.terminate()
        process.wait()


_SERVER = """
ListenAddress 127.0.0.1
Port {port}
HostKey {folder}/host_key
AuthorizedKeysFile {folder}/user_key.pub
PidFile none
StrictModes no
UsePAM no
PasswordAuthentication no
KbdInteractiveAuthentication no
PermitRootLogin yes
"""

_CLIENT = """
Host *
    IdentityFile {folder}/user_key
    IdentitiesOnly yes
    IdentityAgent none
    UserKnownHostsFile {folder}/known_hosts
    GlobalKnownHostsFile none
"""


def _write_keys(folder: Path) -> None:
    for name in ("host_key", "user_key"):
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", folder / name], check=True)
    kind, key, *_ = (folder / "host_key.pub").read_text().split()
    (folder / "known_hosts").write_text(f"* {kind} {key}\n")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait_for(port: int, process: "subprocess.Popen[bytes]") -> None:
    end = time.monotonic() + PATIENCE_S
    while time.monotonic() < end and process.poll() is None:
        with socket.socket() as probe:
            probe.settimeout(1)
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise OSError(f"sshd doesn't run: it ended with {process.poll()}")
