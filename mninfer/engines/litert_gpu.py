"""LiteRT's GPU accelerator, through its CompiledModel. Used only when named; where no GPU answers, that is an error.

Operators that the GPU doesn't know run on the CPU (XNNPACK), as LiteRT does it. ``coverage`` can't tell how many.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np

from mninfer.engines.interpreter import one_line, tensor_spec
from mninfer.engines.litert import package_version
from mninfer.engines.protocol import Array, DelegateCoverage, EngineConfig, fix_shape
from mninfer.errors import EngineError, MissingDependencyError, UnsupportedModelError

__all__ = ["CompiledModelEngine", "open_engine"]


def open_engine(data: bytes, config: EngineConfig) -> "CompiledModelEngine":
    """Compile ``data`` for the GPU."""
    if config.delegate:
        raise EngineError(
            f'engine litert-gpu takes no delegate, and "{config.delegate}" was asked for',
            hints=("leave out the delegate", "leave out the engine: the delegate runs in the plain one"),
        )
    if not config.use_xnnpack:
        raise EngineError(
            "engine litert-gpu leaves to XNNPACK what the GPU does not take; that cannot be switched off",
            hints='engine="litert" runs without XNNPACK',
        )
    return CompiledModelEngine(data, accelerator="GPU", threads=config.threads, input_shapes=config.input_shapes)


class CompiledModelEngine:
    """A compiled model with its buffers. ``accelerator`` is "GPU"; "CPU" is for tests where no GPU is."""

    name = "litert-gpu"
    uses_xnnpack = False
    is_shareable = False

    def __init__(
        self,
        data: bytes,
        *,
        accelerator: str,
        threads: int,
        input_shapes: tuple[tuple[int, ...], ...] | None = None,
    ) -> None:
        self.version = package_version()
        self._accelerator = accelerator
        try:
            self._describe(data)
            self._check_shapes(input_shapes)
            self._model = self._compile(data, threads)
            self._key = self._model.get_signature_by_index(0)["key"]
            self._input_buffers = self._make_buffers(self._input_indices, "input")
            self._output_buffers = self._make_buffers(self._output_indices, "output")
        except (RuntimeError, ValueError, LookupError, MemoryError) as error:
            raise EngineError(
                f"LiteRT {self.version} could not set the model up for a GPU: {one_line(error)}",
                hints='leave out --engine litert-gpu (engine="auto" runs on the CPU)',
            ) from error

    def _describe(self, data: bytes) -> None:
        """Ask the plain Interpreter: a CompiledModel tells neither quantization nor the graph's order."""
        from ai_edge_litert.interpreter import Interpreter

        interpreter = Interpreter(model_content=data)
        inputs, outputs = interpreter.get_input_details(), interpreter.get_output_details()
        self.inputs = tuple(tensor_spec(details) for details in inputs)
        self.outputs = tuple(tensor_spec(details) for details in outputs)
        self._input_indices = [details["index"] for details in inputs]
        self._output_indices = [details["index"] for details in outputs]

    def _check_shapes(self, stated: tuple[tuple[int, ...], ...] | None) -> None:
        """A CompiledModel runs in the shapes of the file alone: any others stated are refused."""
        for position, spec in enumerate(self.inputs):
            if -1 in spec.shape_signature:
                raise UnsupportedModelError(
                    f'engine litert-gpu needs fixed sizes; input "{spec.name}" is {list(spec.shape_signature)}',
                    hints="convert the model again with a fixed input shape, or use another engine",
                )
            fix_shape(spec.name, spec.shape, spec.shape_signature, stated[position] if stated else None)

    def _compile(self, data: bytes, threads: int) -> Any:
        try:
            from ai_edge_litert.compiled_model import CompiledModel
            from ai_edge_litert.hardware_accelerator import HardwareAccelerator
            from ai_edge_litert.options import CpuOptions, Options
        except ImportError as error:
            raise MissingDependencyError(
                f"ai-edge-litert {self.version} has no GPU accelerator: {error}",
                hints='python -m pip install --upgrade "ai-edge-litert>=2.3"',
            ) from error
        accelerators = HardwareAccelerator.CPU
        if self._accelerator == "GPU":
            accelerators = HardwareAccelerator.GPU | HardwareAccelerator.CPU
        options = Options(hardware_accelerators=accelerators, cpu_options=CpuOptions(num_threads=threads))
        try:
            return CompiledModel.from_buffer(data, options=options)
        except RuntimeError as error:
            raise EngineError(
                f"LiteRT {self.version} could not load the model on a GPU: {one_line(error)}",
                hints=(
                    "a GPU needs its driver with Vulkan, Metal or OpenCL; what LiteRT found missing is printed above",
                    'leave out --engine litert-gpu (engine="auto" runs on the CPU)',
                ),
            ) from error

    def _make_buffers(self, indices: list[int], side: str) -> list[tuple[str, Any]]:
        """Named buffers in the graph's order; a signature may list them in another."""
        details = getattr(self._model, f"get_{side}_tensor_details")(self._key)
        names = {entry["index"]: name for name, entry in details.items()}
        create = getattr(self._model, f"create_{side}_buffer_by_name")
        return [(names[index], create(self._key, names[index])) for index in indices]

    def run(self, arrays: Sequence[Array]) -> list[Array]:
        """Write the inputs, run, read the outputs back from the device."""
        self.set_inputs(arrays)
        self.invoke()
        return self.get_outputs()

    def set_inputs(self, arrays: Sequence[Array]) -> None:
        """Write the arrays into the device's buffers."""
        self._check_open()
        with self._failures_named():
            for (_, buffer), array in zip(self._input_buffers, arrays, strict=True):
                buffer.write(array)

    def invoke(self) -> None:
        """Run on the buffers as they are: LiteRT's synchronous way, which waits for the device."""
        self._check_open()
        with self._failures_named():
            self._model.run_by_name(self._key, dict(self._input_buffers), dict(self._output_buffers))

    def get_outputs(self) -> list[Array]:
        """Read the output buffers back."""
        self._check_open()
        with self._failures_named():
            return [
                buffer.read(int(np.prod(spec.shape)), np.dtype(spec.dtype)).reshape(spec.shape)
                for (_, buffer), spec in zip(self._output_buffers, self.outputs, strict=True)
            ]

    def _check_open(self) -> None:
        if self._model is None:
            raise ValueError("this litert-gpu engine is closed")

    @contextmanager
    def _failures_named(self) -> Iterator[None]:
        try:
            yield
        except (RuntimeError, ValueError) as error:
            raise EngineError(f"LiteRT {self.version} failed on the GPU: {one_line(error)}") from error

    def coverage(self) -> DelegateCoverage:
        """LiteRT doesn't say how many operators the GPU took."""
        return DelegateCoverage(None, None, self._accelerator)

    def close(self) -> None:
        """Free the buffers and the model."""
        self._input_buffers, self._output_buffers = [], []
        self._model = None
