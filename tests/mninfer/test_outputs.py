"""What a graph says about its outputs: task, softmax or none, classes."""

import numpy as np
import pytest

from mninfer.model_file.check import check_model
from mninfer.model_file.graph import Graph
from mninfer.outputs import read_outputs
from mninfer.spec import Task
from support.builder import GraphBuilder, quantization
from support.networks import colour_segmenter, embedder, red_detector, shapes_float, shapes_int8


@pytest.mark.parametrize(
    ("data", "task", "num_classes"),
    [
        (shapes_float(), Task.CLASSIFY, 16),
        (shapes_int8(), Task.CLASSIFY, 16),
        (red_detector(), Task.DETECT, 1),
        (colour_segmenter(), Task.SEGMENT, 5),
        (colour_segmenter(argmax=True), Task.SEGMENT, None),
    ],
)
def test_the_task_is_read_from_the_outputs(data: bytes, task: Task, num_classes: int | None) -> None:
    meaning = read_outputs(check_model(data))
    assert (meaning.task, meaning.num_classes) == (task, num_classes)


def test_the_files_own_word_goes_first() -> None:
    meaning = read_outputs(check_model(embedder()), Task.EMBED)
    assert (meaning.task, meaning.num_classes) == (Task.EMBED, None)


@pytest.mark.parametrize("data", [shapes_float(), shapes_int8(), shapes_int8(ends="int8")])
def test_a_softmax_at_the_end_is_seen_through_quantization(data: bytes) -> None:
    assert read_outputs(check_model(data)).has_probabilities


def test_logits_are_no_probabilities() -> None:
    assert not read_outputs(check_model(shapes_float(softmax=False))).has_probabilities


def chain(*operators: tuple[str, str | None]) -> Graph:
    b = GraphBuilder()
    first = tensor = b.activation("x", (1, 4))
    for number, (name, options) in enumerate(operators):
        after = b.activation(f"t{number}", (1, 4))
        operands = [tensor]
        if name == "RESHAPE":
            operands.append(b.constant(f"shape{number}", np.array([1, 4], np.int32)))
        b.operator(name, operands, [after], options, {"beta": 1.0} if name == "SOFTMAX" else {})
        tensor = after
    return check_model(b.build([first], [tensor]))


def test_a_sigmoid_gives_probabilities_too() -> None:
    assert read_outputs(chain(("LOGISTIC", None), ("RESHAPE", "ReshapeOptions"))).has_probabilities


def test_what_comes_after_a_softmax_ends_it() -> None:
    assert not read_outputs(chain(("SOFTMAX", "SoftmaxOptions"), ("RELU6", None))).has_probabilities


def test_a_softmax_spelled_out_is_one() -> None:
    b = GraphBuilder()
    x, e, s, y = (b.activation(name, (1, 1) if name == "s" else (1, 4)) for name in "xesy")
    b.operator("EXP", [x], [e], "ExpOptions", {})
    b.operator("SUM", [e, b.constant("axis", np.array([1], np.int32))], [s], "ReducerOptions", {"keep_dims": True})
    b.operator("DIV", [e, s], [y], "DivOptions", {})
    assert read_outputs(check_model(b.build([x], [y]))).has_probabilities


class TestDetection:
    def test_outputs_are_found_by_the_operator_not_by_their_place(self) -> None:
        from mninfer.model_file.flatbuffer import decode, encode, load_schema

        schema = load_schema("tflite")
        root = decode(red_detector(), schema)
        boxes, classes, scores, count = root["subgraphs"][0]["outputs"]
        root["subgraphs"][0]["outputs"] = (scores, boxes, count, classes)  # as TF 2 exports them
        found = read_outputs(check_model(encode(root, schema))).detection
        assert found is not None
        assert (found.scores, found.boxes, found.count, found.classes) == (0, 1, 2, 3)

    def test_labels_may_begin_with_a_background(self) -> None:
        meaning = read_outputs(check_model(red_detector()))
        assert meaning.detection is not None
        assert meaning.label_counts == (1, 2)
        assert meaning.detection.label_offset(None) == 0
        assert meaning.detection.label_offset(("red",)) == 0
        assert meaning.detection.label_offset(("???", "red")) == 1


def test_a_quantized_passing_operator_is_seen_through() -> None:
    b = GraphBuilder()
    x, y = b.activation("x", (1, 4)), b.activation("y", (1, 4))
    q = b.activation("q", (1, 4), "uint8", quantization(1 / 256, 0))
    b.operator("SOFTMAX", [x], [y], "SoftmaxOptions", {"beta": 1.0})
    b.operator("QUANTIZE", [y], [q], "QuantizeOptions", {})
    assert read_outputs(check_model(b.build([x], [q]))).has_probabilities
