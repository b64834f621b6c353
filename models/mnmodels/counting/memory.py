"""The peak of activation memory: which tensors live at the same time while a model's calls run one after the other.

As mninfer counts a .tflite (inputs and outputs live throughout, a tensor from the call that writes it to the last that
reads it, no workspace), with float32 for every tensor, and with what converters fuse taken for fused: a layer that
changes a tensor value by value overwrites it, one that only reshapes it costs nothing, padding is part of the
convolution that reads it.
"""

from mnmodels.counting.calls import Call, Trace
from mnmodels.counting.rules import kind_of
from mnmodels.counting.summary import PeakMemory

__all__ = ["peak_memory"]

_FLOAT_BYTES = 4
_OVERWRITES = frozenset(
    (
        *("Activation", "ELU", "LeakyReLU", "PReLU", "ReLU", "Softmax"),
        *("BatchNormalization", "Normalization", "Rescaling"),
        # Operations, as x + 3.0 in a model makes one; with two tensors they no longer overwrite.
        *("Add", "Clip", "Divide", "Multiply", "Subtract", "TrueDivide"),
        *("Elu", "HardSigmoid", "HardSilu", "LeakyRelu", "Relu", "Relu6", "Sigmoid", "Silu", "Softplus", "Tanh"),
    )
)
_VIEWS = frozenset(
    (
        *("Flatten", "Identity", "Reshape", "ActivityRegularization"),
        *("AlphaDropout", "Dropout", "GaussianDropout", "GaussianNoise"),
        *("SpatialDropout1D", "SpatialDropout2D", "SpatialDropout3D"),
    )
)
_PADDINGS = frozenset(("ZeroPadding1D", "ZeroPadding2D", "ZeroPadding3D"))
_PADDED = frozenset(f"{kind}{rank}D" for kind in ("Conv", "DepthwiseConv", "SeparableConv") for rank in (1, 2, 3))


def peak_memory(trace: Trace) -> PeakMemory:
    """The most bytes that activations of one picture take at once, and the name of the call that runs then."""
    return _Arena(trace).run()


class _Arena:
    """Buffers that are alive; several values share one where a layer works in place."""

    def __init__(self, trace: Trace) -> None:
        self.trace = trace
        self.uses_left: dict[int, int] = {}
        for value in (*trace.inputs, *trace.outputs, *(value for call in trace.calls for value in call.inputs)):
            self.uses_left[value] = self.uses_left.get(value, 0) + 1
        self.readers: dict[int, list[str]] = {}
        for call in trace.calls:
            for value in call.inputs:
                self.readers.setdefault(value, []).append(kind_of(call.operation))
        self.buffer_of = {value: value for value in trace.inputs}
        self.holders = dict.fromkeys(trace.inputs, 1)
        self.live_bytes = sum(self.size(value) for value in trace.inputs)
        self.peak = PeakMemory(self.live_bytes, "the input")

    def size(self, value: int) -> int:
        return _FLOAT_BYTES * self.trace.num_elements(value)

    def run(self) -> PeakMemory:
        for call in self.trace.calls:
            self.write(call)
            if self.live_bytes > self.peak.size_bytes:
                self.peak = PeakMemory(self.live_bytes, call.name)
            for value in call.inputs:
                self.use(value)
            for value in call.outputs:
                if value not in self.uses_left:  # nobody reads it
                    self.drop(value)
        return self.peak

    def write(self, call: Call) -> None:
        is_shared = self.shares_its_input(call)
        for value in call.outputs:
            buffer = self.buffer_of[call.inputs[0]] if is_shared else value
            if not is_shared:
                self.live_bytes += self.size(value)
            self.buffer_of[value] = buffer
            self.holders[buffer] = self.holders.get(buffer, 0) + 1

    def shares_its_input(self, call: Call) -> bool:
        kind = kind_of(call.operation)
        if len(call.inputs) != 1:
            return False
        if kind in _PADDINGS:
            return all(reader in _PADDED for reader in self.readers.get(call.outputs[0], ("the caller",)))
        return kind in _VIEWS or (kind in _OVERWRITES and self.is_last_reader(call.inputs[0]))

    def is_last_reader(self, value: int) -> bool:
        """Nobody else needs the buffer, not even under another name."""
        return self.uses_left[value] == 1 and self.holders[self.buffer_of[value]] == 1

    def use(self, value: int) -> None:
        self.uses_left[value] -= 1
        if not self.uses_left[value]:
            self.drop(value)

    def drop(self, value: int) -> None:
        buffer = self.buffer_of[value]
        self.holders[buffer] -= 1
        if not self.holders[buffer]:
            self.live_bytes -= self.size(buffer)
