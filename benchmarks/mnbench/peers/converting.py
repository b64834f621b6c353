"""A flatbuffer -> the file of a peer, by the peer's own tool, in the environment where that tool lives.

A file that was made of the same flatbuffer by the same versions is taken as it is. Each flatbuffer has a folder of its
own: of two models of one name neither takes the other's file away, which a process may be about to load.
"""

import json
import shutil
from pathlib import Path
from tempfile import TemporaryDirectory

from mnbench.cell import Variant
from mnbench.peers.conversions import CONVERSIONS, Environments
from mnbench.peers.environments import find_installed
from mnbench.peers.peer import ENVIRONMENTS, Peer, peer_named
from mnbench.peers.prepared import PreparedFile, record_path
from mnbench.preparing.lock import alone
from mninfer.errors import InputError, MissingDependencyError, OutputError, UnsupportedModelError, VariantError
from mninfer.files import write_atomically
from mninfer.loading import read_checked
from mninfer.model_file import ModelFile

__all__ = ["convert"]

_SOURCE_DIGITS = 16  # of the flatbuffer's digest, by which its folder is called


def convert(name: str, variant: Variant, bundle_file: Path, folder: Path) -> Path:
    """Make the file that the peer ``name`` loads of a flatbuffer in the form ``variant``; it lies below ``folder``.

    Who makes the same meanwhile is waited for.

    Raises:
        MissingDependencyError: the peer, or what converts for it, is not installed.
        VariantError: the peer can't compute this variant; the message says why.
        UnsupportedModelError: its tool refuses the model; the message has the tool's last words.
        OutputError: the file can't be written.
    """
    peer = peer_named(name)
    _check_variant(peer, variant)
    environments = _environments_of(peer, variant)
    prepared = _prepared(peer, variant, read_checked(str(bundle_file)), environments)
    home = folder / prepared.source[:_SOURCE_DIGITS]
    target = home / f"{bundle_file.stem}.{name}{peer.suffix_for(variant)}"
    try:
        home.mkdir(parents=True, exist_ok=True)
        with alone(home, target.name, lambda _: None):
            if not _is_made(target, prepared):
                _put_there(target, bundle_file, prepared, environments)
    except OSError as error:
        raise OutputError(f"the converted model can't be written: {error.strerror}", where=str(target)) from error
    except UnsupportedModelError as error:
        raise error.at(str(bundle_file)) from None
    return target


def _put_there(target: Path, source: Path, prepared: PreparedFile, environments: Environments) -> None:
    """The files first, and then their record: a file without it is not taken for whole."""
    with TemporaryDirectory(dir=target.parent, prefix=".making-") as scratch:
        _make(source, Path(scratch) / target.name, prepared, environments)
        record_path(target).unlink(missing_ok=True)
        for path in Path(scratch).glob(f"{source.stem}.{prepared.peer}.*"):
            path.replace(target.parent / path.name)
    write_atomically(record_path(target), json.dumps(prepared.to_json(), indent=1).encode(), force=True)


def _check_variant(peer: Peer, variant: Variant) -> None:
    """Return where ``peer`` computes ``variant``; else VariantError with the reason."""
    if peer.refusal:
        raise VariantError(f"{peer.title} can't be measured: {peer.refusal}")
    if variant not in peer.variants:
        reason = peer.refused.get(variant, "it is a precision of training frameworks")
        raise VariantError(
            f"{peer.title} can't run {variant}: {reason}",
            hints=f"it runs {', '.join(peer.variants)}",
        )


def _environments_of(peer: Peer, variant: Variant) -> Environments:
    """Every environment that is needed. Raise MissingDependencyError where one is not installed."""
    found = {name: find_installed(name) for name in peer.environments_for(variant)}
    missing = [name for name, environment in found.items() if environment is None]
    if missing:
        size_mb = sum(ENVIRONMENTS[name].about_mb for name in missing)
        raise MissingDependencyError(
            f"{peer.title} is not installed: there is no environment {' and no '.join(missing)}",
            hints=f"mnbench peers install {peer.name}, which takes about {size_mb:,} MB",
        )
    return {name: environment for name, environment in found.items() if environment is not None}


def _prepared(peer: Peer, variant: Variant, file: ModelFile, environments: Environments) -> PreparedFile:
    graph = file.graph
    if len(graph.inputs) != 1:
        raise UnsupportedModelError(f"the model has {len(graph.inputs)} inputs, a picture is one")
    preprocess = file.preprocess
    return PreparedFile(
        peer=peer.name,
        variant=str(variant),
        source=file.sha256,
        made_by={name: environment.version for name, environment in environments.items()},
        input=graph.tensors[graph.inputs[0]].spec(),
        outputs=tuple(graph.tensors[index].spec() for index in graph.outputs),
        mean=preprocess.mean if preprocess else (),
        std=preprocess.std if preprocess else (),
    )


def _make(source: Path, target: Path, prepared: PreparedFile, environments: Environments) -> None:
    if Variant(prepared.variant) in peer_named(prepared.peer).direct:
        shutil.copyfile(source, target)
    else:
        CONVERSIONS[prepared.peer](source, target, prepared.input, environments)


def _is_made(target: Path, prepared: PreparedFile) -> bool:
    """Whether ``target`` is there, and just what would be made."""
    try:
        recorded = PreparedFile.from_json(json.loads(record_path(target).read_text(encoding="utf-8")), "the record")
    except (OSError, ValueError, InputError):
        return False
    return target.exists() and recorded.to_json() == prepared.to_json()
