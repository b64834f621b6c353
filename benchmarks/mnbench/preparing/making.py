"""Makes one bundle, in this process: from a request to files and the bundle.json that names them."""

import hashlib
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from mnbench.preparing.bundle import Bundle, is_bundle, read_bundle, write_bundle
from mnbench.preparing.lock import alone
from mnbench.preparing.request import BundleRequest, FlatbufferRequest, ModelRequest, NetworkRequest
from mnbench.preparing.store import Store
from mnbench.preparing.versions import versions_here
from mnbench.preparing.wanted import Wanted
from mninfer.errors import InputError, MnError
from mninfer.files import FileTooLargeError, NotRegularFileError, read_regular_file

__all__ = ["GENERATION", "Watch", "find_bundle", "identity_of", "make_bundle"]

# Part of every bundle's identity: goes up when the same request would give other files.
GENERATION = 3
_MOST_BYTES = 2 << 30

Watch = Callable[[str], None]


def find_bundle(request: ModelRequest, folder: Path, watch: Watch) -> Bundle | None:
    """What ``folder`` has of ``request`` already, if it is whole and of the same origin."""
    home = folder / request.name
    if not is_bundle(home):
        return None
    try:
        bundle = read_bundle(home)
    except InputError as error:
        watch(f"{request.name} is made anew: {error.what}")
        return None
    if bundle.identity != identity_of(request):
        return None
    changed = _changed_versions(bundle)
    if changed:
        watch(f"{request.name} is made anew: it was made by {changed}")
    return None if changed else bundle


def make_bundle(request: ModelRequest, wanted: Wanted, folder: Path, watch: Watch) -> Bundle:
    """Make what is not there yet of ``wanted``, and write it all down. Raise MnError, located.

    Of two processes that want the same the second waits, and takes what the first has made.
    """
    store = Store(folder / request.name)
    store.open()
    with alone(folder, request.name, watch):
        old = find_bundle(request, folder, watch)
        if old is not None and wanted.is_held_by(old):
            return old
        if old is None:
            store.forget()
        try:
            bundle = _make(request, old, wanted, store, watch)
        except MnError as error:
            raise error.at(request.name) from error.__cause__
        bundle = replace(bundle, made_by=versions_here())
        write_bundle(bundle)
    return bundle


def _changed_versions(bundle: Bundle) -> str:
    """What made it, as far as something else is installed here; what isn't installed here makes nothing better."""
    here = versions_here()
    changed = {name: bundle.made_by.get(name) for name in here if bundle.made_by.get(name) != here[name]}
    return ", ".join(f"{name} {version or 'of a version not told'}" for name, version in changed.items())


def identity_of(request: ModelRequest) -> str:
    """The digest of what a bundle is made from."""
    told: dict[str, Any] = {"generation": GENERATION, "kind": type(request).__name__, "name": request.name}
    if isinstance(request, NetworkRequest):
        told |= {"architecture": request.architecture, "options": dict(request.options)}
    else:
        told["sha256"] = hashlib.sha256(_content(request.path)).hexdigest()
    return hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()


def _make(request: ModelRequest, old: Bundle | None, wanted: Wanted, store: Store, watch: Watch) -> Bundle:
    assert not isinstance(request, BundleRequest), "it is made already"
    identity = identity_of(request)
    if isinstance(request, FlatbufferRequest):
        from mnbench.preparing.from_flatbuffer import bundle_of_flatbuffer

        return bundle_of_flatbuffer(request, identity, old, wanted, store, watch)
    from mnbench.preparing.from_keras import bundle_of_keras

    return bundle_of_keras(request, identity, old, wanted, store, watch)


def _content(path: Path) -> bytes:
    try:
        return read_regular_file(path, _MOST_BYTES)
    except (NotRegularFileError, FileTooLargeError) as error:
        raise InputError(f"the model can't be read: {error}", where=str(path)) from error
    except OSError as error:
        raise InputError(f"the model can't be read: {error.strerror}", where=str(path)) from error
