"""SHA-256 of a model's bytes, by whichever implementation costs less from a cold start.

OpenSSL's, behind ``hashlib``, is several times as fast, but loading it takes 3.5 MiB of memory and 3 ms; CPython's own
is inside the interpreter. Both give the same digest.
"""

import sys
from collections.abc import Callable
from importlib import import_module
from typing import Any

__all__ = ["digest_of", "digests_of_parts"]

# From here on OpenSSL is the faster one even on its first call, by more than a short run would notice.
LARGE_BYTES = 2 << 20
# CPython's own SHA-256 since 3.12, and before. hashlib falls back to it, and has no way to ask for it.
_OWN_MODULES = ("_sha2", "_sha256")


def digest_of(data: bytes) -> str:
    """64 hexadecimal digits."""
    digest: str = _sha256(len(data))(data).hexdigest()
    return digest


def digests_of_parts(data: bytes, end: int) -> tuple[str, str]:
    """The digests of the first ``end`` bytes and of all of them, in one pass."""
    view = memoryview(data)
    hashed = _sha256(len(data))(view[:end])
    digest = hashed.hexdigest()
    hashed.update(view[end:])
    return digest, hashed.hexdigest()


def _sha256(num_bytes: int) -> Callable[..., Any]:
    if num_bytes < LARGE_BYTES and "_hashlib" not in sys.modules:
        for name in _OWN_MODULES:
            try:
                own: Callable[..., Any] = import_module(name).sha256
            except ImportError:  # the other version's name, or a Python that was built without it
                continue
            return own
    from hashlib import sha256

    return sha256
