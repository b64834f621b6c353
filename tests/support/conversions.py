"""Conversions without a converter: the shapes network's float and int8 files, really verified against one another."""

from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np

import mninfer
from mnconvert.config import ConvertConfig, Variant
from mnconvert.conversion import Conversion, Failed, Report, SourceFacts
from mnconvert.quantize.plan import QuantPlan, RangeSource, TensorPlan, WeightPlan
from mnconvert.verification import Limits, shape_pictures, verify
from mninfer.errors import VerifyError
from mninfer.preprocessing import PreprocessSource, PreprocessSpec, StatedPreprocess
from support.networks import SHAPES_SIZE, shapes_float, shapes_int8

__all__ = ["PLAN", "failed", "made", "shapes_preprocess"]

PLAN = QuantPlan(
    tensors=(
        TensorPlan(
            index=0, name="image", low=-1.0, high=1.0, source=RangeSource.INPUT, scale=2 / 255, zero_point=0,
            dtype="int8", why="pixels 0 to 255",
        ),
        TensorPlan(
            index=3, name="net/block_1/relu6;net/block_1/bn", low=0.0, high=6.0, source=RangeSource.BATCH_NORM,
            scale=6 / 255, zero_point=-128, dtype="int8", why="beta ± 6 s, clipped by ReLU6",
        ),
    ),
    weights=(
        WeightPlan(
            operator=1, name="net/conv", filter_index=1, bias_index=2, values=np.ones((8, 3, 3, 3), np.int8),
            scales=np.linspace(0.01, 0.08, 8), axis=0, bias=np.zeros(8, np.int32), bias_scales=np.ones(8),
            num_flipped=54, bias_shift=0.125,
        ),
    ),
    kept_float=(4,),
)  # fmt: skip


def shapes_preprocess() -> PreprocessSpec:
    """What the shapes network was trained with."""
    stated = StatedPreprocess.parse(preprocess="inception")
    with mninfer.load(shapes_float(), preprocess=stated) as model:
        spec = model.spec.preprocess
    assert spec is not None
    return replace(spec, source=PreprocessSource.FILE)


@cache
def made(name: str = "int8", *, is_per_tensor: bool = False, is_fused: bool = True) -> Conversion:
    """``int8`` with a plan, any other variant as the float file."""
    variant = Variant(name)
    preprocess = shapes_preprocess()
    data = shapes_int8() if variant is Variant.INT8 else shapes_float()
    found = verify(
        data, reference=_run_float, preprocess=preprocess, pictures=shape_pictures(8, size=SHAPES_SIZE),
        limits=Limits(numbers=None, share=None),
    )  # fmt: skip
    with mninfer.load(data, preprocess=StatedPreprocess.parse(preprocess="inception")) as model:
        spec = model.spec
    report = Report(
        source=SourceFacts(name="shapes.h5", sha256="0" * 64, keras_version="3.15.0", num_parameters=12_345),
        config=ConvertConfig(variant=variant, is_per_tensor=is_per_tensor, is_fused=is_fused),
        preprocess=preprocess,
        size_bytes=len(data),
        oldest_runtime=spec.oldest_runtime,
        verification=found,
        num_labels=16,
        warnings=("a thing to know",),
    )
    plan = PLAN if variant is Variant.INT8 else None
    return Conversion(data=data, variant=variant, spec=spec, report=report, plan=plan, float_flatbuffer=shapes_float())


def _run_float(tensors: Any) -> Sequence[Any]:
    with mninfer.load(shapes_float(), preprocess="inception") as model:
        return [np.concatenate([model.run([tensor[None]])[0] for tensor in tensors])]


def failed(conversion: Conversion, *failures: str) -> Failed:
    """The same as one that did not hold."""
    found = replace(conversion.report.verification, failures=failures)
    report = replace(conversion.report, verification=found)
    conversion = replace(conversion, report=report)
    what = f"it is not the float model any more: {'; '.join(failures)}"
    error = VerifyError(what, report=conversion, hints="pictures")
    return Failed(config=report.config, error=error, conversion=conversion)
