"""What can be measured, by name: every engine, its kind, its title in a table, and the package that it comes from."""

from dataclasses import dataclass
from enum import StrEnum

from mnbench.cell import Device
from mninfer.errors import InputError
from mninfer.near import near_names

__all__ = ["ENGINES", "EngineEntry", "EngineKind", "engine_entry"]


class EngineKind(StrEnum):
    """Which workload module opens it, and in which environment."""

    FLATBUFFER = "flatbuffer"  # mninfer's engines: in this environment
    KERAS = "keras"  # a training framework: in this environment
    PEER = "peer"  # others' runtimes: each in an environment of its own
    RUNTIME = "runtime"  # mninfer itself, from photo to label, and whole processes
    DEVICE = "device"  # benchmark_model on a phone


@dataclass(frozen=True, slots=True)
class EngineEntry:
    """``package`` is what has to be importable, or, of a peer, what its environment holds; ``devices``: it runs on."""

    name: str
    title: str
    kind: EngineKind
    package: str
    devices: tuple[Device, ...] = (Device.CPU,)


_BOTH = (Device.CPU, Device.GPU)

ENGINES = {
    entry.name: entry
    for entry in (
        EngineEntry("litert", "LiteRT", EngineKind.FLATBUFFER, "ai_edge_litert"),
        EngineEntry("litert-gpu", "LiteRT GPU", EngineKind.FLATBUFFER, "ai_edge_litert", (Device.GPU,)),
        EngineEntry("tflite-runtime", "tflite-runtime", EngineKind.FLATBUFFER, "tflite_runtime"),
        EngineEntry("tensorflow", "tf.lite", EngineKind.FLATBUFFER, "tensorflow"),
        EngineEntry("keras-tensorflow", "Keras on TensorFlow", EngineKind.KERAS, "tensorflow", _BOTH),
        EngineEntry("keras-jax", "Keras on JAX", EngineKind.KERAS, "jax", _BOTH),
        EngineEntry("keras-torch", "Keras on torch", EngineKind.KERAS, "torch", _BOTH),
        EngineEntry("mninfer", "mninfer", EngineKind.RUNTIME, "mninfer"),
        EngineEntry("onnxruntime", "ONNX Runtime", EngineKind.PEER, "onnxruntime"),
        EngineEntry("openvino", "OpenVINO", EngineKind.PEER, "openvino"),
        EngineEntry("mnn", "MNN", EngineKind.PEER, "MNN"),
        EngineEntry("ncnn", "ncnn", EngineKind.PEER, "ncnn"),
        EngineEntry("opencv", "OpenCV DNN", EngineKind.PEER, "cv2"),
        EngineEntry("mediapipe", "MediaPipe", EngineKind.PEER, "mediapipe"),
        EngineEntry("executorch", "ExecuTorch", EngineKind.PEER, "executorch"),
        EngineEntry("benchmark_model", "benchmark_model", EngineKind.DEVICE, ""),
    )
}


def engine_entry(name: str) -> EngineEntry:
    """The engine of that name. Raise InputError with near names."""
    if name not in ENGINES:
        near = near_names(name, ENGINES)
        raise InputError(
            f'no engine is called "{name}"',
            hints=f'did you mean "{near[0]}"?' if near else f"there are {', '.join(ENGINES)}",
        )
    return ENGINES[name]
