"""What the environment that runs this takes on disk, per top-level name: make size.

usage: python tools/measure_install.py [--limit-mb N] [--json]

MB are 10^6 bytes of the files, as they are anywhere; the blocks that they take on this file system are told as well.
Exit code 1 above the limit.
"""

import argparse
import json
import sys
import sysconfig
from pathlib import Path

SHOWN = 12


def file_bytes(path: Path) -> int:
    """The size of a file, or of all files under a folder."""
    paths = [path, *path.rglob("*")] if path.is_dir() else [path]
    return sum(each.lstat().st_size for each in paths if not each.is_dir())


def block_bytes(folder: Path) -> int:
    """The blocks that all files and folders under a folder take here."""
    return sum(getattr(each.lstat(), "st_blocks", 0) * 512 for each in folder.rglob("*"))


def measure(folder: Path) -> dict[str, int]:
    """Top-level name in site-packages -> bytes, largest first."""
    sizes = {path.name: file_bytes(path) for path in folder.iterdir()}
    return dict(sorted(sizes.items(), key=lambda item: -item[1]))


def main() -> int:
    parser = argparse.ArgumentParser(description="Measure the environment that runs this.")
    parser.add_argument("--limit-mb", type=float, help="exit 1 above this")
    parser.add_argument("--json", action="store_true", help="for machines")
    arguments = parser.parse_args()
    folder = Path(sysconfig.get_path("purelib"))
    sizes, blocks = measure(folder), block_bytes(folder)
    total = sum(sizes.values())
    if arguments.json:
        print(json.dumps({"schema": 1, "total_bytes": total, "block_bytes": blocks, "bytes": sizes}, indent=2))
    else:
        for name, size in list(sizes.items())[:SHOWN]:
            print(f"{size / 1e6:8.1f} MB  {name}")
        print(f"{total / 1e6:8.1f} MB  in all, {len(sizes)} names; {blocks / 1e6:.1f} MB in blocks of this file system")
    if arguments.limit_mb and total > arguments.limit_mb * 1e6:
        print(f"error: {total / 1e6:.1f} MB is more than {arguments.limit_mb:g} MB", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
