"""A file for an older runtime: operators in the version that it has, where that computes the same; else an error.

TensorFlow 2.21 stores a dynamic file's Dense weights with a scale for each channel, which FULLY_CONNECTED has from
version 12 on; with one scale for all, version 9 does.
"""

import numpy as np

from mnconvert.passes.editing import Editing
from mnconvert.quantize.align import align
from mnconvert.quantize.constants import Constants
from mnconvert.quantize.scales import INT8_MAX, symmetric_scales
from mninfer.errors import VariantError
from mninfer.model_file import Graph, Operator, check_model, is_dense_per_channel, oldest_runtime, runtime_of

__all__ = ["older_versions", "release_number"]

_PER_CHANNEL, _PER_TENSOR, _SYMMETRIC = 12, 9, 3  # FULLY_CONNECTED on float activations and int8 weights
_WEIGHTS = 1
_STAMP, _STAMP_SIZE = "min_runtime_version", 16  # metadata of TensorFlow's own converter


def older_versions(flatbuffer: bytes, release: str, original: bytes) -> bytes:
    """The file as ``release``, such as ``2.14``, loads it; ``original`` is the float file with the exact weights.

    Raises:
        VariantError: operators in versions that only later releases have; lists all of them.
    """
    graph = check_model(flatbuffer)
    changed = [op for op in graph.operators if _is_dense_12(op) and not _has(release, runtime_of(graph, op))]
    if changed:
        flatbuffer = _with_dense_per_tensor(flatbuffer, graph, changed, original)
        graph = check_model(flatbuffer)
    _refuse_later(graph, release)
    return flatbuffer


def release_number(release: str) -> tuple[int, int, int]:
    """A release to compare.

    >>> release_number("2.14") == release_number("2.14.0")
    True
    """
    major, minor, patch = (*map(int, release.split(".")[:3]), 0, 0)[:3]
    return major, minor, patch


def _has(release: str, since: str | None) -> bool:
    return since is not None and release_number(since) <= release_number(release)


def _is_dense_12(operator: Operator) -> bool:
    return operator.name == "FULLY_CONNECTED" and operator.version == _PER_CHANNEL


def _refuse_later(graph: Graph, release: str) -> None:
    later = [op for op in graph.operators if not _has(release, runtime_of(graph, op))]
    if not later:
        return
    offenders = [_named(graph, operator) for operator in later]
    more = f", and {len(offenders) - 1} more" if len(offenders) > 1 else ""
    helps = ("--per-tensor",) if all(_is_int8_dense_per_channel(graph, operator) for operator in later) else ()
    raise VariantError(
        f"TensorFlow Lite {release} can't run the file: {offenders[0]}{more}",
        offenders=offenders,
        hints=(*helps, f"--target-runtime {oldest_runtime(graph) or 'of a later release'}", "another --quantize"),
    )


def _named(graph: Graph, operator: Operator) -> str:
    name = graph.tensors[operator.outputs[0]].name.partition(";")[0]
    scales = " with a scale for each channel" if is_dense_per_channel(graph, operator) else ""
    needed = runtime_of(graph, operator) or "a later one"
    return f"{operator.name} version {operator.version}{scales} needs {needed}, at {name!r}"


def _is_int8_dense_per_channel(graph: Graph, operator: Operator) -> bool:
    return is_dense_per_channel(graph, operator) and graph.tensors[operator.outputs[0]].dtype == "int8"


def _with_dense_per_tensor(flatbuffer: bytes, graph: Graph, changed: list[Operator], original: bytes) -> bytes:
    floats = check_model(original)
    constants, pairs = Constants(floats), align(graph, floats).operators
    editing = Editing(flatbuffer)
    for operator in changed:
        weights = constants.floats(floats.operators[pairs[operator.index]].inputs[_WEIGHTS])
        scales = symmetric_scales(weights, is_per_tensor=True)[:1].astype(np.float32)
        index = operator.inputs[_WEIGHTS]
        steps = np.clip(np.round(weights / scales[0].astype(np.float64)), -INT8_MAX, INT8_MAX)
        editing.set_data(index, steps.astype(np.int8))
        kept = editing.tensors[index]["quantization"]
        editing.tensors[index]["quantization"] = {**kept, "scale": (float(scales[0]),), "zero_point": (0,)}
        is_asymmetric = operator.options.get("asymmetric_quantize_inputs", False)
        version = _PER_TENSOR if is_asymmetric else _SYMMETRIC
        table = editing.operators[operator.index]
        table["opcode_index"] = editing.code(editing.code_of("FULLY_CONNECTED", version))
    return _stamped(editing)


def _stamped(editing: Editing) -> bytes:
    """The release that TensorFlow's converter says the file needs, anew."""
    since = oldest_runtime(check_model(editing.encoded()))
    for entry in editing.root.get("metadata", []):
        if entry["name"] == _STAMP and since is not None:
            editing.root["buffers"][entry["buffer"]] = {"data": since.encode().ljust(_STAMP_SIZE, b"\0")}
    return editing.encoded()
