"""``mninfer info``: what a model is and what is known of it, without running it; also where no engine is installed."""

from collections import Counter
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import click

from mninfer.cli.chatter import without_chatter
from mninfer.cli.options import engine_options, examples, model_argument
from mninfer.cli.output import json_line, note, printable, say
from mninfer.errors import MissingDependencyError, MnError

if TYPE_CHECKING:
    from mninfer.engines.protocol import DelegateCoverage
    from mninfer.model_file.graph import Graph, Tensor
    from mninfer.model_file.read import ModelFile

__all__ = ["EngineFacts", "command", "describe", "page"]

_SHOWN_LABELS = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineFacts:
    """How an engine here takes the model, or why there is none."""

    name: str | None
    version: str | None
    coverage: "DelegateCoverage | None"
    problem: str | None = None


@click.command(
    "info",
    epilog=examples(
        "mninfer info mobilenet.tflite", "mninfer info mobilenet.tflite --ops", "mninfer info a.tflite --json"
    ),
)
@model_argument
@click.option("--ops", "has_ops", is_flag=True, help="List every operator, with shapes and multiply-accumulates.")
@click.option("--json", "is_json", is_flag=True, help="Everything, as one JSON object.")
@engine_options
def command(
    model: str,
    *,
    has_ops: bool,
    is_json: bool,
    delegate: str | None,
    input_size: tuple[int, int] | None,
    allow_unlisted_ops: bool,
    sha256: str | None,
    **options: Any,
) -> int:
    """Say what a model is, and what is known of it.

    Tensors, operators, work, preprocessing and who said so, labels, where it came from, the oldest runtime that loads
    it, and how much of it a delegate such as XNNPACK takes over here. The exit code is 1 where mnkit wrote the file and
    it has changed since.
    """
    from mninfer.loading import checked_input_shapes, read_checked

    file = read_checked(model, delegate=delegate, strict=False, sha256=sha256, allow_unlisted_ops=allow_unlisted_ops)
    try:
        shapes = checked_input_shapes(file.graph, input_size)
    except MnError as error:
        raise error.at(model) from error.__cause__
    engine = _engine_facts(file, delegate=delegate, input_shapes=shapes, **options)
    facts = describe(model, file, engine, has_ops=has_ops or is_json)
    for warning in file.warnings:
        note(f"warning: {warning}")
    if is_json:
        json_line(facts, indent=2)
    else:
        say(page(facts))
    return 1 if file.has_changed else 0


def _engine_facts(file: "ModelFile", **options: Any) -> EngineFacts:
    from mninfer.loading import open_checked

    try:
        with without_chatter():
            engine = open_checked(file, **options)
    except MissingDependencyError as error:
        return EngineFacts(name=None, version=None, coverage=None, problem=str(error))
    except MnError as error:
        return EngineFacts(name=None, version=None, coverage=None, problem=str(error.what))
    try:
        return EngineFacts(name=engine.name, version=engine.version, coverage=engine.coverage())
    finally:
        engine.close()


def describe(path: str, file: "ModelFile", engine: EngineFacts, *, has_ops: bool) -> dict[str, Any]:
    """Everything that is known, as ``--json`` prints it."""
    from mninfer.model_file.macs import count_macs
    from mninfer.model_file.parameters import count_parameters
    from mninfer.model_file.runtime_versions import oldest_runtime
    from mninfer.outputs import read_outputs

    graph = file.graph
    contract = file.contract
    meaning = read_outputs(graph, contract.task if contract else None)
    preprocess = file.preprocess
    facts = {
        "schema": 1,
        "model": path,
        "is_ours": file.is_ours or file.has_changed,
        "has_changed": file.has_changed,
        "name": file.metadata.name if file.metadata else "",
        "description": (file.metadata.description if file.metadata else "") or graph.description,
        "size_bytes": len(file.data),
        "sha256": file.sha256,
        "task": str(meaning.task),
        "inputs": [_tensor_json(graph.tensors[index]) for index in graph.inputs],
        "outputs": [_tensor_json(graph.tensors[index]) for index in graph.outputs],
        "num_operators": len(graph.operators),
        "operators": dict(Counter(operator.name for operator in graph.operators).most_common()),
        "macs": count_macs(graph),
        "num_parameters": count_parameters(graph),
        "preprocess": preprocess.to_json() if preprocess else None,
        "labels": list(file.labels) if file.labels is not None else None,
        "provenance": asdict(contract.provenance) if contract else None,
        "verification": contract.verification if contract else None,
        "num_golden_vectors": len(contract.golden) if contract else 0,
        "oldest_runtime": oldest_runtime(graph),
        "engine": _engine_json(engine),
        "warnings": list(file.warnings),
    }
    return {**facts, "ops": _operators_json(graph)} if has_ops else facts


def _tensor_json(tensor: "Tensor") -> dict[str, Any]:
    quantization = tensor.quantization
    return {
        "name": tensor.name,
        "shape": list(tensor.shape),
        "shape_signature": list(tensor.shape_signature),
        "dtype": tensor.dtype,
        "quantization": {
            "scales": list(quantization.scales),
            "zero_points": list(quantization.zero_points),
            "dimension": quantization.dimension,
        }
        if quantization
        else None,
    }


def _engine_json(engine: EngineFacts) -> dict[str, Any]:
    coverage = engine.coverage
    return {
        "name": engine.name,
        "version": engine.version,
        "delegate": coverage.delegate if coverage else None,
        "num_delegated": coverage.num_delegated if coverage else None,
        "num_operators": coverage.num_operators if coverage else None,
        "problem": engine.problem,
    }


def _operators_json(graph: "Graph") -> list[dict[str, Any]]:
    from mninfer.model_file.macs import macs_by_operator

    return [
        {
            "index": op.index,
            "name": op.name,
            "version": op.version,
            "inputs": [list(graph.tensors[index].shape) if index >= 0 else None for index in op.inputs],
            "outputs": [list(graph.tensors[index].shape) for index in op.outputs],
            "dtype": graph.tensors[op.outputs[0]].dtype if op.outputs else None,
            "macs": macs,
        }
        for op, macs in zip(graph.operators, macs_by_operator(graph), strict=True)
    ]


def page(facts: dict[str, Any]) -> str:
    """The facts for people, a line to each."""
    rows = [
        ("model", f"{facts['model']}  {_bytes(facts['size_bytes'])}"),
        ("sha256", facts["sha256"]),
        ("name", " – ".join(text for text in (facts["name"], facts["description"]) if text)),
        ("task", facts["task"]),
        *(("input", _tensor_line(tensor)) for tensor in facts["inputs"]),
        *(("output", _tensor_line(tensor)) for tensor in facts["outputs"]),
        ("operators", _operators_line(facts)),
        (
            "work",
            f"{facts['macs'] / 1e6:,.1f} M multiply-accumulates, {facts['num_parameters'] / 1e6:,.2f} M parameters",
        ),
        ("preprocessing", _preprocess_line(facts["preprocess"])),
        ("labels", _labels_line(facts["labels"])),
        ("made from", _provenance_line(facts["provenance"])),
        (
            "golden vectors",
            _golden_line(facts),
        ),
        ("oldest runtime", facts["oldest_runtime"] or "unknown: an operator is newer than mnkit's table"),
        ("engine", _engine_line(facts["engine"])),
    ]
    lines = [f"{name:14}  {printable(text)}" for name, text in rows if text]
    return "\n".join([*lines, *([""] if "ops" in facts else []), *map(_operator_line, facts.get("ops", []))])


def _tensor_line(tensor: dict[str, Any]) -> str:
    shape = " x ".join("?" if side < 0 else str(side) for side in tensor["shape_signature"])
    quantization = tensor["quantization"]
    if not quantization:
        return f"{tensor['dtype']} {shape}  {tensor['name']}"
    scales, points = quantization["scales"], quantization["zero_points"]
    how = f"scale {scales[0]:.6g}, zero point {points[0]}" if len(scales) == 1 else "per channel"
    return f"{tensor['dtype']} {shape}  {tensor['name']}  ({how})"


def _operators_line(facts: dict[str, Any]) -> str:
    counts = ", ".join(f"{count} {name}" for name, count in facts["operators"].items())
    return f"{facts['num_operators']}: {counts}"


def _golden_line(facts: dict[str, Any]) -> str:
    if facts["has_changed"]:
        return "none to trust: mnkit wrote the file, and it has changed since"
    return f"{facts['num_golden_vectors']}" + ("" if facts["is_ours"] else ", the file is not one of mnkit's")


def _preprocess_line(preprocess: dict[str, Any] | None) -> str:
    if preprocess is None:
        return "unknown: state it with --preprocess, or attach it with mninfer annotate"
    from mninfer.preprocessing import PreprocessSpec

    said = {
        "file": "as the file says",
        "stated": "as stated",
        "inferred": "inferred from the graph's first layers",
        "assumed": "ASSUMED: the file does not say all of it",
    }
    return f"{PreprocessSpec.from_json(preprocess)} ({said[preprocess['source']]})"


def _labels_line(labels: list[str] | None) -> str:
    if labels is None:
        return "none: state them with --labels, or attach them with mninfer annotate"
    first = ", ".join(labels[:_SHOWN_LABELS])
    return f"{len(labels):,}: {first}{', …' if len(labels) > _SHOWN_LABELS else ''}"


def _provenance_line(provenance: dict[str, Any] | None) -> str:
    if not provenance:
        return ""
    named = {"source_name": "", "recipe": "recipe ", "keras_version": "Keras ", "mnkit_version": "mnkit "}
    return ", ".join(f"{prefix}{provenance[key]}" for key, prefix in named.items() if provenance.get(key))


def _engine_line(engine: dict[str, Any]) -> str:
    if engine["name"] is None:
        return f"none that runs it here: {engine['problem'].splitlines()[0]}"
    name = f"{engine['name']} {engine['version']}"
    if engine["num_delegated"] is None or engine["num_operators"] is None:
        return f"{name}; it does not tell what a delegate takes"
    if not engine["num_delegated"]:
        return f"{name}: no delegate takes any of the {engine['num_operators']} operators"
    count = f"{engine['num_delegated']} of {engine['num_operators']} operators"
    return f"{name}: {count} by {engine['delegate'] or 'a delegate'}"


def _operator_line(op: dict[str, Any]) -> str:
    shapes = [" x ".join(map(str, shape)) for shape in op["outputs"]]
    first = op["inputs"][0] if op["inputs"] else None
    source = " x ".join(map(str, first)) if first else ""
    macs = f"{op['macs'] / 1e6:10.2f} M" if op["macs"] else ""
    name = f"{op['index']:4}  {printable(op['name']):24} v{op['version']}"
    return f"{name}  {source:>18} -> {', '.join(shapes):18} {macs}".rstrip()


def _bytes(size: int) -> str:
    return f"{size / 1e6:,.1f} MB ({size:,} bytes)" if size >= 1e5 else f"{size:,} bytes"
