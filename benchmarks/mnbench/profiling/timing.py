"""Times a model operator by operator: every piece in the same engine, fed with what it gets in the whole.

The pieces take turns, in the order of the whole, and the whole after them. In one thread each is led up to as in the
whole, so that it finds the caches as it does there: its weights in an outer one, its neighbours' in the inner, its
input just written. (Timed without that, MobileNet V2's float operators took 20 % more together than the whole; run
twice in a row, 10 % less.) Several threads are another matter: they fall asleep while others run, and spin, which keeps
the others from the cores; there an engine is open for its turn only, and runs a few times in a row.
"""

import statistics
from collections.abc import Mapping, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass, replace
from itertools import repeat
from time import perf_counter_ns

import numpy as np

from mnbench.job import Budget, Job
from mnbench.profiling.cutting import cut_piece
from mnbench.profiling.pieces import Piece, pieces_of
from mnbench.profiling.profile import OperatorTime, Profile
from mnbench.sampling import Samples, sample
from mnbench.workloads.inputs import quantize, read_input
from mninfer.engines import open_engine
from mninfer.engines.protocol import Array, Engine
from mninfer.errors import InputError, UnsupportedModelError, VerifyError
from mninfer.loading import read_checked
from mninfer.model_file import Graph, ModelFile, decode_model
from mninfer.model_file.freeze_shapes import freeze_shapes
from mninfer.model_file.graph import build_graph

__all__ = ["ProfileConfig", "profile_flatbuffer", "profile_job"]

_NUM_LEADING = 3  # pieces that run before the one that is timed
_RUNS_OF_A_TURN = 3
_LEAST_ROUNDS = 2  # however long they take: a round has some ten times the runs of the whole
# The same kernels on the same values: what may differ is the order in which floats are added, across a fusion.
_CLOSE = 1e-3  # of the largest output
_STEPS = 1  # of a quantized output


@dataclass(frozen=True, slots=True, kw_only=True)
class ProfileConfig:
    """Which engine, and how long: a run of ``budget`` is a round, where everything has its turn; two at the least."""

    engine: str
    threads: int
    budget: Budget
    use_xnnpack: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class _Contender:
    """A model that has its turns: ``engine`` is its own, of one thread; ``leading`` are those that lead up to it."""

    data: bytes
    inputs: tuple[Array, ...]
    engine: Engine
    leading: tuple[Engine, ...] = ()

    def turn_ns(self, config: ProfileConfig) -> int:
        """The median of a few runs."""
        if config.threads == 1:
            return _median([self._led_up_ns() for _ in range(_RUNS_OF_A_TURN)])
        with closing(_opened(self.data, self.inputs, config, threads=config.threads)) as engine:
            engine.run(self.inputs)
            return _median([_invoke_ns(engine) for _ in range(_RUNS_OF_A_TURN)])

    def _led_up_ns(self) -> int:
        for engine in self.leading:
            engine.invoke()
        self.engine.set_inputs(self.inputs)
        return _invoke_ns(self.engine)


def _invoke_ns(engine: Engine) -> int:
    begin = perf_counter_ns()
    engine.invoke()
    return perf_counter_ns() - begin


def _median(times_ns: Sequence[int]) -> int:
    return round(statistics.median(times_ns))


def profile_job(job: Job) -> Profile:
    """The profile of a flatbuffer's cell: its file, its input, its engine, its budget's time again."""
    if job.file is None or job.input is None or job.cell.threads is None:
        raise InputError(f"the job of {job.cell.key} names no model file, no input, or no number of threads")
    config = ProfileConfig(
        engine=job.cell.engine, threads=job.cell.threads, budget=job.budget, use_xnnpack=job.cell.use_xnnpack
    )
    file = read_checked(str(job.file))
    tensor = file.graph.tensors[file.graph.inputs[0]].spec()
    return profile_flatbuffer(file, [quantize(read_input(job), tensor)], config)


def profile_flatbuffer(file: ModelFile, inputs: Sequence[Array], config: ProfileConfig) -> Profile:
    """Time every operator of a checked file on ``inputs``, one array per input of the file.

    Raises:
        UnsupportedModelError: it runs on a GPU, keeps a state, or the inputs have not the sizes that the file declares.
        VerifyError: the pieces, one after the other, compute something else than the whole.
    """
    _check(file.graph, inputs, config)
    data = file.data[: file.flatbuffer_size]
    data = freeze_shapes(data, [array.shape for array in inputs]) or data
    root = decode_model(data)
    graph = build_graph(root, data)
    pieces = pieces_of(graph, has_fusions=config.use_xnnpack)
    with ExitStack() as stack:
        whole = _contender(stack, data, inputs, config)
        contenders: list[_Contender] = []
        values = dict(zip(graph.inputs, inputs, strict=True))
        for piece in pieces:
            arrays = [values[index] for index in piece.inputs]
            leading = [each.engine for each in contenders[-_NUM_LEADING:]]
            contenders.append(_contender(stack, cut_piece(root, piece), arrays, config, leading))
            values.update(zip(piece.outputs, contenders[-1].engine.run(arrays), strict=True))
        _check_outputs(graph, values, whole.engine.run(inputs))
        samples = _sampled([*contenders, whole], config)
        *medians, whole_ns = map(_median, samples.parts_ns.values())
        engines = [contender.engine for contender in contenders]
        return Profile(
            engine=f"{whole.engine.name} {whole.engine.version}",
            threads=config.threads,
            num_rounds=len(samples.samples_ns),
            whole_ns=whole_ns,
            operators=tuple(map(_operator_time, repeat(graph), pieces, engines, medians)),
        )


def _contender(
    stack: ExitStack, data: bytes, inputs: Sequence[Array], config: ProfileConfig, leading: Sequence[Engine] = ()
) -> _Contender:
    engine = stack.enter_context(closing(_opened(data, inputs, config, threads=1)))
    return _Contender(data=data, inputs=tuple(inputs), engine=engine, leading=tuple(leading))


def _opened(data: bytes, inputs: Sequence[Array], config: ProfileConfig, *, threads: int) -> Engine:
    return open_engine(
        data,
        engine=config.engine,
        threads=threads,
        input_shapes=tuple(array.shape for array in inputs),
        use_xnnpack=config.use_xnnpack,
    )


def _check(graph: Graph, inputs: Sequence[Array], config: ProfileConfig) -> None:
    if config.engine == "litert-gpu":
        raise UnsupportedModelError("single operators on a GPU would be timed with the way there and back")
    declared = [graph.tensors[index].shape for index in graph.inputs]
    given = [array.shape for array in inputs]
    if given != declared:
        raise UnsupportedModelError(
            f"the operators are cut out in the sizes that the file declares, inputs of {_shapes(declared)}; "
            f"it is to run with {_shapes(given)}",
            hints="profile it at batch 1, or a file converted at that batch",
        )


def _shapes(shapes: Sequence[tuple[int, ...]]) -> str:
    return ", ".join(str(list(shape)) for shape in shapes)


def _check_outputs(graph: Graph, found: Mapping[int, Array], expected: Sequence[Array]) -> None:
    for index, array in zip(graph.outputs, expected, strict=True):
        if index not in found:
            continue  # a constant
        wide = np.float64 if array.dtype.kind == "f" else np.int64
        limit = _CLOSE * max(float(np.abs(array).max(initial=0)), 1e-30) if wide is np.float64 else _STEPS
        difference = float(np.abs(found[index].astype(wide) - array.astype(wide)).max(initial=0))
        if not difference <= limit:  # NaN is neither
            raise VerifyError(
                f"run one by one, the operators give another {graph.tensors[index]} than the whole model: "
                f"up to {difference:.3g} apart, where {limit:.3g} is allowed"
            )


def _sampled(contenders: Sequence[_Contender], config: ProfileConfig) -> Samples:
    """Rounds in which everybody has one turn; the parts are the turns, by number."""
    turns: dict[str, int] = {}

    def one_round() -> None:
        for number, contender in enumerate(contenders):
            turns[str(number)] = contender.turn_ns(config)

    least = min(_LEAST_ROUNDS, config.budget.most_samples)
    budget = replace(config.budget, least_samples=least, warm_up_seconds=0.0)  # a round warms all: each ran some times
    return sample(one_round, budget, parts_of=lambda: turns)


def _operator_time(graph: Graph, piece: Piece, engine: Engine, median_ns: int) -> OperatorTime:
    output = graph.tensors[piece.outputs[0]]
    delegated = engine.coverage().num_delegated
    return OperatorTime(
        index=piece.main[0],
        name=piece.name,
        tensor=output.name,
        shape=output.shape,
        dtype=output.dtype,
        macs=piece.macs,
        median_ns=median_ns,
        is_delegated=None if delegated is None else delegated > 0,
    )
