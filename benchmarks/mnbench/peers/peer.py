"""What each peer is: which environment it runs in, what converts for it, which variants it computes, and its limits.

Pure data. The reasons for what a peer can't do are ours to have tried: they name the version that it was tried with.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from mnbench.catalogue import ENGINES
from mnbench.cell import Variant
from mninfer.errors import InputError
from mninfer.near import near_names

__all__ = ["ENVIRONMENTS", "PEERS", "Environment", "Peer", "environment_named", "peer_named"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Environment:
    """A Python environment: ``requirements/NAME.txt`` installed by pip with ``pip_options``.

    ``package`` is what has to be importable when it is done, or None: it is there for a program. ``about_mb`` is what
    it took on Linux x86-64, so that a person knows before.
    """

    name: str
    package: str | None
    about_mb: int
    pip_options: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Peer:
    """``refused`` gives the reason for each variant that it can't run, ``limits`` what its figures need said of them.

    ``converters`` are the environments whose tools make its file of a flatbuffer; a peer with ``refusal`` can't be
    measured at all.
    """

    name: str
    variants: tuple[Variant, ...]
    suffix: str
    converters: tuple[str, ...] = ()
    refused: Mapping[Variant, str] = field(default_factory=dict)
    limits: tuple[str, ...] = ()
    refusal: str | None = None

    @property
    def title(self) -> str:
        return ENGINES[self.name].title

    @property
    def environments(self) -> tuple[str, ...]:
        """What ``mnbench peers install`` makes for it: its own first."""
        return () if self.refusal else tuple(dict.fromkeys((self.name, *self.converters)))


# About what the whole takes: measured by mnbench peers install on Linux x86-64, November 2026.
ENVIRONMENTS = {
    environment.name: environment
    for environment in (
        Environment(name="onnxruntime", package="onnxruntime", about_mb=150),
        Environment(name="openvino", package="openvino", about_mb=260),
        Environment(name="mnn", package="MNN", about_mb=140),
        Environment(name="ncnn", package="ncnn", about_mb=120),
        Environment(name="opencv", package="cv2", about_mb=240),
        Environment(name="mediapipe", package="mediapipe", about_mb=510),
        Environment(name="tflite-runtime", package="tflite_runtime", about_mb=100),
        # The converters: TensorFlow reads a flatbuffer for tf2onnx, and fights with the runtimes' numpy and protobuf.
        Environment(name="tf2onnx", package="tf2onnx", about_mb=1580),
        # Its program holds all that it needs; the torch that its package asks for is 5.4 GB on Linux and unused here.
        Environment(name="pnnx", package=None, about_mb=110, pip_options=("--no-deps",)),
    )
}

_FLOATS = (Variant.FLOAT32, Variant.UNFUSED)
_HYBRID = "its converter knows no operators that mix float and integer numbers, as this variant's do"

PEERS = {
    peer.name: peer
    for peer in (
        Peer(
            name="onnxruntime",
            variants=(*_FLOATS, Variant.INT8),
            suffix=".onnx",
            converters=("tf2onnx",),
            refused={Variant.FP16: _HYBRID, Variant.DYNAMIC: _HYBRID, Variant.INT16X8: _HYBRID},
        ),
        Peer(
            name="openvino",
            variants=(*_FLOATS, Variant.INT8),
            suffix=".tflite",
            refused={Variant.FP16: _HYBRID, Variant.DYNAMIC: _HYBRID, Variant.INT16X8: _HYBRID},
            limits=("left to itself it computes in bfloat16 where the CPU can: told to compute in float32",),
        ),
        Peer(
            name="mnn",
            variants=_FLOATS,
            suffix=".mnn",
            refused={
                Variant.INT8: "MNN 3.6.1 reads an int8 flatbuffer into wrong numbers, and its own quantizer crashes",
                Variant.FP16: _HYBRID,
                Variant.DYNAMIC: _HYBRID,
                Variant.INT16X8: _HYBRID,
            },
        ),
        Peer(
            name="ncnn",
            variants=_FLOATS,
            suffix=".ncnn.bin",
            converters=("tf2onnx", "pnnx"),
            refused={
                Variant.INT8: "ncnn's quantizing programs, ncnn2table and ncnn2int8, are in none of its packages",
                Variant.FP16: _HYBRID,
                Variant.DYNAMIC: _HYBRID,
                Variant.INT16X8: _HYBRID,
            },
            limits=("one picture to a run",),
        ),
        Peer(
            name="opencv",
            variants=_FLOATS,
            suffix=".onnx",
            converters=("tf2onnx",),
            refused={
                Variant.INT8: "OpenCV 5.0's importers fail on the pooling of an int8 network, as .tflite and as ONNX",
                Variant.FP16: _HYBRID,
                Variant.DYNAMIC: _HYBRID,
                Variant.INT16X8: _HYBRID,
            },
        ),
        Peer(
            name="mediapipe",
            variants=(*_FLOATS, Variant.FP16, Variant.DYNAMIC, Variant.INT8, Variant.INT16X8),
            suffix=".tflite",
            limits=(
                "has no option for threads: one thread, and several of its own around it",
                "takes pictures alone: its time has the scaling of the pixels and the sorting of the classes in it",
                "one picture to a run",
            ),
        ),
        Peer(
            name="executorch",
            variants=(),
            suffix=".pte",
            refusal="ExecuTorch 1.5 takes programs exported from PyTorch alone, no Keras file and no flatbuffer: there "
            "is no tool of its own to give it the same weights with, and its package needs torch (5.4 GB on Linux)",
        ),
    )
}


def peer_named(name: str) -> Peer:
    """The peer of that name. Raise InputError with near names."""
    if name not in PEERS:
        raise _unknown("peer", name, PEERS)
    return PEERS[name]


def environment_named(name: str) -> Environment:
    """The environment of that name. Raise InputError with near names."""
    if name not in ENVIRONMENTS:
        raise _unknown("environment", name, ENVIRONMENTS)
    return ENVIRONMENTS[name]


def _unknown(kind: str, name: str, names: Mapping[str, object]) -> InputError:
    near = near_names(name, names)
    hint = f'did you mean "{near[0]}"?' if near else f"there are {', '.join(names)}"
    return InputError(f'no {kind} is called "{name}"', hints=hint)
