"""The TFLite metadata that a contract amounts to, and which foreign readers a file does not suit."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from mninfer.errors import PreprocessError
from mninfer.model_file.graph import Graph, Tensor
from mninfer.model_file.labels import LABELS_NAME
from mninfer.model_file.metadata import Content, FileMetadata, LabelFile, LabelKind, TensorMetadata
from mninfer.outputs import OutputMeaning, read_outputs
from mninfer.preprocessing import PreprocessSpec, Resize
from mninfer.preprocessing.table import input_table
from mninfer.spec import Task
from mninfer.tensors import TensorSpec

__all__ = ["ModelDescription", "describe_model", "limits_elsewhere"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelDescription:
    """What people are told about a model; empty where nothing is to be said."""

    name: str = ""
    description: str = ""
    version: str = ""
    author: str = ""
    license: str = ""


def describe_model(
    graph: Graph, *, task: Task, preprocess: PreprocessSpec | None, has_labels: bool, about: ModelDescription
) -> FileMetadata:
    """The metadata for a model. For quantized inputs it is the float model's mean and std, as readers expect."""
    meaning = read_outputs(graph, task)
    inputs = [graph.tensors[index] for index in graph.inputs]
    return FileMetadata(
        name=about.name,
        description=about.description,
        version=about.version,
        author=about.author,
        license=about.license,
        inputs=tuple(_describe_input(tensor, preprocess) for tensor in inputs),
        outputs=tuple(_describe_output(i, graph, meaning, has_labels=has_labels) for i in range(len(graph.outputs))),
    )


def limits_elsewhere(preprocess: PreprocessSpec, tensor: TensorSpec) -> tuple[str, ...]:
    """One sentence for each reason why a foreign reader cannot run the file, or will see other pixels than mninfer."""
    notes = []
    one_for_all = len(set(preprocess.mean)) == 1 and len(set(preprocess.std)) == 1
    if tensor.dtype not in ("float32", "uint8"):
        notes.append(f"MediaPipe and LiteRT.js cannot run it: its input is {tensor.dtype}; they take uint8 and float32")
    if preprocess.order != "rgb":
        notes.append("MediaPipe and other readers of TFLite metadata cannot run it: its channels are blue, green, red")
    elif tensor.dtype == "float32" and not one_for_all:
        notes.append("MediaPipe cannot run it: mean and std differ between channels, and it takes one for all")
    elif tensor.dtype == "uint8" and not _takes_pixels(preprocess, tensor):
        notes.append(
            "MediaPipe will see other values: it feeds pixels as they are to a uint8 input, "
            "whose quantization is not scale 1/std, zero point mean"
        )
    if preprocess.resize is not Resize.STRETCH:
        notes.append(
            f"MediaPipe will see other pixels: it stretches pictures, mninfer makes them fit by {preprocess.resize}"
        )
    return tuple(notes)


def _takes_pixels(preprocess: PreprocessSpec, tensor: TensorSpec) -> bool:
    """Whether each uint8 value that the preprocessing gives is the pixel's."""
    try:
        table = input_table(preprocess, tensor)
    except PreprocessError:
        return False
    return bool((table == np.arange(256)[:, None]).all())


def _describe_input(tensor: Tensor, preprocess: PreprocessSpec | None) -> TensorMetadata:
    if preprocess is None or len(tensor.shape) != 4:
        return TensorMetadata(name=tensor.name)
    mean, std = _one_if_equal(preprocess.mean), _one_if_equal(preprocess.std)
    if len(mean) != len(std):
        mean, std = preprocess.mean, preprocess.std
    ends = [[(pixel - m) / s for m, s in zip(mean, std, strict=True)] for pixel in (0.0, 255.0)]
    if tensor.dtype == "uint8":
        ends = [[0.0], [255.0]]
    return TensorMetadata(
        name="image",
        description=f"{tensor.shape[2]} x {tensor.shape[1]} pixels, {preprocess.order.upper()}.",
        content=Content.IMAGE,
        is_rgb=preprocess.order == "rgb",  # the schema has no word for BGR; unknown keeps readers from running it wrong
        mean=mean,
        std=std,
        minimum=tuple(map(min, zip(*ends, strict=True))),
        maximum=tuple(map(max, zip(*ends, strict=True))),
    )


def _describe_output(index: int, graph: Graph, meaning: OutputMeaning, *, has_labels: bool) -> TensorMetadata:
    tensor = graph.tensors[graph.outputs[index]]
    if meaning.detection:
        return _describe_detection(index, meaning, has_labels=has_labels)
    if index or meaning.task is Task.EMBED:
        return TensorMetadata(name=tensor.name if index else "feature", content=Content.FEATURE)
    is_mask = meaning.task is Task.SEGMENT and meaning.num_classes is None  # holds class indices, not scores
    kind = LabelKind.VALUE if is_mask else LabelKind.AXIS
    name = "segmentation" if meaning.task is Task.SEGMENT else "probability" if meaning.has_probabilities else "score"
    return TensorMetadata(
        name=name,
        content=Content.FEATURE,
        minimum=(0.0,) if meaning.has_probabilities else (),
        maximum=(1.0,) if meaning.has_probabilities else (),
        label_files=(LabelFile(LABELS_NAME, kind),) if has_labels else (),
    )


def _describe_detection(index: int, meaning: OutputMeaning, *, has_labels: bool) -> TensorMetadata:
    """As MediaPipe's and the Task Library's object detectors know them."""
    detection = meaning.detection
    if detection is None or index not in (detection.boxes, detection.classes, detection.scores, detection.count):
        return TensorMetadata(content=Content.FEATURE)
    if index == detection.boxes:
        return TensorMetadata(name="location", content=Content.BOXES)
    if index == detection.classes:
        files = (LabelFile(LABELS_NAME, LabelKind.VALUE),) if has_labels else ()
        return TensorMetadata(name="category", content=Content.FEATURE, label_files=files)
    return TensorMetadata(
        name="score" if index == detection.scores else "number of detections", content=Content.FEATURE
    )


def _one_if_equal(values: Sequence[float]) -> tuple[float, ...]:
    """MediaPipe and the published files have one value where it holds for all channels."""
    return (values[0],) if len(set(values)) == 1 else tuple(values)
