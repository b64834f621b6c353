"""The table of contents: what was asked for, what is there already, what is made."""

from collections.abc import Callable, Collection, Sequence
from pathlib import Path

from mnbench.axes import FORMS, ModelOffer
from mnbench.cache import cache_folder
from mnbench.cell import Variant
from mnbench.preparing.apart import make_apart
from mnbench.preparing.bundle import Bundle, read_bundle, read_manifest
from mnbench.preparing.converting import refuse_without_keras
from mnbench.preparing.making import find_bundle, make_bundle
from mnbench.preparing.request import BundleRequest, FlatbufferRequest, ModelRequest, read_request, refuse_namesakes
from mnbench.preparing.wanted import Form, Wanted, wanted_of

__all__ = ["offer_of", "prepare"]


def prepare(
    requests: Sequence[str],
    *,
    variants: Collection[Variant] = FORMS,
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
    home = cache_folder() if folder is None else folder
    wanted = wanted_of(variants, batches, flatbuffers)
    asked = [(text, read_request(text)) for text in requests]
    refuse_namesakes(requests, [request.name for _, request in asked])
    lacking = [text for text, request in asked if not _is_there(request, wanted, home, watcher)]
    if lacking:
        make_apart(lacking, wanted, home, watcher)
    return tuple(_bundle(request, wanted, home, watcher) for _, request in asked)


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


def _is_there(request: ModelRequest, wanted: Wanted, folder: Path, watcher: Callable[[str], None]) -> bool:
    """Whether nothing has to be made by Keras. Raise MissingDependencyError where that isn't possible here."""
    if isinstance(request, BundleRequest | FlatbufferRequest):
        return True
    old = find_bundle(request, folder, watcher)
    if old is not None and wanted.is_held_by(old):
        return True
    refuse_without_keras(request.name, has_flatbuffers=bool(wanted.forms_lacking(old)))
    return False


def _bundle(request: ModelRequest, wanted: Wanted, folder: Path, watcher: Callable[[str], None]) -> Bundle:
    """The bundle, which is there, or takes no Keras to make."""
    if isinstance(request, BundleRequest):
        return read_bundle(request.path)
    old = find_bundle(request, folder, watcher)
    return old if old is not None and wanted.is_held_by(old) else make_bundle(request, wanted, folder, watcher)
