"""The static check as a whole: what is sound passes, what is wrong is named."""

import struct
import time
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mninfer.errors import ModelFileError, UnsupportedModelError
from mninfer.model_file.check import check_graph, check_model, peak_activation_bytes
from mninfer.model_file.flatbuffer import decode, encode, load_schema
from mninfer.model_file.graph import build_graph
from support import networks
from support.builder import GraphBuilder

OURS: dict[str, Callable[[], bytes]] = {
    "shapes_float": networks.shapes_float,
    "shapes_dynamic_batch": lambda: networks.shapes_float(dynamic_batch=True),
    "shapes_int8": networks.shapes_int8,
    "embedder": networks.embedder,
    "colour_segmenter": networks.colour_segmenter,
    "red_detector": networks.red_detector,
}


def changed(data: bytes, change: Callable[[Any], None]) -> bytes:
    """The model with ``change`` done to its decoded root."""
    root = decode(data, load_schema("tflite"))
    change(root)
    return encode(root, load_schema("tflite"))


def refusal(data: bytes) -> str:
    with pytest.raises(ModelFileError) as caught:
        check_model(data)
    return str(caught.value)


@pytest.fixture(scope="module")
def sound() -> bytes:
    """A convolution and a softmax."""
    b = GraphBuilder()
    x = b.activation("picture", (1, 8, 8, 3))
    maps = b.activation("maps", (1, 4, 4, 5))
    weights = b.constant("filters", np.ones((5, 3, 3, 3), np.float32))
    options = {"padding": 0, "stride_w": 2, "stride_h": 2}
    b.operator("CONV_2D", [x, weights, b.constant("bias", np.zeros(5, np.float32))], [maps], "Conv2DOptions", options)
    y = b.activation("scores", (1, 4, 4, 5))
    b.operator("SOFTMAX", [maps], [y], "SoftmaxOptions", {"beta": 1.0})
    return b.build([x], [y])


@pytest.mark.smoke
@pytest.mark.parametrize("name", OURS)
def test_our_models_pass(name: str) -> None:
    assert check_model(OURS[name]()).operators


def test_models_by_others_pass(shared: Path) -> None:
    paths = sorted((shared / "models").glob("*.tflite"))
    assert len(paths) >= 4
    for path in paths:
        assert check_model(path.read_bytes()).operators


@pytest.mark.parametrize("name", ["shapes_float", "red_detector"])
def test_every_truncation_is_refused(name: str) -> None:
    data = OURS[name]()
    for size in [*range(200), *range(200, len(data) - 8, max(len(data) // 300, 1))]:
        with pytest.raises(ModelFileError):
            check_model(data[:size])


def test_root_offset_beyond_the_file_is_named(sound: bytes) -> None:
    assert "damaged or truncated" in refusal(b"\xff\xff\xff\x7f" + sound[4:])


CHANGES: list[tuple[str, Callable[[Any], None], str]] = []


def change(expected: str) -> Callable[[Callable[[Any], None]], Callable[[Any], None]]:
    """Register a change to the sound model with a part of the message it must get."""

    def register(function: Callable[[Any], None]) -> Callable[[Any], None]:
        CHANGES.append((function.__name__, function, expected))
        return function

    return register


def tensor(root: Any, name: str) -> Any:
    return next(table for table in root["subgraphs"][0]["tensors"] if table["name"] == name)


def operator(root: Any, index: int) -> Any:
    return root["subgraphs"][0]["operators"][index]


@change('tensor 1 "maps": shape [1, -4, 4, 5] has a negative size')
def negative_size(root: Any) -> None:
    tensor(root, "maps")["shape"] = (1, -4, 4, 5)


@change('tensor 1 "maps" comes out as [1, 4, 4, 5], but is declared as [1, 4, 4, 6]')
def wrong_shape(root: Any) -> None:
    tensor(root, "maps")["shape"] = (1, 4, 4, 6)


@change("takes more than 1024 MiB")
def huge_shape(root: Any) -> None:
    tensor(root, "maps")["shape"] = (2**31 - 1,) * 4


@change("9 dimensions, more than 8")
def too_many_dimensions(root: Any) -> None:
    tensor(root, "maps")["shape"] = (1,) * 9


@change("shape signature [-1, 9, 8, 3] contradicts shape [1, 8, 8, 3]")
def wrong_signature(root: Any) -> None:
    tensor(root, "picture")["shape_signature"] = (-1, 9, 8, 3)


@change('tensor 2 "filters": its buffer has 536 bytes, shape [5, 3, 3, 3] of float32 needs 540')
def short_buffer(root: Any) -> None:
    buffer = root["buffers"][tensor(root, "filters")["buffer"]]
    buffer["data"] = bytes(buffer["data"])[:-4]


@change("buffer 99 of 3")
def buffer_index(root: Any) -> None:
    tensor(root, "filters")["buffer"] = 99


@change("bytes at byte 18446744073709551608")
def external_offset(root: Any) -> None:
    root["buffers"][1].update(offset=2**64 - 8, size=540)


@change("data type 99 does not exist")
def data_type(root: Any) -> None:
    tensor(root, "maps")["type"] = 99


@change("data of type string")
def strings(root: Any) -> None:
    tensor(root, "maps")["type"] = 5


@change("data types float32, int32, float32 -> float32 do not go together")
def operand_type(root: Any) -> None:
    tensor(root, "filters")["type"] = 2


@change("tensor 77 of 5")
def operand_index(root: Any) -> None:
    operator(root, 0)["inputs"] = (0, 77, 3)


@change("operator 0 CONV_2D: operand 1 is missing")
def required_operand(root: Any) -> None:
    operator(root, 0)["inputs"] = (0, -1, 3)


@change("operator 0 CONV_2D: 2 operands, it needs 3")
def too_few_operands(root: Any) -> None:
    operator(root, 0)["inputs"] = (0, 2)


@change("operator 0: code 9 of 2")
def operator_code(root: Any) -> None:
    operator(root, 0)["opcode_index"] = 9


@change("builtin operator 9999 does not exist")
def unknown_builtin(root: Any) -> None:
    root["operator_codes"][0]["builtin_code"] = 9999


@change("its options are SoftmaxOptions, not Conv2DOptions")
def options_of_another(root: Any) -> None:
    for name in ("builtin_options", "builtin_options_type"):
        operator(root, 0)[name] = operator(root, 1)[name]


@change("its options are NONE, not Conv2DOptions")
def no_options(root: Any) -> None:
    operator(root, 0)["builtin_options_type"] = 0
    del operator(root, 0)["builtin_options"]


@change("fused activation 4 is none of")
def activation(root: Any) -> None:
    operator(root, 0)["builtin_options"]["fused_activation_function"] = 4


@change('operator 0 SOFTMAX: reads tensor 1 "maps" before anything writes it')
def order(root: Any) -> None:
    root["subgraphs"][0]["operators"].reverse()


@change('writes tensor 5 "fixed", which is constant')
def writes_a_constant(root: Any) -> None:
    root["subgraphs"][0]["tensors"].append({**tensor(root, "maps"), "name": "fixed", "buffer": len(root["buffers"])})
    root["buffers"].append({"data": bytes(320)})
    root["subgraphs"][0]["operators"].append({**operator(root, 1), "outputs": (5,)})


@change('writes tensor 4 "scores", which is written already')
def writes_twice(root: Any) -> None:
    root["subgraphs"][0]["operators"].append(operator(root, 1))


@change("is an input of the graph and constant")
def constant_input(root: Any) -> None:
    root["subgraphs"][0]["inputs"] = (2,)


@change("is an output of the graph, but nothing writes it")
def output_of_nothing(root: Any) -> None:
    del root["subgraphs"][0]["operators"][1]


@change("0 inputs, 2 operators, 1 outputs")
def no_inputs(root: Any) -> None:
    root["subgraphs"][0]["inputs"] = ()


@change("the model has 2 subgraphs")
def two_subgraphs(root: Any) -> None:
    root["subgraphs"] *= 2


@change("schema version 2 is not 3")
def schema_version(root: Any) -> None:
    root["version"] = 2


@change("signature 0: tensor 55 of 5")
def signature_tensor(root: Any) -> None:
    root["signature_defs"] = [{"inputs": [{"name": "x", "tensor_index": 55}], "signature_key": "serve"}]


@change("metadata 0: buffer 7 of 3")
def metadata_buffer(root: Any) -> None:
    root["metadata"] = [{"name": "x", "buffer": 7}]


@change("an intermediate tensor that does not exist")
def intermediates(root: Any) -> None:
    operator(root, 0)["intermediates"] = (1 << 20,)


@change("options outside the schema")
def large_custom_options(root: Any) -> None:
    operator(root, 0).update(large_custom_options_offset=2**63, large_custom_options_size=2**40)


@change("version 0")
def version_zero(root: Any) -> None:
    root["operator_codes"][0]["version"] = 0


@pytest.mark.parametrize(("changes", "expected"), [pytest.param(c, e, id=n) for n, c, e in CHANGES])
def test_what_is_wrong_is_named(sound: bytes, changes: Callable[[Any], None], expected: str) -> None:
    with pytest.raises((ModelFileError, UnsupportedModelError)) as caught:
        check_model(changed(sound, changes))
    assert expected in str(caught.value)


@pytest.mark.parametrize("scale", [0.0, -1.0, 1e-45, float("inf"), float("nan"), 3e38])
def test_wild_scales_are_refused(scale: float) -> None:
    def wild(root: Any) -> None:
        table = next(
            t for t in root["subgraphs"][0]["tensors"] if len((t.get("quantization") or {}).get("scale", ())) == 1
        )
        table["quantization"]["scale"] = (scale,)

    assert "is not a positive, normal number" in refusal(changed(networks.shapes_int8(), wild))


@pytest.mark.parametrize(
    ("field", "value", "expected"),
    [
        ("zero_point", (0,), "1 zero points for"),
        ("quantized_dimension", 7, "quantized along dimension 7 of 4"),
        ("quantized_dimension", -1, "quantized along dimension -1 of 4"),
        ("quantized_dimension", 1, "scales for 3 channels"),
    ],
)
def test_wrong_per_channel_quantization_is_refused(field: str, value: Any, expected: str) -> None:
    def wrong(root: Any) -> None:
        filters = next(
            t
            for t in root["subgraphs"][0]["tensors"]
            if len((t.get("quantization") or {}).get("scale", ())) > 1 and len(t["shape"]) == 4
        )
        filters["quantization"][field] = value

    assert expected in refusal(changed(networks.shapes_int8(), wrong))


def test_zero_points_stay_in_their_type() -> None:
    def wrong(root: Any) -> None:
        subgraph = root["subgraphs"][0]
        subgraph["tensors"][subgraph["inputs"][0]]["quantization"]["zero_point"] = (256,)

    assert "zero points beyond 0 to 255, the range of uint8" in refusal(changed(networks.shapes_int8(), wrong))


def test_memory_is_bounded() -> None:
    b = GraphBuilder()
    x = b.activation("x", (1, 16, 16, 1))
    tensors = [x]
    for i in range(2):
        size = (1, 8192, 8192, 3)
        y = b.activation(f"large {i}", size)
        times = b.constant(f"times {i}", np.array((1, 512, 512, 3), np.int32))
        b.operator("TILE", [x, times], [y], "TileOptions", {}, version=1)
        tensors.append(y)
    z = b.activation("sum", (1, 8192, 8192, 3))
    b.operator("ADD", tensors[1:], [z], "AddOptions", {})
    with pytest.raises(UnsupportedModelError, match=r"running it takes 1\.5 GiB, more than 1 GiB"):
        check_model(b.build([x], [z]))


def test_the_peak_of_activations_is_the_largest_sum_alive_at_once() -> None:
    b = GraphBuilder()
    x = b.activation("x", (1, 8))
    wide, sums, last = (b.activation(name, (1, 24)) for name in ("wide", "sums", "last"))
    b.operator("TILE", [x, b.constant("times", np.array((1, 3), np.int32))], [wide], "TileOptions", {})
    b.operator("ADD", [wide, wide], [sums], "AddOptions", {})
    b.operator("RELU", [sums], [last])
    # The input stays to the end: a caller may run again with it.
    assert peak_activation_bytes(check_model(b.build([x], [last]))) == 4 * (8 + 24 + 24)


def test_the_peak_of_activations_grows_with_the_batch() -> None:
    graph = check_model(networks.shapes_float(dynamic_batch=True))
    shape = graph.tensors[graph.inputs[0]].shape
    four = peak_activation_bytes(graph, input_shapes={graph.inputs[0]: (4, *shape[1:])})
    assert four == 4 * peak_activation_bytes(graph)


def test_external_buffers_inside_the_file_pass(sound: bytes) -> None:
    """Files of more than 2 GB keep weights behind the flatbuffer; the offset counts from its start."""

    def move(root: Any) -> None:
        weights = root["buffers"][1].pop("data")
        assert len(weights) == 540
        root["buffers"][1].update(offset=2, size=540)

    data = changed(sound, move)
    data += bytes(-len(data) % 16)
    marker = struct.pack("<Q", 2)
    position = data.index(struct.pack("<Q", 540)) - 8
    if data[position : position + 8] != marker:
        position += 16
    assert data[position : position + 8] == marker
    data = data[:position] + struct.pack("<Q", len(data)) + data[position + 8 :] + bytes(540)
    assert check_model(data).tensors[2].data is not None
    with pytest.raises(ModelFileError, match="540 bytes at byte"):
        check_model(data[:-1])


def test_open_sizes_are_checked_as_they_will_run() -> None:
    data = networks.shapes_float(dynamic_batch=True)
    graph = check_model(data)
    index = graph.inputs[0]
    shapes = check_graph(graph, input_shapes={index: (3, *graph.tensors[index].shape[1:])})
    assert shapes[graph.outputs[0]] == (3, *graph.tensors[graph.outputs[0]].shape[1:])
    with pytest.raises(ModelFileError, match="does not fit the model's"):
        check_graph(graph, input_shapes={index: (1, 7, 7, 3)})


@pytest.mark.smoke
def test_variable_tensors_count_though_nothing_reads_them() -> None:
    b = GraphBuilder()
    x, y = b.activation("x", (1, 4)), b.activation("y", (1, 4))
    for i in range(3):
        b.tensors[b.activation(f"state {i}", (1 << 27,))]["is_variable"] = True
    b.operator("RELU", [x], [y])
    with pytest.raises(UnsupportedModelError, match=r"running it takes 1\.5 GiB, more than 1 GiB"):
        check_model(b.build([x], [y]))


@pytest.mark.smoke
def test_bytes_that_many_operators_and_entries_share_are_not_copied() -> None:
    """A file of a few megabytes took gigabytes: each operator and each metadata entry had a copy of its own."""
    data = networks.shapes_float()
    root = decode(data, load_schema("tflite"))
    shared = memoryview(bytes(1 << 20))
    subgraph = root["subgraphs"][0]
    subgraph["operators"] = [{**subgraph["operators"][0], "custom_options": shared}] * 100
    root["buffers"].append({"data": shared, "offset": 0, "size": 0})
    root["metadata"] = [{"name": str(i), "buffer": len(root["buffers"]) - 1} for i in range(100)]
    tracemalloc.start()
    try:
        graph = build_graph(root, data)
        assert tracemalloc.get_traced_memory()[1] < 8 << 20
    finally:
        tracemalloc.stop()
    assert graph.metadata["99"] == graph.operators[99].custom_options == shared


def test_many_inputs_and_many_empty_operands_take_no_product_of_both() -> None:
    b = GraphBuilder()
    num = 15_000
    inputs = [b.activation("", (1,)) for _ in range(num)]
    empty, y = b.activation("empty", (0,)), b.activation("y", (1,))
    b.operator("CONCATENATION", [empty] * num, [y], "ConcatenationOptions", {"axis": 0})
    data = b.build(inputs, [y])
    begin = time.process_time()
    assert "15000 operands, it needs 1 to 1024" in refusal(data)
    assert time.process_time() - begin < 2.5  # it was 5 s
