"""The ready-made requests: what each preset measures, as blocks of axes. Pure; the machine comes in as data."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import StrEnum

from mnbench.axes import FORMS, PEER_FORMS, PRECISIONS, Block, runtime_block, training_block
from mnbench.cell import BatchNorm, Compiler, Device, InstructionSet, Variant, Work
from mnbench.peers.peer import PEERS

__all__ = ["ABOUT", "Preset", "Surroundings", "blocks_of"]

_V1, _V2 = "mobilenet_v1_1.0_224", "mobilenet_v2_1.0_224"
_ZOO = (
    "mobilenet_v1_0.25_224",
    "mobilenet_v1_0.5_224",
    _V1,
    "mobilenet_v2_0.5_224",
    _V2,
    "mobilenet_v3_small_1.0_224",
    "mobilenet_v3_large_1.0_224",
)


class Preset(StrEnum):
    """Ready-made requests."""

    TABLE = "table"
    QUICK = "quick"
    FULL = "full"
    PEERS = "peers"
    ZOO = "zoo"
    GPU = "gpu"


ABOUT = {
    Preset.TABLE: "the table of 2017 and its flatbuffers, V1: a quarter of an hour on two cores",
    Preset.QUICK: "V1 float and int8, from photo to label, cold start, import: a minute and a half",
    Preset.FULL: "all engines, variants, threads, batches, precisions: hours",
    Preset.PEERS: "every peer beside LiteRT, V1 and V2, float and int8; what isn't installed is a row that says so",
    Preset.ZOO: "every variant of the zoo's networks on LiteRT",
    Preset.GPU: "training frameworks on a GPU: both BatchNorms, every precision, batch 1 and the one that saturates it",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What presets depend on: the cores, and the CPU's instruction sets."""

    cores: int
    instruction_sets: tuple[InstructionSet, ...] = ()

    @property
    def thread_counts(self) -> tuple[int, ...]:
        """1, 2, 4 as far as there are cores."""
        return tuple(count for count in (1, 2, 4) if count <= self.cores) or (1,)


def blocks_of(preset: Preset, around: Surroundings) -> tuple[Block, ...]:
    """The blocks of a preset on a machine."""
    return _BLOCKS[preset](around)


def _table(around: Surroundings) -> tuple[Block, ...]:
    models = (_V1,)
    tensorflow = training_block(models, "keras-tensorflow")
    both = (BatchNorm.COMPOSED, BatchNorm.FUSED)
    # As of 2017: AVX2 with both; and before AVX2 the composed one, which every instruction set has fast kernels for.
    limits = {InstructionSet.AVX2: both, InstructionSet.SSE41: (BatchNorm.COMPOSED,)}
    return (
        replace(tensorflow, batch_norms=both),
        replace(tensorflow, compilers=(Compiler.XLA,)),
        *(
            replace(tensorflow, instruction_sets=(limit,), batch_norms=norms)
            for limit, norms in limits.items()
            if limit in around.instruction_sets
        ),
        training_block(models, "keras-jax"),
        Block(models=models, engines=("litert",), variants=FORMS),
        Block(models=models, engines=("litert",), variants=PEER_FORMS, threads=_several(around)),
        Block(models=models, engines=("litert",), variants=PEER_FORMS, xnnpack=(False,)),
        Block(models=models, engines=("tflite-runtime", "tensorflow"), variants=PEER_FORMS),
    )


def _quick(around: Surroundings) -> tuple[Block, ...]:
    models = (_V1,)
    return (
        Block(models=models, engines=("litert",), variants=PEER_FORMS, threads=around.thread_counts),
        runtime_block(models, (Variant.INT8,), (Work.PHOTO_TO_LABEL, Work.COLD_START, Work.IMPORT)),
    )


def _full(around: Surroundings) -> tuple[Block, ...]:
    models = (_V1, _V2)
    tensorflow = replace(
        training_block(models, "keras-tensorflow"),
        batch_norms=(BatchNorm.COMPOSED, BatchNorm.FUSED),
        compilers=(Compiler.GRAPH, Compiler.XLA),
        variants=PRECISIONS,
    )
    jax = replace(training_block(models, "keras-jax"), variants=PRECISIONS)
    limits = tuple(around.instruction_sets)
    return (
        tensorflow,
        jax,
        replace(tensorflow, batches=(8, 32), variants=(Variant.FLOAT32,), compilers=(Compiler.GRAPH,)),
        replace(jax, batches=(8, 32), variants=(Variant.FLOAT32,)),
        replace(tensorflow, instruction_sets=limits, variants=(Variant.FLOAT32,), compilers=(Compiler.GRAPH,)),
        replace(jax, instruction_sets=limits, variants=(Variant.FLOAT32,)),
        replace(training_block(models, "keras-torch"), variants=PRECISIONS),
        Block(
            models=models,
            engines=("litert", "tflite-runtime", "tensorflow"),
            variants=FORMS,
            threads=around.thread_counts,
            xnnpack=(True, False),
        ),
        Block(models=models, engines=("litert-gpu",), devices=(Device.GPU,)),
        *_peers(around),
        runtime_block(models, PEER_FORMS, (Work.PHOTO_TO_LABEL, Work.COLD_START, Work.IMPORT)),
        replace(runtime_block(models, PEER_FORMS, (Work.PHOTO_TO_LABEL,)), threads=around.thread_counts),
    )


def _peers(around: Surroundings) -> tuple[Block, ...]:
    return (
        Block(
            models=(_V1, _V2),
            engines=("litert", *(name for name, peer in PEERS.items() if not peer.refusal)),
            variants=PEER_FORMS,
            threads=around.thread_counts,
        ),
    )


def _zoo(around: Surroundings) -> tuple[Block, ...]:
    return (Block(models=_ZOO, engines=("litert",), variants=FORMS, threads=_several(around)),)


def _gpu(_: Surroundings) -> tuple[Block, ...]:
    """At batch 1; ``mnbench run`` finds the batch that saturates the GPU, and adds it."""
    block = replace(
        training_block((_V1, _V2), "keras-jax"),
        devices=(Device.GPU,),
        batch_norms=(BatchNorm.COMPOSED, BatchNorm.FUSED),
    )
    return (block, replace(block, variants=(Variant.BF16, Variant.FP16), batch_norms=(BatchNorm.FUSED,)))


def _several(around: Surroundings) -> tuple[int, ...]:
    """The most threads of the counts that are measured: 1 where there is one core."""
    return around.thread_counts[-1:]


_BLOCKS: dict[Preset, Callable[[Surroundings], tuple[Block, ...]]] = {
    Preset.TABLE: _table,
    Preset.QUICK: _quick,
    Preset.FULL: _full,
    Preset.PEERS: _peers,
    Preset.ZOO: _zoo,
    Preset.GPU: _gpu,
}
