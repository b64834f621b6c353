"""Data sets by name: the authors' archives, downloaded once to where Keras keeps them, told by their SHA-256.

``keras.datasets`` puts the same archives in the same place under the same names, so neither downloads a second time.
"""

import hashlib
import http.client
import os
from dataclasses import dataclass
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

from mninfer.errors import InputError
from mninfer.files import read_regular_file, write_atomically

__all__ = ["PUBLISHED_SETS", "PublishedSet", "fetch"]

TIMEOUT_S = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishedSet:
    """``file_name`` is what Keras calls the archive in its cache; digest and address are those of keras.datasets."""

    address: str
    file_name: str
    sha256: str
    size_bytes: int


PUBLISHED_SETS = {
    "cifar10": PublishedSet(
        address="https://www.cs.toronto.edu/~kriz/cifar-10-python.tar.gz",
        file_name="cifar-10-batches-py-target_archive",
        sha256="6d958be074577803d12ecdefd02955f39262c83c16fe9348329d7fe0b5c001ce",
        size_bytes=170_498_071,
    ),
    "cifar100": PublishedSet(
        address="https://www.cs.toronto.edu/~kriz/cifar-100-python.tar.gz",
        file_name="cifar-100-python-target_archive",
        sha256="85cd44d02ba6437773c5bbd22e183051d648de2e7d6b014e1ef29b855ba677a7",
        size_bytes=169_001_437,
    ),
}


def fetch(name: str) -> Path:
    """The archive of a published set, from the cache or the network.

    Raises:
        InputError: it can't be had, or isn't what was published.
    """
    published = PUBLISHED_SETS[name]
    path = _cache() / published.file_name
    if _is_there(path, published):
        return path
    data = _download(name, published)
    if _digest(data) != published.sha256:
        raise InputError(
            f"what came for {name} is not the published archive: {len(data):,} bytes, SHA-256 {_digest(data)[:16]}…",
            where=published.address,
            hints="try again; a proxy may have sent a page of its own",
        )
    _make_folder(path.parent)
    write_atomically(path, data, force=True)
    return path


def _is_there(path: Path, published: PublishedSet) -> bool:
    """Whether the archive is in the cache; what can't be read, or has another size, is not."""
    try:
        return _digest(read_regular_file(path, published.size_bytes)) == published.sha256
    except OSError:
        return False


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(
            f"no folder for the archive: {error.strerror}", where=str(folder),
            hints="KERAS_HOME names another folder for what is downloaded",
        ) from error  # fmt: skip


def _cache() -> Path:
    """As keras.config.keras_home has it, which can't be asked without starting a backend."""
    return Path(os.environ.get("KERAS_HOME") or Path.home() / ".keras").expanduser() / "datasets"


def _download(name: str, published: PublishedSet) -> bytes:
    try:
        with urlopen(published.address, timeout=TIMEOUT_S) as response:
            data: bytes = response.read(published.size_bytes + 1)
    except (URLError, OSError, http.client.HTTPException) as error:
        raise InputError(
            f"cannot download {name}: {getattr(error, 'reason', error)}",
            where=published.address,
            hints=(
                "give a local copy instead: the archive as its authors publish it, or a folder of pictures",
                f"put the archive at {_cache() / published.file_name}",
            ),
        ) from error
    return data


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
