"""Which variant a flatbuffer is, told from its tensors: for files that nobody here made."""

from mnbench.cell import Variant
from mninfer.model_file import Arithmetic, Graph, ModelFile, arithmetic_of

__all__ = ["variant_of"]


def variant_of(file: ModelFile) -> Variant:
    """The variant; unfused is only told of a file of ours, whose contract says so."""
    arithmetic = arithmetic_of(file.graph)
    if arithmetic is Arithmetic.DYNAMIC:
        return Variant.DYNAMIC
    if arithmetic is Arithmetic.INTEGER:
        return Variant.INT16X8 if _has_wide_activations(file.graph) else Variant.INT8
    if any(tensor.dtype == "float16" and tensor.data is not None for tensor in file.graph.tensors):
        return Variant.FP16
    recipe = file.contract.provenance.recipe if file.contract else None
    return Variant.UNFUSED if "unfused" in (recipe or "").split(", ") else Variant.FLOAT32


def _has_wide_activations(graph: Graph) -> bool:
    return any(t.dtype == "int16" and t.data is None and t.quantization is not None for t in graph.tensors)
