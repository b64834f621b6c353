"""The static check: is a file sound enough to be given to an engine?

Engines trust a model: an index, a size or a stride that is wrong kills the process. What passes here has every offset
inside the file, every operand written before it is read, every constant as large as its shape says, and every operator
of a known kind with parameters that give the declared shapes. This is for reliability; it is no sandbox.
"""

from collections.abc import Collection, Mapping, Sequence
from math import prod

from mninfer.errors import ModelFileError, UnsupportedModelError
from mninfer.model_file.dtypes import size_bytes
from mninfer.model_file.flatbuffer import Table, decode, load_schema
from mninfer.model_file.graph import Graph, Operator, Tensor, build_graph
from mninfer.model_file.operators import OperatorFacts, load_operators
from mninfer.model_file.rules import RULES
from mninfer.model_file.rules.folding import fold
from mninfer.model_file.rules.scales import check_scales
from mninfer.model_file.rules.site import KnownIntegers, Shape, Site
from mninfer.model_file.sniff import refuse_other_formats
from mninfer.model_file.tensors import check_tensors
from mninfer.model_file.unlisted import refuse_unlisted

__all__ = ["MAX_WORKING_BYTES", "check_graph", "check_model", "known_integers", "peak_activation_bytes"]

MAX_WORKING_BYTES = 1 << 30
"""For activations and workspace at once. Engines were measured to take up to 1.6 times as much: never 2 GiB."""


def check_model(
    data: bytes,
    *,
    allow_unlisted_ops: bool = False,
    allow_custom: Collection[str] = (),
    input_shapes: Mapping[int, Sequence[int]] | None = None,
) -> Graph:
    """Check a whole file and return its graph.

    ``allow_custom`` names custom operators that a delegate will take. ``input_shapes``, by tensor index, fixes sizes
    that the file leaves open. Raise ModelFileError or UnsupportedModelError, which says what is wrong.
    """
    refuse_other_formats(data)
    root = decode(data, load_schema("tflite"))
    _check_root(root)
    graph = build_graph(root, data)
    refuse_unlisted(graph, allow_unlisted_ops=allow_unlisted_ops, allow_custom=allow_custom)
    check_graph(graph, input_shapes=input_shapes)
    return graph


def check_graph(graph: Graph, *, input_shapes: Mapping[int, Sequence[int]] | None = None) -> tuple[Shape, ...]:
    """Check tensors, the order of operators, each operator, and the memory that running takes.

    Operators outside the table are taken at their word. The result is the shape of each tensor, with the sizes that the
    file leaves open as ``input_shapes`` gives them, else as declared.
    """
    return tuple(_walk(graph, input_shapes).shapes)


def peak_activation_bytes(graph: Graph, *, input_shapes: Mapping[int, Sequence[int]] | None = None) -> int:
    """The most that activations take at once, in bytes, while operators run in the file's order; no workspace."""
    return _walk(graph, input_shapes).peak_bytes


def known_integers(graph: Graph, *, input_shapes: Mapping[int, Sequence[int]]) -> KnownIntegers:
    """The integers that are constant, or follow from constants and shapes once ``input_shapes`` fixes the inputs."""
    return _walk(graph, input_shapes).values


def _walk(graph: Graph, input_shapes: Mapping[int, Sequence[int]] | None) -> "_Walk":
    check_tensors(graph)
    _check_ends(graph)
    walk = _Walk(graph, input_shapes or {})
    for operator in graph.operators:
        walk.step(operator)
    for index in graph.outputs:
        if not walk.is_written[index]:
            raise ModelFileError(f"{graph.tensors[index]} is an output of the graph, but nothing writes it")
    return walk


def _check_root(root: Table) -> None:
    """Refuse what the graph doesn't show and an engine would follow."""
    for subgraph in root.get("subgraphs", ()):
        num_tensors = len(subgraph.get("tensors", ()))
        for i, tensor in enumerate(subgraph.get("tensors", ())):
            if "sparsity" in tensor or tensor.get("variant_tensors"):
                raise UnsupportedModelError(
                    f'tensor {i} "{tensor.get("name", "")}": sparse or variant data',
                    hints="convert the model again without sparsity",
                )
        for i, operator in enumerate(subgraph.get("operators", ())):
            if operator["large_custom_options_offset"] > 1 or operator["builtin_options2_type"]:
                raise UnsupportedModelError(f"operator {i}: options outside the schema that mnkit reads")
            if any(not -1 <= index < num_tensors for index in operator.get("intermediates", ())):
                raise ModelFileError(f"operator {i}: an intermediate tensor that does not exist")
    _check_signatures(root)


def _check_signatures(root: Table) -> None:
    subgraphs = root.get("subgraphs", ())
    for i, signature in enumerate(root.get("signature_defs", ())):
        if signature["subgraph_index"] >= len(subgraphs):
            raise ModelFileError(f"signature {i}: subgraph {signature['subgraph_index']} of {len(subgraphs)}")
        num_tensors = len(subgraphs[signature["subgraph_index"]].get("tensors", ()))
        for entry in (*signature.get("inputs", ()), *signature.get("outputs", ())):
            if entry["tensor_index"] >= num_tensors or "name" not in entry:
                raise ModelFileError(f"signature {i}: tensor {entry['tensor_index']} of {num_tensors}")


def _check_ends(graph: Graph) -> None:
    if not graph.inputs or not graph.outputs or not graph.operators:
        raise ModelFileError(
            f"the graph has {len(graph.inputs)} inputs, {len(graph.operators)} operators, {len(graph.outputs)} outputs"
        )
    if len(set(graph.inputs)) < len(graph.inputs):
        raise ModelFileError("a tensor is more than once an input of the graph")
    for index in graph.inputs:
        if graph.tensors[index].data is not None:
            raise ModelFileError(f"{graph.tensors[index]} is an input of the graph and constant")


class _Walk:
    """Operators one after the other: what is written, of which shape, and how much memory lives at once."""

    def __init__(self, graph: Graph, input_shapes: Mapping[int, Sequence[int]]) -> None:
        self.graph = graph
        self.tensors = graph.tensors
        self.listed, self.custom = load_operators()
        self.shapes: list[Shape] = [tensor.shape for tensor in graph.tensors]
        self.values = KnownIntegers(graph.tensors)
        self.is_written = [tensor.data is not None or tensor.is_variable for tensor in graph.tensors]
        self.last_use = {index: operator.index for operator in graph.operators for index in operator.inputs}
        self.last_use.update(dict.fromkeys((*graph.inputs, *graph.outputs), len(graph.operators)))
        # Engines lay out every variable tensor, read or not, for as long as the model is open.
        self.live_bytes = self.peak_bytes = sum(
            size_bytes(tensor.dtype, prod(tensor.shape)) for tensor in graph.tensors if tensor.is_variable
        )
        self.live: dict[int, int] = {}
        self.inputs = frozenset(graph.inputs)
        for index in graph.inputs:
            tensor = graph.tensors[index]
            self.enter(tensor, _input_shape(tensor, input_shapes.get(index, tensor.shape)))
        for operator in graph.operators:
            self.find_empty(operator)

    def find_empty(self, operator: Operator) -> None:
        """A constant without elements has no buffer to know it by: the shape of a scalar, the axes of a squeeze."""
        for index in operator.inputs:
            if index >= 0 and 0 in self.shapes[index] and index not in self.inputs:
                self.is_written[index] = True
                self.values.set(index, ())

    def step(self, operator: Operator) -> None:
        for index in operator.inputs:
            if index >= 0 and not self.is_written[index]:
                raise ModelFileError(f"{operator}: reads {self.tensors[index]} before anything writes it")
        if not operator.outputs:
            raise ModelFileError(f"{operator}: it has no outputs")
        site = self.site(operator)
        facts = (self.custom if operator.is_custom else self.listed).get(operator.name)
        if facts is None:
            shapes: Sequence[Shape] = [tensor.shape for tensor in site.outputs]
        else:
            shapes = _check_operator(site, facts)
            if (values := fold(site, shapes)) is not None:
                self.values.set(operator.outputs[0], values)
        self.write(operator, site, shapes)

    def site(self, operator: Operator) -> Site:
        tensors, shapes = self.tensors, self.shapes
        return Site(
            operator=operator,
            inputs=tuple([tensors[i] if i >= 0 else None for i in operator.inputs]),
            outputs=tuple([tensors[i] for i in operator.outputs]),
            shapes=tuple([shapes[i] if i >= 0 else None for i in operator.inputs]),
            values=self.values,
        )

    def write(self, operator: Operator, site: Site, shapes: Sequence[Shape]) -> None:
        for tensor, shape in zip(site.outputs, shapes, strict=True):
            if self.is_written[tensor.index]:
                raise ModelFileError(f"{operator}: writes {tensor}, which is {_role(tensor, self.graph)}")
            self.enter(tensor, shape)
        if self.live_bytes + site.workspace_bytes > MAX_WORKING_BYTES:
            needed = (self.live_bytes + site.workspace_bytes) / 2**30
            raise UnsupportedModelError(
                f"{operator}: running it takes {needed:.1f} GiB, more than {MAX_WORKING_BYTES >> 30} GiB",
                hints="convert the model for a smaller input or batch",
            )
        for index in {*operator.inputs, *operator.outputs}:
            if self.last_use.get(index, -1) <= operator.index:
                self.live_bytes -= self.live.pop(index, 0)

    def enter(self, tensor: Tensor, shape: Shape) -> None:
        self.is_written[tensor.index] = True
        self.shapes[tensor.index] = shape
        self.live[tensor.index] = size = size_bytes(tensor.dtype, prod(shape))
        self.live_bytes += size
        self.peak_bytes = max(self.peak_bytes, self.live_bytes)


def _input_shape(tensor: Tensor, wanted: Sequence[int]) -> Shape:
    """The shape an input runs with."""
    shape = tuple(wanted)
    signature = tensor.shape_signature
    if len(shape) != len(signature) or any(
        known not in (-1, size) for size, known in zip(shape, signature, strict=True)
    ):
        raise ModelFileError(f"{tensor}: shape {list(shape)} does not fit the model's {list(signature)}")
    if any(size < 1 for size in shape):
        raise ModelFileError(f"{tensor}, an input of the graph, has shape {list(shape)}")
    return shape


def _role(tensor: Tensor, graph: Graph) -> str:
    if tensor.data is not None:
        return "constant"
    return "an input of the graph" if tensor.index in graph.inputs else "written already"


def _check_operator(site: Site, facts: OperatorFacts) -> Sequence[Shape]:
    """Apply the table's facts and the operator's rule; return the outputs' shapes."""
    _check_operands(site, facts)
    _check_types(site, facts)
    _check_options(site, facts)
    for operand in facts.known:
        if site.has(operand):
            site.known(operand, f"operand {operand}")
    if facts.scales:
        check_scales(site, facts.scales)
    shapes = RULES[facts.rule](site)
    for tensor, shape in zip(site.outputs, shapes, strict=True):
        if shape != tensor.shape:
            _check_declared(site, tensor, shape)
    return shapes


def _check_operands(site: Site, facts: OperatorFacts) -> None:
    fewest, most = facts.inputs
    if not fewest <= len(site.inputs) <= most:
        wanted = f"{fewest}" if most == fewest else f"{fewest} to {most}"
        site.fail(f"{len(site.inputs)} operands, it needs {wanted}")
    for operand, tensor in enumerate(site.inputs):
        if tensor is None and operand not in facts.omitted:
            site.fail(f"operand {operand} is missing")
    if not facts.outputs[0] <= len(site.outputs) <= facts.outputs[1]:
        site.fail(f"{len(site.outputs)} outputs")
    shapes = [shape for shape in site.shapes if shape is not None]
    most_dimensions = facts.float_rank if site.tensor(0).dtype == "float32" else facts.rank
    if max(map(len, shapes), default=0) > most_dimensions and (len(shapes) == 1 or shapes[0] != shapes[1]):
        site.fail(f"{max(map(len, shapes))} dimensions, more than the {most_dimensions} that its kernels handle")
    for operand, shape in enumerate(site.shapes):
        if shape and 0 in shape and operand not in facts.known:
            site.fail(f"{site.inputs[operand]} has no elements")


def _check_types(site: Site, facts: OperatorFacts) -> None:
    inputs = [tensor.dtype if tensor is not None else None for tensor in site.inputs]
    outputs = [tensor.dtype for tensor in site.outputs]
    if not any(signature.allows(inputs, outputs) for signature in facts.signatures):
        site.fail(
            f"data types {', '.join(kind or 'none' for kind in inputs)} -> {', '.join(outputs)} do not go together"
        )


def _check_options(site: Site, facts: OperatorFacts) -> None:
    found = site.operator.options_type
    if facts.options is not None and found != facts.options and (found != "NONE" or facts.needs_options):
        site.fail(f"its options are {found}, not {facts.options}")
    if facts.needs_options and not site.operator.options:
        site.fail("its options are missing")
    activation = site.operator.options.get("fused_activation_function", 0)
    if not 0 <= activation <= 3:
        site.fail(f"fused activation {activation} is none of NONE, RELU, RELU_N1_TO_1, RELU6")


def _check_declared(site: Site, tensor: Tensor, shape: Shape) -> None:
    """The engine computes shapes anew: a file that says otherwise is damaged, unless it leaves the size open."""
    signature = tensor.shape_signature
    if not tensor.shape and site.operator.is_custom:
        return
    if len(signature) != len(shape) or any(
        known not in (-1, size) for known, size in zip(signature, shape, strict=True)
    ):
        site.fail(f"{tensor} comes out as {list(shape)}, but is declared as {list(tensor.shape)}")
