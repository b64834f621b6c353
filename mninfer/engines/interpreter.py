"""The engine on top of the Interpreter class that LiteRT, tflite-runtime and TensorFlow Lite have in common.

The bytes given are kept and never copied here: the C++ side reads weights from that very object.
"""

import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from mninfer.engines.edge_tpu import RUNTIME_HINT, is_edge_tpu
from mninfer.engines.protocol import Array, DelegateCoverage, EngineConfig, fix_shape, tensor_dtype
from mninfer.errors import EngineError, MissingDependencyError
from mninfer.model_file.arithmetic import COPIES
from mninfer.tensors import Quantization, TensorSpec

__all__ = ["InterpreterEngine", "InterpreterRuntime", "one_line", "tensor_spec"]

QUANTIZED_NUMBERS = frozenset({"int8", "uint8", "int16"})


@dataclass(frozen=True, slots=True, kw_only=True)
class InterpreterRuntime:
    """A package that has the Interpreter API; ``plain_kernels`` is its op resolver without default delegates."""

    name: str
    version: str
    interpreter_class: Callable[..., Any]
    load_delegate: Callable[[str], Any]
    plain_kernels: Any


class InterpreterEngine:
    """A model in an Interpreter, its tensors allocated."""

    def __init__(self, runtime: InterpreterRuntime, data: bytes, config: EngineConfig) -> None:
        self.name = runtime.name
        self.version = runtime.version
        self._delegate = config.delegate
        delegates = [_load_delegate(runtime, config.delegate)] if config.delegate else None
        try:
            self._interpreter = _make(runtime, data, config, delegates)
            _fix_input_shapes(self._interpreter, config.input_shapes)
            self._interpreter.allocate_tensors()
        # SystemError: a C extension that was built against another numpy.
        except (ValueError, RuntimeError, SystemError, MemoryError) as error:
            raise _refusal(self, error) from error
        inputs, outputs = self._interpreter.get_input_details(), self._interpreter.get_output_details()
        self.inputs = tuple(tensor_spec(details) for details in inputs)
        self.outputs = tuple(tensor_spec(details) for details in outputs)
        self._input_indices = [details["index"] for details in inputs]
        self._output_indices = [details["index"] for details in outputs]

    def run(self, arrays: Sequence[Array]) -> list[Array]:
        """Set, invoke, get: the outputs are copies, so they outlive the next run."""
        self.set_inputs(arrays)
        self.invoke()
        return self.get_outputs()

    def set_inputs(self, arrays: Sequence[Array]) -> None:
        """Copy the arrays into the interpreter's tensors; they stay there over any number of invokes."""
        interpreter = self._open_interpreter()
        try:
            for index, array in zip(self._input_indices, arrays, strict=True):
                interpreter.set_tensor(index, array)
        except (RuntimeError, ValueError) as error:
            raise self._failure(error) from error

    def invoke(self) -> None:
        """Run the graph on the tensors as they are set."""
        try:
            self._open_interpreter().invoke()
        except RuntimeError as error:
            raise self._failure(error) from error

    def get_outputs(self) -> list[Array]:
        """Copies of the output tensors."""
        interpreter = self._open_interpreter()
        try:
            return [interpreter.get_tensor(index) for index in self._output_indices]
        except (RuntimeError, ValueError) as error:
            raise self._failure(error) from error

    def _open_interpreter(self) -> Any:
        if self._interpreter is None:
            raise ValueError(f"this {self.name} engine is closed")
        return self._interpreter

    def _failure(self, error: Exception) -> EngineError:
        return EngineError(f"{self.name} {self.version} failed to run the model: {one_line(error)}")

    @property
    def uses_xnnpack(self) -> bool:
        """Of a network that computes in integers, XNNPACK runs some: tflite-runtime's takes its float parts alone."""
        if self._delegate is not None:
            return False
        operators, delegated = self._operators()
        integers = self._integer_tensors()
        computing = {
            i
            for i, operator in enumerate(operators)
            if operator["op_name"] not in COPIES and not integers.isdisjoint(map(int, operator["outputs"]))
        }
        return bool(delegated & computing if computing else delegated)

    @property
    def is_shareable(self) -> bool:
        return self._delegate is None

    def coverage(self) -> DelegateCoverage:
        """Count the operators that delegates took over."""
        operators, delegated = self._operators()
        if not operators:
            return DelegateCoverage(None, None, self._delegate)
        return DelegateCoverage(len(operators), len(delegated), self._delegate or ("XNNPACK" if delegated else None))

    def _operators(self) -> tuple[list[Mapping[str, Any]], set[int]]:
        """The operators, and the places of those that delegates took: from a private list, the only way there is."""
        list_nodes = getattr(self._interpreter, "_get_ops_details", None)
        nodes = list_nodes() if list_nodes else []
        if not all({"op_name", "inputs", "outputs"} <= node.keys() for node in nodes):
            return [], set()
        operators = [node for node in nodes if node["op_name"] != "DELEGATE"]
        delegated: set[int] = set()
        for node in nodes:
            if node["op_name"] == "DELEGATE":
                delegated |= _operators_inside(node, operators)
        return operators, delegated

    def _integer_tensors(self) -> set[int]:
        """The tensors of quantized integers."""
        list_tensors = getattr(self._interpreter, "get_tensor_details", list)
        return {
            int(details["index"]) for details in list_tensors() if tensor_dtype(details["dtype"]) in QUANTIZED_NUMBERS
        }

    def close(self) -> None:
        """Free the memory now; running afterwards is an error."""
        self._interpreter = None


def tensor_spec(details: Mapping[str, Any]) -> TensorSpec:
    """An Interpreter's description of a tensor as ours."""
    parameters = details["quantization_parameters"]
    scales = tuple(float(scale) for scale in parameters["scales"])
    zero_points = tuple(int(zero_point) for zero_point in parameters["zero_points"])
    shape = tuple(int(size) for size in details["shape"])
    return TensorSpec(
        name=details["name"],
        shape=shape,
        shape_signature=tuple(int(size) for size in details["shape_signature"]) or shape,
        dtype=tensor_dtype(details["dtype"]),
        quantization=Quantization(scales, zero_points, int(parameters["quantized_dimension"])) if scales else None,
    )


def _make(runtime: InterpreterRuntime, data: bytes, config: EngineConfig, delegates: list[Any] | None) -> Any:
    resolver = {} if config.use_xnnpack else {"experimental_op_resolver_type": runtime.plain_kernels}
    with warnings.catch_warnings():
        # TensorFlow announces that tf.lite.Interpreter will go; whoever chose that engine by name knows.
        warnings.filterwarnings("ignore", message=r"\s*Warning: tf\.lite\.Interpreter is deprecated")
        return runtime.interpreter_class(
            model_content=data, num_threads=config.threads, experimental_delegates=delegates, **resolver
        )


def _fix_input_shapes(interpreter: Any, stated: tuple[tuple[int, ...], ...] | None) -> None:
    """Resize before allocation: XNNPACK leaves a model with open sizes alone."""
    inputs = interpreter.get_input_details()
    if stated is not None and len(stated) != len(inputs):
        raise ValueError(f"{len(stated)} input shapes stated, the model has {len(inputs)} inputs")
    for position, details in enumerate(inputs):
        spec = tensor_spec(details)
        shape = fix_shape(spec.name, spec.shape, spec.shape_signature, stated[position] if stated else None)
        if -1 in spec.shape_signature:
            interpreter.resize_tensor_input(details["index"], shape)


def _load_delegate(runtime: InterpreterRuntime, library: str) -> Any:
    is_for_edge_tpu = is_edge_tpu(library)
    _check_library(library, RUNTIME_HINT if is_for_edge_tpu else "give the full path of a library for this processor")
    try:
        return runtime.load_delegate(library)
    except (ValueError, RuntimeError) as error:
        hint = "is the Edge TPU plugged in, and may this user open it?" if is_for_edge_tpu else "is its device present?"
        raise EngineError(
            f'the delegate "{library}" was loaded but did not start: {one_line(error)}',
            where=f"{runtime.name} {runtime.version}",
            hints=(hint, "leave the delegate out"),
        ) from error


def _check_library(library: str, hint: str) -> None:
    """Load it once ourselves: the engines' own wrapper trips over its half-made object when that fails."""
    import ctypes

    try:
        loaded = ctypes.CDLL(library)
    except OSError as error:
        raise MissingDependencyError(
            f'the delegate library "{library}" cannot be loaded: {one_line(error)}', hints=hint
        ) from error
    if not hasattr(loaded, "tflite_plugin_create_delegate"):
        raise EngineError(f'"{library}" is no TFLite delegate: it has no tflite_plugin_create_delegate', hints=hint)


def _operators_inside(node: Mapping[str, Any], operators: Sequence[Mapping[str, Any]]) -> set[int]:
    """The positions of the operators that lie between a delegate node's inputs and its outputs."""
    producer = {int(tensor): i for i, operator in enumerate(operators) for tensor in operator["outputs"]}
    known = {int(tensor) for tensor in node["inputs"]}
    pending = [int(tensor) for tensor in node["outputs"]]
    inside: set[int] = set()
    while pending:
        tensor = pending.pop()
        if tensor in known or tensor not in producer:
            continue
        known.add(tensor)
        inside.add(producer[tensor])
        pending += [int(tensor) for tensor in operators[producer[tensor]]["inputs"]]
    return inside


def _refusal(engine: InterpreterEngine, error: Exception) -> EngineError:
    text = one_line(error)
    hints: tuple[str, ...]
    if isinstance(error, MemoryError):
        hints = ("the model, or the input size stated for it, needs more memory than there is",)
    elif "numpy" in text or "_ARRAY_API" in text or isinstance(error, SystemError):
        hints = ('this engine was built for an older numpy: python -m pip install "numpy<2"',)
    elif "version" in text or "Didn't find op" in text:
        hints = (
            '"mninfer info MODEL" tells the oldest runtime that it loads on',
            f"a newer {engine.name} may know the operator",
        )
    else:
        hints = ("the file may be damaged, or may need another engine or delegate",)
    return EngineError(f"{engine.name} {engine.version} refused the model: {text}", hints=hints)


def one_line(error: BaseException) -> str:
    """A foreign error's message for one of ours; its type where it has none."""
    return " ".join(str(error).split()) or type(error).__name__
