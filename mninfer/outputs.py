"""What a model's outputs mean, read from its graph: the task, whether scores are probabilities, which is the boxes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from mninfer.model_file.graph import Graph, Operator
from mninfer.spec import Task

__all__ = ["DETECTION_OPERATOR", "DetectionOutputs", "OutputMeaning", "read_outputs"]

DETECTION_OPERATOR = "TFLite_Detection_PostProcess"
# Operators that hand values on as they are (up to quantization), so that what made them lies further back.
_PASSING = {"QUANTIZE", "DEQUANTIZE", "RESHAPE", "SQUEEZE", "EXPAND_DIMS", "CAST"}


@dataclass(frozen=True, slots=True, kw_only=True)
class DetectionOutputs:
    """Positions among the model's outputs, and the number of classes, a background not counted."""

    boxes: int
    classes: int
    scores: int
    count: int
    num_classes: int

    def label_offset(self, labels: Sequence[str] | None) -> int:
        """What to add to a class number, which counts without a background: 1 where the labels begin with one."""
        return int(labels is not None and len(labels) == self.num_classes + 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class OutputMeaning:
    """``has_probabilities``: the first output is a softmax's or sigmoid's. ``num_classes``: None where it has none."""

    task: Task
    has_probabilities: bool
    num_classes: int | None
    detection: DetectionOutputs | None = None

    @property
    def label_counts(self) -> tuple[int, ...]:
        """How many labels fit; empty where the outputs don't tell."""
        if self.num_classes is None:
            return ()
        return (self.num_classes, self.num_classes + 1) if self.detection else (self.num_classes,)


def read_outputs(
    graph: Graph, stated_task: Task | None = None, *, shape: tuple[int, ...] | None = None
) -> OutputMeaning:
    """Say what the outputs are. ``stated_task`` is the file's own word; ``shape`` the first one's where it runs."""
    detection = _detection_outputs(graph)
    if detection:
        return OutputMeaning(
            task=Task.DETECT, has_probabilities=True, num_classes=detection.num_classes, detection=detection
        )
    first = graph.tensors[graph.outputs[0]]
    shape = shape or first.shape
    task = stated_task or _task_of_shape(shape, first.dtype)
    return OutputMeaning(
        task=task, has_probabilities=_ends_in_probabilities(graph), num_classes=_num_classes(task, shape)
    )


def _task_of_shape(shape: tuple[int, ...], dtype: str) -> Task:
    """One number per class, or one value (or several scores) per pixel; anything else is features."""
    if len(shape) >= 2 and all(size == 1 for size in shape[:-1]):
        return Task.CLASSIFY
    if len(shape) == 4 and shape[1] > 1 and shape[2] > 1:
        return Task.SEGMENT
    if len(shape) == 3 and dtype in {"int32", "int64", "uint8"}:
        return Task.SEGMENT
    return Task.EMBED


def _num_classes(task: Task, shape: tuple[int, ...]) -> int | None:
    if task is Task.CLASSIFY:
        return shape[-1] if shape else None
    if task is Task.SEGMENT and len(shape) == 4 and shape[3] > 1:
        return shape[3]
    return None


def _producers(graph: Graph) -> Mapping[int, Operator]:
    return {tensor: operator for operator in graph.operators for tensor in operator.outputs}


def _ends_in_probabilities(graph: Graph) -> bool:
    producers = _producers(graph)
    tensor = graph.outputs[0]
    while tensor in producers:
        operator = producers[tensor]
        if operator.name in {"SOFTMAX", "LOGISTIC"}:
            return True
        if operator.name == "DIV":  # a softmax spelled out: exp / sum(exp)
            numerator = producers.get(operator.inputs[0])
            return numerator is not None and numerator.name == "EXP"
        if operator.name not in _PASSING:
            return False
        tensor = operator.inputs[0]
    return False


def _detection_outputs(graph: Graph) -> DetectionOutputs | None:
    """The post-processing operator makes boxes, classes, scores, count; the file may list them in another order."""
    operator = next((operator for operator in graph.operators if operator.name == DETECTION_OPERATOR), None)
    if operator is None or len(operator.outputs) < 4 or not set(operator.outputs[:4]) <= set(graph.outputs):
        return None
    boxes, classes, scores, count = (graph.outputs.index(tensor) for tensor in operator.outputs[:4])
    num_scores = graph.tensors[operator.inputs[1]].shape[-1]
    return DetectionOutputs(
        boxes=boxes,
        classes=classes,
        scores=scores,
        count=count,
        num_classes=_num_detection_classes(operator, num_scores),
    )


def _num_detection_classes(operator: Operator, num_scores: int) -> int:
    """The operator's own option; scores have one more where class 0 is the background."""
    from mninfer.model_file.rules.flexbuffer import read_map

    return int(read_map(operator.custom_options).get("num_classes") or num_scores - 1)
