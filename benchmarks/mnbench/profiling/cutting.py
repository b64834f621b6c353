"""A piece of a model as a model of its own: its operators with all that they have, the constants they read, no more."""

from collections.abc import Iterable, Mapping

from mnbench.profiling.pieces import Piece
from mninfer.model_file import Table, encode_model

__all__ = ["cut_piece"]

_INDICES = ("inputs", "outputs", "intermediates")  # of an operator, into the tensors; -1 is an operand left out


def cut_piece(root: Table, piece: Piece) -> bytes:
    """The flatbuffer of ``piece``; ``root`` is the whole as ``decode_model`` gives it, and stays as it is.

    Quantization, versions and options are carried over as they are, and tensors that share a buffer go on sharing it.
    """
    subgraph = root["subgraphs"][0]
    operators = [subgraph["operators"][index] for index in piece.operators]
    tensors = _renumbered(
        index for operator in operators for name in _INDICES for index in operator.get(name, ()) if index >= 0
    )
    buffers = _renumbered([0, *(subgraph["tensors"][index]["buffer"] for index in tensors)])  # 0 is the empty one
    codes = _renumbered(operator["opcode_index"] for operator in operators)
    return encode_model(
        {
            "version": root["version"],
            "description": f"{piece.name}, cut out to be timed",
            "operator_codes": [root["operator_codes"][index] for index in codes],
            "subgraphs": [
                {
                    "name": piece.name,
                    "tensors": [_tensor(subgraph["tensors"][index], buffers) for index in tensors],
                    "operators": [_operator(operator, tensors, codes) for operator in operators],
                    "inputs": tuple(tensors[index] for index in piece.inputs),
                    "outputs": tuple(tensors[index] for index in piece.outputs),
                }
            ],
            "buffers": [root["buffers"][index] for index in buffers],
        }
    )


def _renumbered(indices: Iterable[int]) -> dict[int, int]:
    """Each index once, in the order of the whole, with its number in the piece."""
    return {index: number for number, index in enumerate(sorted(set(indices)))}


def _tensor(table: Table, buffers: Mapping[int, int]) -> Table:
    """Its size is fixed to the one declared: an engine leaves a graph with open sizes to slower kernels."""
    kept = {name: value for name, value in table.items() if name != "shape_signature"}
    return {**kept, "buffer": buffers[table["buffer"]]}


def _operator(table: Table, tensors: Mapping[int, int], codes: Mapping[int, int]) -> Table:
    moved = {name: tuple(tensors.get(index, -1) for index in table[name]) for name in _INDICES if name in table}
    # What it says of debugging points into the metadata, which stay behind.
    return {**table, **moved, "opcode_index": codes[table["opcode_index"]], "debug_metadata_index": -1}
