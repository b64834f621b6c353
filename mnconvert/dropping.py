"""``--max-drop``: which operators of an int8 file stay float so that top-1 falls by no more than was allowed.

What is tried, and in which order, is decided in ``accuracy.drop``; here are the conversions that it asks for, measured.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

import numpy as np

from mnconvert.accuracy import DropReport, damage_by_operator, find_kept_float, report_drop
from mnconvert.accuracy.report import AccuracyReport
from mnconvert.config import ConvertConfig, Ends, Variant
from mnconvert.conversion import Conversion
from mnconvert.converting import Stages
from mnconvert.file_contract import tried_file
from mnconvert.quantize.plan import QuantPlan
from mnconvert.report.latency import measure_latencies
from mnconvert.verification import sqnr_by_operator
from mninfer.errors import RecipeError, VerifyError
from mninfer.model_file import image_input

if TYPE_CHECKING:
    from mnmodels.data import Pictures

__all__ = ["hold_drop", "raise_if_not_held"]

_MOST_LOOKED_AT = 16  # pictures that the layers' errors are measured on: they only order what is then tried


def hold_drop(
    stages: Stages,
    config: ConvertConfig,
    ends: Ends,
    pictures: "Pictures",
    *,
    max_drop: float,
    tell: Callable[[str], None],
) -> tuple[QuantPlan, DropReport]:
    """The plan of the fewest operators in float that hold ``max_drop`` points; ``tell`` is told of each attempt.

    Raises:
        RecipeError: it is no int8 file.
    """
    if config.variant is not Variant.INT8:
        raise RecipeError(f"a {config.variant} file has no layers to keep float", hints="--quantize int8")
    search = _Search(stages, config, ends, pictures, tell)
    convert_with = cache(search.convert)
    found = find_kept_float(convert_with, search.measure, search.damage(convert_with(())), max_drop=max_drop)
    tell("measuring latencies")
    report = report_drop(found, convert_with, measure_latencies, max_drop=max_drop, names=stages.layer_names)
    return search.plan(found.chosen.kept), report


def raise_if_not_held(conversion: Conversion, where: str) -> None:
    """Raise VerifyError, with the conversion as its report, where no layers in float hold the drop."""
    drop = conversion.report.drop
    if drop is None or drop.is_held:
        return
    raise VerifyError(
        f"top-1 falls by {drop.after.drop_points:.2f} points at the best, {drop.max_drop:g} is the most allowed; "
        f"{drop.num_tried} conversions were tried",
        report=conversion,
        where=where,
        hints=("--calibrate FOLDER with a few dozen pictures", "--quantize fp16", f"--max-drop {_above(drop)}"),
    )


def _above(drop: DropReport) -> str:
    """The next tenth of a point that would hold."""
    return f"{math.ceil(10 * drop.after.drop_points) / 10:g}"


@dataclass(frozen=True, slots=True)
class _Search:
    stages: Stages
    config: ConvertConfig
    ends: Ends
    pictures: "Pictures"
    tell: Callable[[str], None]

    def plan(self, kept: tuple[int, ...]) -> QuantPlan:
        """With these operators float, beside those that were asked for."""
        return self.stages.plan(self.config, kept, self.ends)

    def convert(self, kept: tuple[int, ...]) -> bytes:
        self.tell(f"trying int8 with {len(kept)} operators float" if kept else "trying int8 alone")
        made = self.stages.flatbuffer(self.config, self.ends, self.plan(kept))
        return tried_file(made, self.stages.source_of(self.ends), self.config)

    def measure(self, data: bytes) -> AccuracyReport:
        return self.stages.accuracy(data, self.pictures)

    def damage(self, data: bytes) -> Mapping[int, float]:
        """By operator, but for those that are float anyway."""
        graph, original = self.stages.graph, self.stages.lowered.flatbuffer
        size = image_input(graph).shape[1:3]
        spread = np.linspace(0, len(self.pictures) - 1, min(len(self.pictures), _MOST_LOOKED_AT)).astype(int)
        looked_at = self.pictures.load(spread, (size[0], size[1]))
        errors = sqnr_by_operator(original, data, preprocess=self.stages.source.preprocess, pictures=looked_at)
        asked_for = self.stages.kept(self.config)
        return {op: much for op, much in damage_by_operator(graph, errors).items() if op not in asked_for}
