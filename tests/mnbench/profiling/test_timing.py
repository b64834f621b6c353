"""A whole profile of small models: every operator timed, on its real input; what can't be profiled is said."""

from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mnbench.cell import Cell, Work
from mnbench.job import Budget, Job
from mnbench.profiling import Profile, ProfileConfig, profile_flatbuffer, profile_job
from mnbench.profiling import timing as timing_module
from mninfer.engines.protocol import Engine
from mninfer.errors import InputError, UnsupportedModelError, VerifyError
from mninfer.loading import read_checked
from mninfer.model_file import Table, count_macs
from support.builder import GraphBuilder
from support.network import normalize
from support.networks import shapes_float, shapes_int8
from support.pictures import shape_pictures

pytestmark = pytest.mark.smoke

ENGINE = "litert" if find_spec("ai_edge_litert") else "tflite-runtime"
CONFIG = ProfileConfig(engine=ENGINE, threads=1, budget=Budget(seconds=0.1, warm_up_seconds=0.05))


def job(folder: Path, data: bytes, *, threads: int | None = 1) -> Job:
    (folder / "model.tflite").write_bytes(data)
    np.save(folder / "input.npy", normalize(shape_pictures(1, seed=7)[0]))
    cell = Cell(work=Work.FORWARD, model="shapes", engine=ENGINE, threads=threads)
    return Job(cell=cell, budget=CONFIG.budget, file=folder / "model.tflite", input=folder / "input.npy")


@pytest.mark.parametrize(
    "data", [shapes_float(), shapes_int8(), shapes_float(dynamic_batch=True)], ids=["float", "int8", "open batch"]
)
def test_every_operator_is_timed(tmp_path: Path, data: bytes) -> None:
    profile = profile_job(job(tmp_path, data))
    graph = read_checked(data).graph
    assert [operator.name for operator in profile.operators] == [operator.name for operator in graph.operators]
    assert [operator.index for operator in profile.operators] == list(range(len(graph.operators)))
    assert all(operator.median_ns > 0 for operator in profile.operators)
    assert sum(operator.macs for operator in profile.operators) == count_macs(graph)
    assert profile.operators[0].shape == graph.tensors[graph.operators[0].outputs[0]].shape
    assert profile.engine.startswith(ENGINE)
    assert profile.num_rounds >= 2
    # Each of a dozen calls costs some microseconds beside the work, of which this network has few: wide limits.
    assert 0.1 < profile.ratio < 50
    assert Profile.from_json(profile.to_json()) == profile


def test_the_engine_says_which_operators_xnnpack_runs(tmp_path: Path) -> None:
    plain = job(tmp_path, shapes_float())
    profile = profile_job(replace(plain, cell=replace(plain.cell, use_xnnpack=False)))
    assert [operator.is_delegated for operator in profile.operators] == [False] * len(profile.operators)


def test_the_largest_operator_takes_the_longest() -> None:
    """A convolution of 151 million multiply-adds between two of next to none."""
    b = GraphBuilder()
    x = b.activation("input", (1, 64, 64, 4))
    for name, (before, after, kernel) in {"small": (4, 64, 1), "large": (64, 64, 3), "end": (64, 1, 1)}.items():
        y = b.activation(name, (1, 64, 64, after))
        weights = b.constant(f"{name} weights", np.full((after, kernel, kernel, before), 0.01, np.float32))
        operands = [x, weights, b.constant(f"{name} bias", np.zeros(after, np.float32))]
        b.operator("CONV_2D", operands, [y], "Conv2DOptions", {"padding": 0, "stride_w": 1, "stride_h": 1})
        x = y
    profile = profile_flatbuffer(read_checked(b.build([0], [x])), [np.ones((1, 64, 64, 4), np.float32)], CONFIG)
    small, large, end = profile.operators
    assert large.median_ns > 3 * max(small.median_ns, end.median_ns)
    assert large.macs == 64 * 64 * 64 * 64 * 9


def test_pieces_that_compute_something_else_are_found_out(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """As they would with a stride or a weight lost on the way."""
    right = timing_module.cut_piece

    def wrong(root: Table, piece: object) -> bytes:
        buffers = [{**buffer, "data": bytes(len(buffer.get("data") or b""))} for buffer in root["buffers"]]
        is_dense = getattr(piece, "name", "") == "FULLY_CONNECTED"
        return right({**root, "buffers": buffers} if is_dense else root, piece)  # type: ignore[arg-type]

    monkeypatch.setattr(timing_module, "cut_piece", wrong)
    for data in (shapes_float(), shapes_int8()):
        with pytest.raises(VerifyError, match=r"run one by one, the operators give another tensor .* than the whole"):
            profile_job(job(tmp_path, data))


def test_a_slow_model_has_two_rounds_and_no_more() -> None:
    hurried = replace(CONFIG, budget=Budget(seconds=0, warm_up_seconds=0, least_samples=50))
    profile = profile_flatbuffer(read_checked(shapes_float()), [np.zeros((1, 48, 48, 3), np.float32)], hurried)
    assert profile.num_rounds == 2


@pytest.mark.parametrize("threads", [1, 2])
def test_every_engine_is_closed(monkeypatch: pytest.MonkeyPatch, threads: int) -> None:
    """Threads of an engine that is not would take the cores from the cells that come after."""
    is_open: list[object] = []
    right = timing_module.open_engine

    def counted(*arguments: Any, **options: Any) -> Engine:
        engine = right(*arguments, **options)
        close = engine.close

        def closed() -> None:
            is_open.remove(engine)
            close()

        is_open.append(engine)
        monkeypatch.setattr(engine, "close", closed)
        return engine

    monkeypatch.setattr(timing_module, "open_engine", counted)
    config = replace(CONFIG, threads=threads, budget=replace(CONFIG.budget, seconds=0.0, warm_up_seconds=0.0))
    profile = profile_flatbuffer(read_checked(shapes_float()), [np.zeros((1, 48, 48, 3), np.float32)], config)
    assert profile.threads == threads
    assert is_open == []


def test_other_sizes_than_the_file_s_are_refused() -> None:
    file = read_checked(shapes_float(dynamic_batch=True))
    with pytest.raises(UnsupportedModelError, match=r"inputs of \[1, 48, 48, 3\]; it is to run with \[2, 48, 48, 3\]"):
        profile_flatbuffer(file, [np.zeros((2, 48, 48, 3), np.float32)], CONFIG)


def test_a_gpu_is_refused() -> None:
    file = read_checked(shapes_float())
    with pytest.raises(UnsupportedModelError, match="GPU"):
        profile_flatbuffer(file, [np.zeros((1, 48, 48, 3), np.float32)], replace(CONFIG, engine="litert-gpu"))


def test_a_job_that_lacks_something_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="names no model file, no input, or no number of threads"):
        profile_job(job(tmp_path, shapes_float(), threads=None))
