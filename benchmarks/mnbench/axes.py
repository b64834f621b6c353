"""A block of a plan: some axes, and the cells that their product spans; options replace axes."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from itertools import product
from typing import Any, TypeVar

from mnbench.catalogue import EngineKind, engine_entry
from mnbench.cell import BatchNorm, Cell, Compiler, Device, InstructionSet, Variant, Work

__all__ = [
    "FORMS",
    "PEER_FORMS",
    "PRECISIONS",
    "Block",
    "ModelOffer",
    "Wishes",
    "cells_of",
    "training_block",
    "with_wishes",
]

_Item = TypeVar("_Item")

# What a training framework computes in; what mnconvert makes of a network; what others' converters take from that.
PRECISIONS = (Variant.FLOAT32, Variant.BF16, Variant.FP16)
FORMS = (Variant.FLOAT32, Variant.UNFUSED, Variant.FP16, Variant.DYNAMIC, Variant.INT8, Variant.INT16X8)
PEER_FORMS = (Variant.FLOAT32, Variant.INT8)
_TRAINING_WORKS = (Work.FORWARD, Work.FORWARD_BACKWARD)
_RUNTIME_WORKS = (Work.PHOTO_TO_LABEL, Work.COLD_START, Work.IMPORT)
_POSSIBLE = {
    EngineKind.FLATBUFFER: (FORMS, (Work.FORWARD,)),
    EngineKind.KERAS: (PRECISIONS, _TRAINING_WORKS),
    EngineKind.PEER: (PEER_FORMS, (Work.FORWARD,)),
    EngineKind.RUNTIME: (FORMS, _RUNTIME_WORKS),
    EngineKind.DEVICE: (FORMS, (Work.FORWARD,)),
}


# A cell's fields and the axes that they are taken from, the slowest to change first.
_AXES = {
    "model": "models",
    "engine": "engines",
    "device": "devices",
    "instruction_set": "instruction_sets",
    "compiler": "compilers",
    "batch_norm": "batch_norms",
    "variant": "variants",
    "use_xnnpack": "xnnpack",
    "threads": "threads",
    "batch": "batches",
    "work": "works",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelOffer:
    """A model that was asked for: which flatbuffers there can be of it, and whether a training framework can run it."""

    name: str
    variants: frozenset[Variant]
    is_trainable: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """The product of these axes; a cell that can't be, as int8 in a training framework, is left out of it."""

    models: tuple[str, ...]
    engines: tuple[str, ...]
    variants: tuple[Variant, ...] = (Variant.FLOAT32,)
    works: tuple[Work, ...] = (Work.FORWARD,)
    threads: tuple[int | None, ...] = (1,)
    batches: tuple[int, ...] = (1,)
    batch_norms: tuple[BatchNorm | None, ...] = (None,)
    compilers: tuple[Compiler | None, ...] = (None,)
    instruction_sets: tuple[InstructionSet | None, ...] = (None,)
    xnnpack: tuple[bool, ...] = (True,)
    devices: tuple[Device, ...] = (Device.CPU,)

    def cells(self) -> Iterator[Cell]:
        """In the order in which a table shows them: by model, engine, what it is limited to, and its variants."""
        for values in product(*(getattr(self, axis) for axis in _AXES.values())):
            fields: dict[str, Any] = dict(zip(_AXES, values, strict=True))
            if fields["work"] is Work.IMPORT:
                fields["threads"] = None  # nothing computes
            variants, works = _POSSIBLE[engine_entry(fields["engine"]).kind]
            if fields["variant"] in variants and fields["work"] in works:
                yield Cell(**fields)


@dataclass(frozen=True, slots=True, kw_only=True)
class Wishes:
    """What options name. An empty one leaves a preset's axis as it is."""

    models: tuple[str, ...] = ()
    engines: tuple[str, ...] = ()
    variants: tuple[Variant, ...] = ()
    works: tuple[Work, ...] = ()
    threads: tuple[int, ...] = ()
    batches: tuple[int, ...] = ()


def with_wishes(blocks: tuple[Block, ...], wishes: Wishes) -> tuple[Block, ...]:
    """The blocks with what was wished for in place of what they had.

    Models, variants, threads and batches replace an axis. Engines and works choose among the blocks; one that no block
    has gets a block of its own, so that whatever is named is measured.
    """
    models = wishes.models or blocks[0].models
    chosen = [*_choose(blocks, "engines", wishes.engines, lambda engine: _plain_block(models, engine))]
    chosen = [*_choose(tuple(chosen), "works", wishes.works, lambda work: _block_of_work(models, work))]
    replaced = {
        axis: getattr(wishes, axis) for axis in ("models", "variants", "threads", "batches") if getattr(wishes, axis)
    }
    return tuple(replace(block, **replaced) for block in chosen)


def _choose(
    blocks: tuple[Block, ...], axis: str, wished: tuple[_Item, ...], new: Callable[[_Item], Block]
) -> Iterator[Block]:
    if not wished:
        yield from blocks
        return
    for block in blocks:
        kept = tuple(item for item in getattr(block, axis) if item in wished)
        if kept:
            yield replace(block, **{axis: kept})
    known = {item for block in blocks for item in getattr(block, axis)}
    yield from (new(item) for item in wished if item not in known)


def _plain_block(models: tuple[str, ...], engine: str) -> Block:
    kind = engine_entry(engine).kind
    if kind is EngineKind.KERAS:
        return training_block(models, engine)
    works = _POSSIBLE[kind][1]
    is_gpu = engine == "litert-gpu"
    return Block(
        models=models,
        engines=(engine,),
        variants=(Variant.FLOAT32,) if is_gpu else PEER_FORMS,
        works=works,
        devices=(Device.GPU,) if is_gpu else (Device.CPU,),
    )


def _block_of_work(models: tuple[str, ...], work: Work) -> Block:
    if work in _RUNTIME_WORKS:
        return Block(models=models, engines=("mninfer",), variants=(Variant.INT8,), works=(work,))
    if work is Work.FORWARD_BACKWARD:
        return replace(training_block(models, "keras-tensorflow"), works=(work,))
    return Block(models=models, engines=("litert",), variants=PEER_FORMS, works=(work,))


def training_block(models: tuple[str, ...], engine: str, norm: BatchNorm = BatchNorm.FUSED) -> Block:
    """A training framework's rows as one uses it: TensorFlow's graph, JAX's XLA; all cores."""
    compiler = Compiler.GRAPH if engine == "keras-tensorflow" else Compiler.XLA
    return Block(
        models=models,
        engines=(engine,),
        works=_TRAINING_WORKS,
        threads=(None,),
        batch_norms=(norm,),
        compilers=(compiler if engine != "keras-torch" else Compiler.GRAPH,),
    )


def cells_of(blocks: tuple[Block, ...], offers: tuple[ModelOffer, ...]) -> tuple[Cell, ...]:
    """Every cell of the blocks once, for models that can have it: a ``.tflite`` is what it is, and can't be trained."""
    offered = {offer.name: offer for offer in offers}
    found: dict[str, Cell] = {}
    for block in blocks:
        for cell in block.cells():
            offer = offered.get(cell.model)
            if offer is None or _has(offer, cell):
                found.setdefault(cell.key, cell)
    return tuple(found.values())


def _has(offer: ModelOffer, cell: Cell) -> bool:
    if engine_entry(cell.engine).kind is EngineKind.KERAS:
        return offer.is_trainable
    return cell.variant in offer.variants
