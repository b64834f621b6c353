"""The stages of a conversion on one source, as ``pipeline`` names them; what variants share is kept."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

from mnconvert.config import ConvertConfig, Ends, Variant
from mnconvert.conversion import SourceFacts
from mnconvert.ends import input_numbers
from mnconvert.keeping import find_kept, layers_by_operator
from mnconvert.passes.fold_input import FoldedInput, fold_input
from mnconvert.passes.keep_float import keep_float, kept_tensors
from mnconvert.passes.older_versions import older_versions
from mnconvert.quantize.decide import Known, decide
from mnconvert.quantize.flow import UnknownRangeError, natural_input
from mnconvert.quantize.overwrite import overwrite
from mnconvert.quantize.plan import Moments, QuantPlan, RangeSource, Seen
from mnconvert.quantize.recipe import Recipe
from mnconvert.source import Source
from mninfer.errors import UnsupportedModelError
from mninfer.model_file import Graph, check_model, count_parameters

if TYPE_CHECKING:
    from mnconvert.accuracy import AccuracyReport, Ranking
    from mnconvert.calibration import Samples
    from mnconvert.lowering.lowered import Lowered
    from mnconvert.verification import Verification
    from mnmodels.data import Pictures

__all__ = ["Stages"]

MOST_VERIFIED = 200  # samples; each is run through the Keras model as well


@dataclass(frozen=True)
class Stages:
    """One source with its samples; each property is made once, when it is first needed."""

    source: Source
    config: ConvertConfig
    samples: "Samples | None"
    rankings: dict[int, "Ranking"] = field(default_factory=dict)

    @cached_property
    def lowered(self) -> "Lowered":
        """The float flatbuffer, and what BatchNorm knows of it."""
        if self.source.flatbuffer is not None:
            from mnconvert.lowering.from_flatbuffer import lowered_flatbuffer

            return lowered_flatbuffer(self.source.flatbuffer, self.config)
        from mnconvert.lowering.lower import lower

        assert self.source.leading is not None
        return lower(self.source.model, self.source.leading, self.config)

    @cached_property
    def graph(self) -> Graph:
        return check_model(self.lowered.flatbuffer)

    @cached_property
    def sample_warnings(self) -> tuple[str, ...]:
        """What is odd about the samples, beside what the recorded preprocessing makes of pixels.

        Raises:
            CalibrationError: they were plainly prepared in another way.
        """
        if self.samples is None:
            return ()
        from mnconvert.calibration import check_values

        return (*self.samples.warnings, *check_values(self.samples, self.source.preprocess))

    @cached_property
    def seen(self) -> Mapping[int, Seen]:
        """What the samples show of each activation; nothing without samples, where BatchNorm has to tell."""
        if self.samples is None:
            if self.source.model is None:
                raise _nothing_known(self.source)
            return {}
        from mnconvert.calibration import measure_ranges, model_inputs
        from mninfer.model_file import image_input

        tensors = model_inputs(self.samples, self.source.preprocess, image_input(self.graph))
        measured = measure_ranges(self.lowered.flatbuffer, tensors)
        return {index: Seen(each.low, each.high, Moments(each.mean, each.std)) for index, each in measured.items()}

    @cached_property
    def layers(self) -> Mapping[int, tuple[str, ...]]:
        """The Keras layers that each operator of the float graph comes from."""
        return layers_by_operator(self.graph, self.source.model)

    @cached_property
    def layer_names(self) -> Mapping[int, str]:
        """What each operator of the float graph is called for people."""
        names = {op.index: self.graph.tensors[op.outputs[0]].name.partition(";")[0] for op in self.graph.operators}
        known = {} if self.source.model is None else self.layers
        return names | {index: layers[0] for index, layers in known.items() if layers}

    def kept(self, config: ConvertConfig) -> tuple[int, ...]:
        """The operators that are asked to stay float."""
        return find_kept(config.keep_float, self.layers) if config.keep_float else ()

    def names_of_kept(self, plan: QuantPlan | None) -> tuple[str, ...]:
        """The layers that compute in float within an integer file; an operator each, as a Dense and its softmax."""
        return () if plan is None else tuple(dict.fromkeys(self.layer_names[index] for index in plan.kept_float))

    @cached_property
    def folded(self) -> FoldedInput:
        """The float file that an integer file with integer ends is made from."""
        return fold_input(self.lowered.flatbuffer, self.source.preprocess)

    def entry(self, ends: Ends) -> FoldedInput:
        """The float file that is quantized, and how pictures become its input."""
        if ends is Ends.FLOAT32:
            return FoldedInput(flatbuffer=self.lowered.flatbuffer, preprocess=self.source.preprocess)
        return self.folded

    def source_of(self, ends: Ends) -> Source:
        """The source with what a file of these ends has for preprocessing."""
        return replace(self.source, preprocess=self.entry(ends).preprocess)

    def known(self, ends: Ends) -> Known:
        """All that the numbers are decided from."""
        entry = self.entry(ends)
        preprocess = entry.preprocess
        numbers = input_numbers(preprocess)
        channels = self.graph.tensors[self.graph.inputs[0]].shape[-1]
        return Known(
            norms=self.lowered.norms,
            first=natural_input(preprocess.mean, preprocess.std, preprocess.order, channels),
            input_range=(numbers.low, numbers.high),
            pixel_scale=numbers.pixel_scale if ends is not Ends.FLOAT32 else None,
            pixel_offset=numbers.pixel_offset if ends is not Ends.FLOAT32 else 0.0,
            seen={index: entry.seen(index, seen) for index, seen in self.seen.items()},
        )

    def plan(self, config: ConvertConfig, more_kept: Collection[int] = (), ends: Ends = Ends.INT8) -> QuantPlan:
        """Every number of the integer file; ``more_kept`` stay float beside those that were asked for."""
        recipe = Recipe(is_per_tensor=config.is_per_tensor, is_int16=config.variant is Variant.INT16X8)
        kept = {*self.kept(config), *more_kept}
        try:
            return decide(check_model(self.entry(ends).flatbuffer), self.known(ends), recipe, kept)
        except UnknownRangeError as error:
            raise error.of_layers(self.layer_names) from None

    def flatbuffer(self, config: ConvertConfig, ends: Ends, plan: QuantPlan | None) -> bytes:
        """The file without its contract."""
        made = self._as_asked(config, ends, plan)
        if config.target_runtime is None:
            return made
        return older_versions(made, config.target_runtime, self.lowered.flatbuffer)

    def _as_asked(self, config: ConvertConfig, ends: Ends, plan: QuantPlan | None) -> bytes:
        if plan is not None:
            quantized = overwrite(self.lowered.variant_of(config.variant, ends), self.graph, plan)
            original = self.entry(ends).flatbuffer
            return keep_float(quantized, original, plan.kept_float, offsets=self.offsets(plan, ends))
        if not config.is_fused:
            return self.lowered.unfused(config.variant)
        if config.variant is Variant.NONE:
            return self.lowered.flatbuffer
        return self.lowered.variant_of(config.variant, Ends.FLOAT32)

    def offsets(self, plan: QuantPlan, ends: Ends) -> Mapping[int, float]:
        """By tensor that holds pixels, how far the real values lie above what the integers stand for."""
        offset = self.known(ends).pixel_offset
        return {tensor.index: offset for tensor in plan.tensors if offset and tensor.source is RangeSource.INPUT}

    def verify(self, data: bytes, config: ConvertConfig, plan: QuantPlan | None = None) -> "Verification":
        """Hold the file against the float Keras model: on the samples where there are some, else on flat shapes."""
        from mnconvert.verification import Limits, PictureKind, num_pictures, shape_pictures, verify
        from mninfer.model_file import image_input

        _, height, width, _ = image_input(self.graph).shape
        has_samples = self.samples is not None
        shapes = shape_pictures(num_pictures(config.variant), seed=config.seed, size=(height, width))
        samples = self._some_samples(num_pictures(config.variant, most=MOST_VERIFIED))
        return verify(
            data,
            reference=self.lowered.reference,
            preprocess=self.source.preprocess,
            pictures=samples if has_samples else shapes,
            picture_kind=PictureKind.CALIBRATION if has_samples else PictureKind.SHAPES,
            limits=Limits.of(config.variant),
            kept_float=() if plan is None else kept_tensors(data, self.lowered.flatbuffer, plan.kept_float),
        )

    def _some_samples(self, most: int) -> Iterator[Any]:
        if self.samples is not None:
            yield from (self.samples.load(index) for index in range(min(len(self.samples), most)))

    def accuracy(self, data: bytes, pictures: "Pictures") -> "AccuracyReport":
        """Top-1 and top-5 of the float flatbuffer and of the file, by its contract, on labelled pictures."""
        from mnconvert.accuracy import compare_rankings, rank_pictures

        return compare_rankings(self._float_ranking(pictures), rank_pictures(data, pictures), pictures)

    def _float_ranking(self, pictures: "Pictures") -> "Ranking":
        if id(pictures) not in self.rankings:
            from mnconvert.accuracy import rank_pictures

            self.rankings[id(pictures)] = rank_pictures(
                self.lowered.flatbuffer, pictures, preprocess=self.source.preprocess, labels=self.source.labels
            )
        return self.rankings[id(pictures)]

    def facts(self) -> SourceFacts:
        source = self.source
        return SourceFacts(
            name=source.name,
            sha256=source.sha256,
            keras_version=source.keras_version,
            num_parameters=count_parameters(self.graph) if source.model is None else int(source.model.count_params()),
            changes=source.changes,
        )


def _nothing_known(source: Source) -> UnsupportedModelError:
    return UnsupportedModelError(
        "a .tflite has no BatchNorm statistics any more, so the ranges of its activations have to be measured",
        where=source.name,
        hints="--calibrate FOLDER, a few dozen pictures such as it will see; or give the Keras model it was made from",
    )
