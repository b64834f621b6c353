"""What each peer is: which environment it runs in, what converts for it, which variants it computes, and its limits.

Pure data. The reasons for what a peer can't do are ours to have tried: they name the version that it was tried with.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from mnbench.catalogue import ENGINES
from mnbench.cell import Variant
from mninfer.errors import InputError
from mninfer.near import near_names

__all__ = ["ENVIRONMENTS", "FLATBUFFER", "PEERS", "Environment", "Peer", "environment_named", "peer_named"]


FLATBUFFER = ".tflite"


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
    distribution_name: str | None = None

    @property
    def distribution(self) -> str:
        """What pip calls it."""
        return self.distribution_name or self.name


@dataclass(frozen=True, slots=True, kw_only=True)
class Peer:
    """``refused`` gives the reason for each variant that it can't run, ``limits`` what its figures need said of them.

    ``most_threads`` is what it computes on at the most; None where it takes a number.

    It reads ``direct`` variants as flatbuffers; of the others the tools in the environments ``converters`` make files
    that end in ``suffix``. A peer with ``refusal`` can't be measured at all.
    """

    name: str
    variants: tuple[Variant, ...]
    direct: tuple[Variant, ...] = ()
    suffix: str = FLATBUFFER
    converters: tuple[str, ...] = ()
    refused: Mapping[Variant, str] = field(default_factory=dict)
    limits: tuple[str, ...] = ()
    most_threads: int | None = None
    refusal: str | None = None

    @property
    def title(self) -> str:
        return ENGINES[self.name].title

    @property
    def environments(self) -> tuple[str, ...]:
        """What ``mnbench peers install`` makes for it: its own first."""
        return () if self.refusal else (self.name, *self.converters)

    def environments_for(self, variant: Variant) -> tuple[str, ...]:
        """What has to be installed for this variant."""
        return self.environments[:1] if variant in self.direct else self.environments

    def suffix_for(self, variant: Variant) -> str:
        """How the file ends that it loads of this variant."""
        return FLATBUFFER if variant in self.direct else self.suffix


# About what the whole takes: measured by mnbench peers install on Linux x86-64, November 2026.
ENVIRONMENTS = {
    environment.name: environment
    for environment in (
        Environment(name="onnxruntime", package="onnxruntime", about_mb=180),
        Environment(name="openvino", package="openvino", about_mb=290),
        Environment(name="mnn", package="MNN", about_mb=160),
        Environment(name="ncnn", package="ncnn", about_mb=140),
        Environment(name="opencv", package="cv2", about_mb=260, distribution_name="opencv-python-headless"),
        Environment(name="mediapipe", package="mediapipe", about_mb=560),
        Environment(name="tflite-runtime", package="tflite_runtime", about_mb=120),
        # The converters: TensorFlow reads a flatbuffer for tf2onnx, and fights with the runtimes' numpy and protobuf.
        Environment(name="tf2onnx", package="tf2onnx", about_mb=1640),
        # Its program holds all that it needs; the torch that its package asks for is 5.4 GB on Linux and unused here.
        Environment(name="pnnx", package=None, about_mb=120, pip_options=("--no-deps",)),
    )
}

_FLOATS = (Variant.FLOAT32, Variant.UNFUSED)
_SMALLER = (Variant.FP16, Variant.DYNAMIC, Variant.INT8, Variant.INT16X8)
_FP16 = "the weights are float32 again in the converted file: the row would be that of float32"
_DYNAMIC = "it computes such layers in float32, of weights made float32 again"
_INT16X8 = "tf2onnx writes ONNX of opset 18, where a quantized tensor can't be int16"
_BY_ONNX = {Variant.FP16: _FP16, Variant.DYNAMIC: _DYNAMIC, Variant.INT16X8: _INT16X8}

PEERS = {
    peer.name: peer
    for peer in (
        Peer(
            name="onnxruntime",
            variants=(*_FLOATS, Variant.INT8),
            suffix=".onnx",
            converters=("tf2onnx",),
            refused=_BY_ONNX,
        ),
        # Of an int8 flatbuffer it leaves V2's 17 depthwise convolutions in float, of ONNX with the same numbers none.
        Peer(
            name="openvino",
            variants=(*_FLOATS, Variant.INT8),
            direct=_FLOATS,
            suffix=".onnx",
            converters=("tf2onnx",),
            refused=_BY_ONNX,
            limits=("left to itself it computes in bfloat16 where the CPU can; here it is told float32",),
        ),
        Peer(
            name="mnn",
            variants=_FLOATS,
            suffix=".mnn",
            refused={
                Variant.FP16: _FP16,
                Variant.DYNAMIC: "the converter of MNN 3.6.1 crashes on such a file",
                Variant.INT8: "MNN 3.6.1 reads an int8 flatbuffer into wrong numbers, and its own quantizer crashes",
                Variant.INT16X8: "MNN 3.6.1 reads such a file into wrong numbers",
            },
        ),
        Peer(
            name="ncnn",
            variants=_FLOATS,
            suffix=".ncnn.bin",
            converters=("tf2onnx", "pnnx"),
            refused={
                **_BY_ONNX,
                Variant.INT8: "ncnn's quantizing programs, ncnn2table and ncnn2int8, are in none of its packages",
            },
            limits=("one picture to a run",),
        ),
        Peer(
            name="opencv",
            variants=_FLOATS,
            suffix=".onnx",
            converters=("tf2onnx",),
            refused={
                **_BY_ONNX,
                Variant.INT8: "OpenCV 5.0 fails on int8 networks such as V2, be they .tflite or ONNX",
            },
        ),
        Peer(
            name="mediapipe",
            variants=(*_FLOATS, *_SMALLER),
            direct=(*_FLOATS, *_SMALLER),
            most_threads=1,
            limits=(
                "has no option for threads: one computes",
                "takes pictures alone: its time has the scaling of the pixels and the sorting of the classes in it",
                "one picture to a run",
            ),
        ),
        Peer(
            name="executorch",
            variants=(),
            refusal="ExecuTorch 1.5 takes programs exported from PyTorch alone: no tool of its own gives it weights "
            "of a Keras file or a flatbuffer, and what exports them, torch, takes 5.4 GB on Linux",
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
