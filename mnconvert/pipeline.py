"""The table of contents: a source becomes a float graph, a plan, a file, a verdict. Nothing here touches the disk."""

from collections.abc import Sequence
from dataclasses import dataclass
from time import monotonic
from typing import TYPE_CHECKING, Any, Protocol

import mninfer
from mnconvert.config import OF_THE_SOURCE, ConvertConfig, Ends, Scores
from mnconvert.conversion import Conversion, Failed, Report
from mnconvert.converting import Stages
from mnconvert.dropping import hold_drop, raise_if_not_held
from mnconvert.ends import choose_ends, remarks_on_ends
from mnconvert.file_contract import contract_for, record_verification, remarks_on_batch
from mnconvert.source import open_source
from mninfer.errors import MnError, RecipeError
from mninfer.model_file import write_contract
from mninfer.outputs import read_outputs
from mninfer.spec import Task

if TYPE_CHECKING:
    from mnconvert.accuracy import AccuracyReport, DropReport
    from mnconvert.calibration import Samples
    from mnconvert.verification import Verification
    from mnmodels.data import Pictures

__all__ = ["Watcher", "convert", "convert_all"]


class Watcher(Protocol):
    """Told of each stage as it begins."""

    def stage(self, name: str) -> None: ...


def convert(
    source: Any,
    config: ConvertConfig | None = None,
    *,
    samples: "Samples | None" = None,
    evaluate_on: "Pictures | None" = None,
    max_drop: float | None = None,
    watcher: Watcher | None = None,
) -> Conversion:
    """Convert a path, a Keras model or an opened ``Source`` to one verified flatbuffer, in memory.

    >>> conversion = mnconvert.convert("model.h5", mnconvert.ConvertConfig(variant="int8"))
    >>> conversion.report.verification.passed
    True

    Args:
        source: a path to a Keras file or a float .tflite, or a built Keras model.
        config: what is asked for; nothing else depends on defaults of the command line.
        samples: pictures or tensors to measure ranges on; none are needed for MobileNets.
        evaluate_on: labelled pictures, for the accuracy of the float model and of the file.
        max_drop: the most points of top-1 that int8 may lose on these pictures; layers stay float until it holds.
        watcher: is told of each stage.

    Raises:
        VerifyError: the file does not do what the float model does; ``report`` holds the Conversion.
        MnError: one of the family; each says what, where and what to try.
    """
    config = config or ConvertConfig()
    if max_drop is not None and evaluate_on is None:
        raise ValueError("max_drop is measured on labelled pictures: evaluate_on")
    _check_batch(config, evaluate_on)
    clock = _Clock(watcher)
    clock.stage("reading the model")
    stages = Stages(open_source(source, config), config, samples)
    return _convert(stages, config, evaluate_on, clock, max_drop)


def convert_all(
    source: Any,
    configs: Sequence[ConvertConfig],
    *,
    samples: "Samples | None" = None,
    evaluate_on: "Pictures | None" = None,
    watcher: Watcher | None = None,
) -> tuple[Conversion | Failed, ...]:
    """Convert one source several ways; what fails stands in its place, and the others go on.

    >>> configs = [mnconvert.ConvertConfig(variant=variant) for variant in ("none", "fp16", "int8")]
    >>> whole, half, eighth = mnconvert.convert_all("model.h5", configs)
    >>> len(whole.data) > 1.8 * len(half.data) and len(half.data) > len(eighth.data)
    True

    Raises:
        MnError: the source can't be opened.
        ValueError: there are no configs, or they differ in what is read and lowered once for all of them.
    """
    _check_alike(configs)
    _check_batch(configs[0], evaluate_on)
    clock = _Clock(watcher)
    clock.stage("reading the model")
    stages = Stages(open_source(source, configs[0]), configs[0], samples)
    return tuple(_attempt(stages, config, evaluate_on, clock) for config in configs)


def _check_batch(config: ConvertConfig, evaluate_on: "Pictures | None") -> None:
    """Now, and not when all the work is done."""
    if evaluate_on is not None and config.batch != 1:
        what = f"a file that takes {config.batch} pictures at once is not evaluated: that goes one picture at a time"
        raise RecipeError(what, hints="--batch 1")


def _check_alike(configs: Sequence[ConvertConfig]) -> None:
    if not configs:
        raise ValueError("there is no config to convert by")
    differing = [name for name in OF_THE_SOURCE if any(getattr(c, name) != getattr(configs[0], name) for c in configs)]
    if differing:
        raise ValueError(f"the configs of one source differ in {', '.join(differing)}: a call of convert for each")


def _attempt(
    stages: Stages, config: ConvertConfig, evaluate_on: "Pictures | None", clock: "_Clock"
) -> Conversion | Failed:
    try:
        return _convert(stages, config, evaluate_on, clock)
    except MnError as error:
        found = getattr(error, "report", None)
        return Failed(config=config, error=error, conversion=found if isinstance(found, Conversion) else None)


def _convert(
    stages: Stages,
    config: ConvertConfig,
    evaluate_on: "Pictures | None",
    clock: "_Clock",
    max_drop: float | None = None,
) -> Conversion:
    """One variant: lower, measure, decide, write over, verify."""
    started = len(clock.times)
    _ = stages.sample_warnings  # what is wrong with the samples is said before minutes are spent on them
    clock.stage("lowering it with TensorFlow")
    ends = choose_ends(config, stages.folded.preprocess)
    source = stages.source_of(ends)
    plan = drop = None
    if config.variant.is_static:
        if stages.samples is not None:
            clock.stage(f"measuring ranges on {len(stages.samples)} samples")
        _ = stages.seen
        clock.stage("deciding the numbers")
        plan = stages.plan(config, ends=ends)
    if max_drop is not None and evaluate_on is not None:
        plan, drop = hold_drop(stages, config, ends, evaluate_on, max_drop=max_drop, tell=clock.stage)
    clock.stage(f"making the {config.variant} file")
    flatbuffer = stages.flatbuffer(config, ends, plan)
    calibration = None if stages.samples is None or plan is None else stages.samples.facts()
    contract = contract_for(flatbuffer, source, config, calibration, stages.names_of_kept(plan))
    data = write_contract(flatbuffer, contract, source.labels)
    clock.stage("verifying it")
    verification = stages.verify(data, config, plan)
    data = record_verification(flatbuffer, contract, source, verification.summary())
    accuracy = None if drop is None else drop.after
    if accuracy is None and evaluate_on is not None:
        clock.stage(f"evaluating it on {len(evaluate_on)} pictures")
        accuracy = stages.accuracy(data, evaluate_on)
    conversion = _conversion(stages, config, ends, data, plan=plan, verification=verification, accuracy=accuracy,
                             drop=drop, seconds=clock.since(started))  # fmt: skip
    verification.raise_if_failed(source.name, report=conversion)
    raise_if_not_held(conversion, source.name)
    return conversion


def _conversion(
    stages: Stages,
    config: ConvertConfig,
    ends: Ends,
    data: bytes,
    *,
    plan: Any,
    verification: "Verification",
    accuracy: "AccuracyReport | None",
    drop: "DropReport | None",
    seconds: dict[str, float],
) -> Conversion:
    source, entry = stages.source, stages.entry(ends)
    with mninfer.load(data) as model:
        spec, scores = model.spec, _scores_of(model)
    remarks = [*remarks_on_ends(config, ends, entry.preprocess, spec.inputs[0]), *remarks_on_batch(config)]
    return Conversion(
        data=data,
        variant=config.variant,
        spec=spec,
        plan=plan,
        float_flatbuffer=entry.flatbuffer,
        report=Report(
            source=stages.facts(),
            config=config,
            preprocess=entry.preprocess,
            size_bytes=len(data),
            oldest_runtime=spec.oldest_runtime,
            verification=verification,
            num_labels=None if source.labels is None else len(source.labels),
            scores=scores,
            calibration=None if stages.samples is None else stages.samples.facts(),
            kept_float=stages.names_of_kept(plan),
            warnings=(*source.warnings, *stages.sample_warnings, *remarks),
            accuracy=accuracy,
            drop=drop,
            seconds=seconds,
        ),
    )


def _scores_of(model: mninfer.Model) -> Scores | None:
    if model.spec.task is not Task.CLASSIFY:
        return None
    return Scores.PROBABILITIES if read_outputs(model.graph).has_probabilities else Scores.LOGITS


@dataclass
class _Clock:
    """Tells of each stage, and how long it took."""

    watcher: Watcher | None

    def __post_init__(self) -> None:
        self.times: list[tuple[str, float]] = []

    def stage(self, name: str) -> None:
        self.times.append((name, monotonic()))
        if self.watcher is not None:
            self.watcher.stage(name)

    def since(self, start: int) -> dict[str, float]:
        """Seconds by stage; opening the source counts for the first variant."""
        ended = [*self.times[1:], ("", monotonic())]
        spans = zip(self.times, ended, strict=True)
        listed = [(name, after - before) for (name, before), (_, after) in spans]
        seconds: dict[str, float] = {}
        for name, taken in listed[max(0, start - 1 if start == 1 else start) :]:
            seconds[name] = seconds.get(name, 0.0) + taken  # --max-drop tries as many layers more than once
        return seconds
