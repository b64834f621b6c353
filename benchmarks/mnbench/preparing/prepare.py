"""The table of contents: what was asked for, what is there already, what is made."""

import hashlib
import json
from collections.abc import Callable, Collection, Sequence
from pathlib import Path
from typing import Any

from mnbench.axes import ModelOffer
from mnbench.cell import Variant
from mnbench.preparing.bundle import Bundle, is_bundle, read_bundle, read_manifest, write_bundle
from mnbench.preparing.cache import cache_folder
from mnbench.preparing.converting import FORMS
from mnbench.preparing.request import BundleRequest, FlatbufferRequest, ModelRequest, NetworkRequest, read_request
from mnbench.preparing.store import Store
from mnbench.preparing.wanted import Form, Wanted, wanted_of
from mninfer.errors import InputError, MnError
from mninfer.files import FileTooLargeError, NotRegularFileError, read_regular_file

__all__ = ["GENERATION", "offer_of", "prepare"]

# Part of every bundle's identity: goes up when the same request would give other files.
GENERATION = 1
_MOST_BYTES = 2 << 30


def prepare(
    requests: Sequence[str],
    *,
    variants: Collection[Variant] = tuple(FORMS),
    batches: Collection[int] = (1,),
    flatbuffers: Collection[Form] | None = None,
    folder: Path | None = None,
    watcher: Callable[[str], None] = lambda _: None,
) -> tuple[Bundle, ...]:
    """Make, or find made, a bundle of each model that is asked for.

    Args:
        requests: names as "mobilenet_v1_1.0_224", Keras files, .tflite files, folders of bundles.
        variants: flatbuffers' variants; what only training frameworks have is left out.
        batches: of each an input and the reference's outputs, and flatbuffers.
        flatbuffers: these (variant, batch) alone, instead of all variants at all batches; none needs no TensorFlow.
        folder: where the bundles are, a folder to each; None is the user's cache.
        watcher: told of each step.

    Raises:
        InputError: a request that stands for nothing, or two of one name.
        MissingDependencyError: what is wanted can't be made with what is installed here.
    """
    wanted = wanted_of(variants, batches, flatbuffers)
    asked = [(text, read_request(text)) for text in requests]
    _refuse_namesakes(asked)
    return tuple(_prepare_one(text, request, wanted, folder or cache_folder(), watcher) for text, request in asked)


def offer_of(text: str) -> ModelOffer:
    """The name of what ``text`` asks for, and the forms it can be measured in, without making anything."""
    request = read_request(text)
    if isinstance(request, BundleRequest):
        bundle = read_manifest(request.path)
        return ModelOffer(name=bundle.model.name, variants=bundle.variants, is_trainable=bundle.is_trainable)
    if isinstance(request, FlatbufferRequest):
        from mnbench.preparing.form import variant_of
        from mninfer.loading import read_checked

        variant = variant_of(read_checked(str(request.path)))
        return ModelOffer(name=request.name, variants=frozenset({variant}), is_trainable=False)
    return ModelOffer(name=request.name, variants=frozenset(FORMS), is_trainable=True)


def _prepare_one(
    text: str, request: ModelRequest, wanted: Wanted, folder: Path, watcher: Callable[[str], None]
) -> Bundle:
    if isinstance(request, BundleRequest):
        return read_bundle(request.path)
    store = Store(folder / request.name)
    identity = _identity(request)
    old = _old(store.folder, identity, watcher)
    if old is not None and wanted.is_held_by(old):
        return old
    store.open(is_new=old is None)
    try:
        bundle = _make(request, identity, old, wanted, store, watcher)
    except MnError as error:
        raise error.at(text) from error.__cause__
    write_bundle(bundle)
    return bundle


def _make(
    request: ModelRequest,
    identity: str,
    old: Bundle | None,
    wanted: Wanted,
    store: Store,
    watcher: Callable[[str], None],
) -> Bundle:
    if isinstance(request, FlatbufferRequest):
        from mnbench.preparing.from_flatbuffer import bundle_of_flatbuffer

        return bundle_of_flatbuffer(request, identity, old, wanted, store, watcher)
    from mnbench.preparing.from_keras import bundle_of_keras

    assert not isinstance(request, BundleRequest)
    return bundle_of_keras(request, identity, old, wanted, store, watcher)


def _identity(request: ModelRequest) -> str:
    """The digest of what a bundle is made from."""
    told: dict[str, Any] = {"generation": GENERATION, "kind": type(request).__name__, "name": request.name}
    if isinstance(request, NetworkRequest):
        told |= {"architecture": request.architecture, "options": dict(request.options)}
    else:
        told["sha256"] = hashlib.sha256(_content(request.path)).hexdigest()
    return hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()


def _content(path: Path) -> bytes:
    try:
        return read_regular_file(path, _MOST_BYTES)
    except (NotRegularFileError, FileTooLargeError) as error:
        raise InputError(f"the model can't be read: {error}", where=str(path)) from error
    except OSError as error:
        raise InputError(f"the model can't be read: {error.strerror}", where=str(path)) from error


def _old(folder: Path, identity: str, watcher: Callable[[str], None]) -> Bundle | None:
    """What is there already, if it is whole and of the same origin."""
    if not is_bundle(folder):
        return None
    try:
        bundle = read_bundle(folder)
    except InputError as error:
        watcher(f"{folder.name} is made anew: {error.what}")
        return None
    return bundle if bundle.identity == identity else None


def _refuse_namesakes(asked: Sequence[tuple[str, ModelRequest]]) -> None:
    """Two requests of one name would share a folder, and could not be told apart in a table."""
    by_name: dict[str, str] = {}
    for text, request in asked:
        other = by_name.setdefault(request.name, text)
        if other != text:
            raise InputError(
                f'two models are called "{request.name}"', where=f"{other}, {text}", hints="rename one of the files"
            )
