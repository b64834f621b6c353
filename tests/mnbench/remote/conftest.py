"""A machine to be reached over ssh, which is this one; and what runs there, in a script's place."""

import os
import shlex
import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from mnbench.remote import parcel
from support.loopback_ssh import LoopbackSsh, loopback_ssh, sshd_path


@pytest.fixture(scope="session")
def sshd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LoopbackSsh]:
    program = sshd_path()
    if program is None or shutil.which("ssh") is None:
        pytest.skip("there is no sshd: apt-get install openssh-server")
    with loopback_ssh(program, tmp_path_factory.mktemp("sshd")) as server:
        yield server


@pytest.fixture
def server(sshd: LoopbackSsh, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> LoopbackSsh:
    """The server, with the ``ssh`` that reaches it first on PATH."""
    programs = tmp_path / "bin"
    programs.mkdir()
    sshd.write_client(programs)
    monkeypatch.setenv("PATH", f"{programs}{os.pathsep}{os.environ['PATH']}")
    return sshd


@pytest.fixture
def there(tmp_path: Path) -> Path:
    """The other machine's folder for temporary files."""
    folder = tmp_path / "there"
    folder.mkdir()
    return folder


@pytest.fixture
def python(server: LoopbackSsh, there: Path) -> str:
    """The other machine's Python: this very one, with another folder for temporary files."""
    return server.python("python", f'TMPDIR={shlex.quote(str(there))} exec {shlex.quote(sys.executable)} "$@"')


@pytest.fixture
def run_there(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """``run_there(source)``: what ``python -m mnbench`` does on the other machine, in place of our packages."""

    def use(source: str) -> None:
        def make_kit(folder: Path) -> Path:
            (folder / "mnbench").mkdir()
            (folder / "mnbench" / "__init__.py").touch()  # or a package that is installed there goes before it
            (folder / "mnbench" / "__main__.py").write_text(source, encoding="utf-8")
            return folder

        monkeypatch.setattr(parcel, "make_kit", make_kit)

    return use
