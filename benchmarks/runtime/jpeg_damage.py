"""Of JPEGs damaged in their picture data, how many are taken for sound by OpenCV, by our check alone, and by mninfer?

usage: python benchmarks/runtime/jpeg_damage.py [--shared ../shared]

Fifty ImageNet sample pictures, each damaged four times in each way, at random places (seeded). "without simplejpeg" is
mninfer where only OpenCV decodes: it walks the scans for markers, and no more can be told without decoding them.
"""

import argparse
import contextlib
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import cv2
import numpy as np

import mninfer
from mninfer.images import load_image
from sampling import write_result

ROOT = Path(__file__).parents[2]
PIECE = 512
TIMES = 4
Damage = Callable[[bytes, int, np.random.Generator], bytes]

DAMAGES: dict[str, Damage] = {
    "cut off": lambda data, at, rng: data[:at],
    "cut off, end marker put back": lambda data, at, rng: data[:at] + b"\xff\xd9",
    "512 bytes missing": lambda data, at, rng: data[:at] + data[at + PIECE :],
    "512 bytes of zeros": lambda data, at, rng: data[:at] + bytes(PIECE) + data[at + PIECE :],
    "512 bytes of noise": lambda data, at, rng: data[:at] + rng.bytes(PIECE) + data[at + PIECE :],
    "one bit flipped": lambda data, at, rng: data[:at] + bytes([data[at] ^ 1 << rng.integers(8)]) + data[at + 1 :],
}


def opencv_takes(data: bytes) -> bool:
    return cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR) is not None


def mninfer_takes(data: bytes) -> bool:
    try:
        load_image(data)
    except mninfer.InputError:
        return False
    return True


def mninfer_takes_without_simplejpeg(data: bytes) -> bool:
    installed = sys.modules.get("simplejpeg")
    sys.modules["simplejpeg"] = None  # type: ignore[assignment]
    try:
        return mninfer_takes(data)
    finally:
        if installed is None:
            del sys.modules["simplejpeg"]
        else:
            sys.modules["simplejpeg"] = installed


@contextlib.contextmanager
def silenced() -> Iterator[None]:
    """Libjpeg tells the standard error what it made up."""
    kept, nowhere = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 2)
    try:
        yield
    finally:
        os.dup2(kept, 2)
        os.close(nowhere)


def count(paths: list[Path], damage: Damage) -> dict[str, int]:
    readers = (opencv_takes, mninfer_takes_without_simplejpeg, mninfer_takes)
    rng = np.random.default_rng(0)
    taken = dict.fromkeys(("opencv", "mninfer without simplejpeg", "mninfer"), 0)
    for path in paths:
        data = path.read_bytes()
        start = data.rfind(b"\xff\xda") + 14
        for _ in range(TIMES):
            damaged = damage(data, int(rng.integers(start, len(data) - 2 * PIECE)), rng)
            for name, reader in zip(taken, readers, strict=True):
                taken[name] += reader(damaged)
    return {"damaged": len(paths) * TIMES, **{f"taken by {name}": number for name, number in taken.items()}}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--shared", type=Path, default=ROOT.parent / "shared")
    paths = sorted((parser.parse_args().shared / "data/imagenet-dev").glob("*.jpg"))[::10]
    if not paths:
        raise SystemExit("no pictures in data/imagenet-dev: state --shared")
    with silenced():
        rows = {name: count(paths, damage) for name, damage in DAMAGES.items()}
    write_result("jpeg_damage", {"pictures": len(paths), "damage": rows})
    return 0


if __name__ == "__main__":
    sys.exit(main())
