"""The options that say what file is wanted, and the request that they come to; a contradiction is a usage error."""

from collections.abc import Callable
from dataclasses import replace
from enum import StrEnum
from typing import Any

import click

from mnconvert.config import ConvertConfig, Ends, Scores, Variant, is_release
from mnconvert.report.names import every_variant
from mninfer.cli.options import ModelOptions, NearChoice, stated_preprocess
from mninfer.errors import RecipeError

__all__ = ["requested", "variant_options"]

Command = Callable[..., Any]

_OF_ONE_VARIANT = {"variant": "--quantize", "is_fused": "--fuse-bn/--no-fuse-bn", "per_tensor": "--per-tensor"}


def _choice(values: type[StrEnum]) -> NearChoice:
    return NearChoice([str(each) for each in values])


def variant_options(command: Command) -> Command:
    """How the numbers are stored, and what structure the file has; a command takes them with ``requested``."""
    for decorate in (
        click.option(
            "--seed", type=click.IntRange(0), default=0, show_default=True, help="Of everything that is drawn."
        ),
        click.option(
            "--target-runtime",
            metavar="RELEASE",
            callback=_release,
            help="Keep to what this TFLite release loads: 2.14.",
        ),
        click.option(
            "--size",
            type=click.IntRange(1),
            nargs=2,
            metavar="H W",
            help="For a model that leaves its input's size open.",
        ),
        click.option("--batch", type=click.IntRange(1), default=1, show_default=True, help="Pictures to a run."),
        click.option(
            "--keep-float",
            multiple=True,
            metavar="PATTERN",
            help="Layers of an int8 file that stay float: 'attention_*'.",
        ),
        click.option(
            "--scores",
            type=_choice(Scores),
            help="What a classifier gives: after its softmax, or before it.",
        ),
        click.option(
            "--io",
            "ends",
            type=_choice(Ends),
            help="Ends of an int8 file. Default: uint8.",
        ),
        click.option(
            "--per-tensor", is_flag=True, help="One scale to a weight tensor, for runtimes that know no more."
        ),
        click.option(
            "--fuse-bn/--no-fuse-bn",
            "is_fused",
            default=None,
            help="BatchNorm in the weights, or as MUL and ADD (float).",
        ),
        click.option(
            "--quantize",
            "variant",
            type=_choice(Variant),
            help="How numbers are stored. Default: none.",
        ),
    ):
        command = decorate(command)
    return command


def _release(_: click.Context, __: click.Parameter, value: str | None) -> str | None:
    if value is not None and not is_release(value):
        raise click.BadParameter(f'"{value}" is no release of TensorFlow Lite, such as 2.14')
    return value


def requested(options: dict[str, Any], *, is_all: bool) -> tuple[ConvertConfig, ...]:
    """One request for one variant, or with ``is_all`` one for each."""
    if is_all and (stated := [flag for name, flag in _OF_ONE_VARIANT.items() if options[name] not in (None, False)]):
        raise click.UsageError(f"--all makes every variant: leave out {' and '.join(stated)}")
    try:
        config = _config(options, Variant.INT8 if is_all else Variant(options["variant"] or Variant.NONE))
        return every_variant(config) if is_all else (config,)
    except RecipeError as error:
        raise click.UsageError(str(error)) from error


def _config(options: dict[str, Any], variant: Variant) -> ConvertConfig:
    shared = ModelOptions.take(dict(options))
    config = ConvertConfig(
        variant=variant,
        is_fused=options["is_fused"] is not False,
        is_per_tensor=options["per_tensor"],
        ends=Ends(options["ends"]) if options["ends"] else None,
        scores=Scores(options["scores"]) if options["scores"] else None,
        keep_float=options["keep_float"],
        batch=options["batch"],
        size=options["size"] or None,
        target_runtime=options["target_runtime"],
        preprocess=stated_preprocess(shared),
        seed=options["seed"],
    )
    return replace(config, labels=_labels(shared.labels)) if shared.labels is not None else config


def _labels(path: str) -> tuple[str, ...]:
    from mninfer.model_file import parse_labels
    from mnmodels.weights.named_arrays import read_bytes

    return parse_labels(read_bytes(path, "the label file"), path)
