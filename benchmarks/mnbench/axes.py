"""A block of a plan: some axes, and the cells that their product spans; options replace axes."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from itertools import product
from typing import Any, TypeVar

from mnbench.catalogue import EngineEntry, EngineKind, engine_entry
from mnbench.cell import BatchNorm, Cell, Compiler, Device, InstructionSet, Variant, Work

__all__ = [
    "FORMS",
    "PEER_FORMS",
    "PRECISIONS",
    "Block",
    "ModelOffer",
    "Wishes",
    "cells_of",
    "runtime_block",
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
_REPLACED = ("models", "variants", "threads", "batches", "devices")


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
            cell = Cell(**fields)
            if _is_possible(cell):
                yield cell


def _is_possible(cell: Cell) -> bool:
    """Whether the engine has such a thing; limits of instruction sets are a CPU's."""
    entry = engine_entry(cell.engine)
    variants, works = _POSSIBLE[entry.kind]
    if cell.device is Device.GPU and cell.instruction_set is not None:
        return False
    return cell.variant in variants and cell.work in works and cell.device in entry.devices


@dataclass(frozen=True, slots=True, kw_only=True)
class Wishes:
    """What options name. An empty one leaves a preset's axis as it is."""

    models: tuple[str, ...] = ()
    engines: tuple[str, ...] = ()
    variants: tuple[Variant, ...] = ()
    works: tuple[Work, ...] = ()
    threads: tuple[int, ...] = ()
    batches: tuple[int, ...] = ()
    devices: tuple[Device, ...] = ()


def with_wishes(blocks: tuple[Block, ...], wishes: Wishes) -> tuple[Block, ...]:
    """The blocks with what was wished for in place of what they had.

    Models, variants, threads, batches and devices replace an axis. Engines and works choose among the blocks; one that
    no block has gets blocks of its own, so that whatever is named is measured: an engine what the preset asks of others
    of its kind, if it has any.
    """
    models = wishes.models or blocks[0].models
    chosen = [*_choose(blocks, "engines", wishes.engines, lambda engine: _blocks_of_engine(blocks, models, engine))]
    chosen = [*_choose(tuple(chosen), "works", wishes.works, lambda work: (_block_of_work(models, work),))]
    replaced = {axis: getattr(wishes, axis) for axis in _REPLACED if getattr(wishes, axis)}
    return tuple(replace(block, **replaced) for block in chosen)


def _choose(
    blocks: tuple[Block, ...], axis: str, wished: tuple[_Item, ...], new: Callable[[_Item], tuple[Block, ...]]
) -> Iterator[Block]:
    if not wished:
        yield from blocks
        return
    for block in blocks:
        kept = tuple(item for item in getattr(block, axis) if item in wished)
        if kept:
            yield replace(block, **{axis: kept})
    known = {item for block in blocks for item in getattr(block, axis)}
    for item in wished:
        if item not in known:
            yield from new(item)


def _blocks_of_engine(blocks: tuple[Block, ...], models: tuple[str, ...], engine: str) -> tuple[Block, ...]:
    """What the blocks ask of engines of its kind on a device that it runs on, too; else a plain block."""
    entry = engine_entry(engine)
    alike = [block for block in blocks if _is_for_others_like(entry, block)]
    if entry.kind is EngineKind.KERAS:
        alike = [replace(block, compilers=(_compiler_of(engine),)) for block in alike]
    return tuple(replace(block, engines=(engine,)) for block in alike) or (_plain_block(models, engine),)


def _is_for_others_like(entry: EngineEntry, block: Block) -> bool:
    kinds = {engine_entry(engine).kind for engine in block.engines}
    return entry.kind in kinds and not set(entry.devices).isdisjoint(block.devices)


def _plain_block(models: tuple[str, ...], engine: str) -> Block:
    entry = engine_entry(engine)
    if entry.kind is EngineKind.KERAS:
        return training_block(models, engine)
    return Block(
        models=models,
        engines=(engine,),
        variants=PEER_FORMS if Device.CPU in entry.devices else (Variant.FLOAT32,),
        works=_POSSIBLE[entry.kind][1],
        devices=entry.devices,
    )


def _block_of_work(models: tuple[str, ...], work: Work) -> Block:
    if work in _RUNTIME_WORKS:
        return runtime_block(models, (Variant.INT8,), (work,))
    if work is Work.FORWARD_BACKWARD:
        return replace(training_block(models, "keras-tensorflow"), works=(work,))
    return Block(models=models, engines=("litert",), variants=PEER_FORMS, works=(work,))


def runtime_block(models: tuple[str, ...], variants: tuple[Variant, ...], works: tuple[Work, ...]) -> Block:
    """The runtime as a user has it: nobody says how many threads."""
    return Block(models=models, engines=("mninfer",), variants=variants, works=works, threads=(None,))


def training_block(models: tuple[str, ...], engine: str, norm: BatchNorm = BatchNorm.FUSED) -> Block:
    """A training framework's rows as one uses it: TensorFlow's graph, JAX's XLA; all cores."""
    return Block(
        models=models,
        engines=(engine,),
        works=_TRAINING_WORKS,
        threads=(None,),
        batch_norms=(norm,),
        compilers=(_compiler_of(engine),),
    )


def _compiler_of(engine: str) -> Compiler:
    return {"keras-jax": Compiler.XLA}.get(engine, Compiler.GRAPH)


def cells_of(blocks: tuple[Block, ...], offers: tuple[ModelOffer, ...]) -> tuple[Cell, ...]:
    """Every cell of the blocks once, for models that can have it: a ``.tflite`` is what it is, and can't be trained.

    An import loads no model: once for each engine is enough.
    """
    offered = {offer.name: offer for offer in offers}
    found: dict[str, Cell] = {}
    for block in blocks:
        for cell in block.cells():
            offer = offered.get(cell.model)
            if offer is None or _has(offer, cell):
                found.setdefault(cell.engine if cell.work is Work.IMPORT else cell.key, cell)
    return tuple(found.values())


def _has(offer: ModelOffer, cell: Cell) -> bool:
    if engine_entry(cell.engine).kind is EngineKind.KERAS:
        return offer.is_trainable
    return cell.variant in offer.variants
