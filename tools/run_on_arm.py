"""Run the tests on emulated ARM, both ways that ARM boards run mninfer: make test-arm.

usage: python tools/run_on_arm.py armhf|arm64 WHEEL [PYTEST_ARGUMENT...]

armhf is the README's 32-bit way to the letter: Debian's Python, numpy, OpenCV and click, tflite-runtime, our wheel
without dependencies. arm64 has Debian's Python and the base install's wheels. Needs a Debian with apt, and pip, but no
rights: packages are unpacked under .venvs/arm/, nothing is installed. Emulation tells the answers, not the speed.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parent.parent
HOME = ROOT / ".venvs" / "arm"
TEST_WHEELS = ("pytest", "hypothesis", "iniconfig", "pluggy", "packaging", "pygments", "sortedcontainers")
LITERT_WHEELS = ("backports.strenum", "protobuf", "tqdm", "typing_extensions")


class Board(NamedTuple):
    """What a machine of this kind has from Debian and from wheels."""

    emulator: str
    cpu: str
    libraries: str
    platforms: tuple[str, ...]
    debian: tuple[str, ...]
    wheels: tuple[str, ...]


BOARDS = {
    "armhf": Board(
        "qemu-arm-static",
        "cortex-a15",
        "arm-linux-gnueabihf",
        ("manylinux_2_34_armv7l",),
        ("python3", "python3-numpy", "python3-opencv", "python3-click"),
        ("tflite-runtime==2.14.0", "flatbuffers", *TEST_WHEELS),
    ),
    "arm64": Board(
        "qemu-aarch64-static",
        "cortex-a76",  # Raspberry Pi 5; qemu 7.2's "max" offers SVE, on which int8 kernels go wrong
        "aarch64-linux-gnu",
        tuple(f"manylinux{glibc}_aarch64" for glibc in ("_2_28", "_2_27", "_2_17", "2014")),
        ("python3", "libstdc++6", "libgomp1", "zlib1g"),
        (
            "numpy",
            "opencv-python-headless",
            "ai-edge-litert<2.2",
            "ml_dtypes",
            "simplejpeg",
            "click",
            "flatbuffers",
            *LITERT_WHEELS,
            *TEST_WHEELS,
        ),
    ),
}


def call(*command: str | Path, cwd: Path | None = None) -> None:
    subprocess.run(command, cwd=cwd, check=True)


def unpack_emulator() -> Path:
    """Debian's static qemu, unpacked; its folder."""
    folder = HOME / "qemu"
    if not (folder / "usr/bin").is_dir():
        folder.mkdir(parents=True, exist_ok=True)
        call("apt-get", "download", "-qq", "qemu-user-static", cwd=folder)
        call("dpkg", "-x", next(folder.glob("qemu-user-static*.deb")), folder)
    return folder / "usr/bin"


def unpack_debian(architecture: str, packages: Sequence[str]) -> Path:
    """The packages of another architecture with all they need, in a root of their own; apt gets a state of its own."""
    root, apt = HOME / architecture / "root", HOME / architecture / "apt"
    if root.is_dir():
        return root
    for folder in (
        "var/lib/apt/lists/partial",
        "var/cache/apt/archives/partial",
        "var/lib/dpkg",
        "etc/apt/preferences.d",
    ):
        (apt / folder).mkdir(parents=True, exist_ok=True)
    (apt / "var/lib/dpkg/status").touch()
    for name in ("sources.list", "sources.list.d", "apt.conf.d"):
        source = Path("/etc/apt") / name
        copy = shutil.copytree if source.is_dir() else shutil.copy
        if source.exists() and not (apt / "etc/apt" / name).exists():
            copy(source, apt / "etc/apt" / name)
    options = {
        "Dir": apt,
        "Dir::State::status": apt / "var/lib/dpkg/status",
        "Dir::Etc::trustedparts": "/etc/apt/trusted.gpg.d",
        "APT::Architecture": architecture,
        "APT::Architectures": architecture,
        "APT::Install-Recommends": "false",
        "APT::Sandbox::User": "root",
    }
    apt_get = ["apt-get", "-qq", *(f"-o{key}={value}" for key, value in options.items())]
    # A mirror in mid-sync fails one list of several: whether that matters, the next command tells.
    subprocess.run([*apt_get, "update"], check=False)
    call(*apt_get, "install", "-y", "--download-only", *packages)
    unfinished = root.with_name("root.part")
    for archive in sorted((apt / "var/cache/apt/archives").glob("*.deb")):
        call("dpkg", "-x", archive, unfinished)
    unfinished.rename(root)
    return root


def unpack_wheels(architecture: str, board: Board, wheel: Path) -> Path:
    """site-packages of the board: wheels by others once, ours every time."""
    site, wheels = HOME / architecture / "site", HOME / architecture / "wheels"
    if not site.is_dir():
        platforms = [f"--platform={name}" for name in (*board.platforms, "any")]
        pip = [sys.executable, "-m", "pip", "download", "-qq", "--no-deps", "--only-binary=:all:"]
        python = ["--python-version=3.11", "--implementation=cp"]
        call(*pip, *python, *platforms, f"--dest={wheels}", *board.wheels)
        for path in sorted(wheels.glob("*.whl")):
            shutil.unpack_archive(path, site, format="zip")
    shutil.rmtree(site / "mninfer", ignore_errors=True)
    shutil.unpack_archive(wheel, site, format="zip")
    return site


def write_python(architecture: str, board: Board, emulator: Path, root: Path, site: Path) -> Path:
    """A script that is that machine's python, for child processes too."""
    libraries = [root / f"usr/lib/{board.libraries}{end}" for end in ("", "/blas", "/lapack")]
    libraries.append(root / f"lib/{board.libraries}")
    packages = [site, root / "usr/lib/python3/dist-packages"]
    script = HOME / architecture / "python3.11"
    script.write_text(
        "#!/bin/bash\nunset LD_LIBRARY_PATH PYTHONHOME PYTHONPATH\n"
        f"exec {emulator / board.emulator} -cpu {board.cpu} -L {root} "
        f"-E LD_LIBRARY_PATH={':'.join(map(str, libraries))} -E PYTHONHOME={root / 'usr'} "
        f'-E PYTHONPATH={":".join(map(str, packages))} -E PYTHONSAFEPATH=1 {root / "usr/bin/python3.11"} "$@"\n'
    )
    script.chmod(0o755)
    (site / "sitecustomize.py").write_text(f"import sys\n\nsys.executable = {str(script)!r}\n")
    return script


def main() -> int:
    if len(sys.argv) < 3 or sys.argv[1] not in BOARDS:
        print(__doc__, file=sys.stderr)
        return 2
    architecture, wheel, arguments = sys.argv[1], Path(sys.argv[2]).resolve(), sys.argv[3:]
    board = BOARDS[architecture]
    emulator = unpack_emulator()
    root = unpack_debian(architecture, board.debian)
    site = unpack_wheels(architecture, board, wheel)
    python = write_python(architecture, board, emulator, root, site)
    environment = os.environ | {"MNKIT_ENVIRONMENT": architecture}
    return subprocess.run([python, "-m", "pytest", *arguments], cwd=ROOT, env=environment, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
