"""The options that every command on a model shares, and the model that they ask for."""

from collections.abc import Callable
from dataclasses import dataclass, fields
from math import isfinite
from re import fullmatch
from typing import TYPE_CHECKING, Any

import click

from mninfer.cli.chatter import without_chatter
from mninfer.cli.output import note
from mninfer.engine_names import ENGINE_NAMES
from mninfer.limits import DEFAULT_MAX_PIXELS, MOST_THREADS

if TYPE_CHECKING:
    from mninfer import Model
    from mninfer.preprocessing import StatedPreprocess

    Choice = click.Choice[str]
else:
    Choice = click.Choice  # before click 8.2 (Debian's is 8.1.3) it takes no type

__all__ = [
    "ENGINE_NAMES",
    "FiniteRange",
    "ModelOptions",
    "NearChoice",
    "engine_options",
    "examples",
    "fitting_options",
    "model_argument",
    "model_options",
    "open_model",
    "parse_size",
    "preprocess_options",
    "refuse_empty",
    "settings_of",
    "stated_preprocess",
]

Command = Callable[..., Any]


def examples(*lines: str) -> str:
    """The end of a command's help: lines to copy."""
    return "\b\n" + "\n".join(("Examples:", *(f"  {line}" for line in lines)))


class NearChoice(Choice):
    """A choice that answers a typo with the nearest value."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        try:
            return super().convert(value, param, ctx)
        except click.UsageError as error:
            from mninfer.near import near_names

            matches = near_names(str(value).lower(), self.choices)
            if not matches:
                raise
            self.fail(f'{error.message} Did you mean "{matches[0]}"?', param, ctx)


class FiniteRange(click.FloatRange):
    """A range that holds neither NaN, which no comparison keeps out, nor an infinity."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        number = float(super().convert(value, param, ctx))
        if not isfinite(number):
            self.fail(f"{value} is not a finite number", param, ctx)
        return number


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelOptions:
    """What the command line says about how to load and run a model; None where it says nothing."""

    preprocess: str | None = None
    resize: str | None = None
    interpolation: str | None = None
    labels: str | None = None
    input_size: tuple[int, int] | None = None
    engine: str = "auto"
    delegate: str | None = None
    threads: int | None = None
    full_decode: bool = False
    max_megapixels: float = DEFAULT_MAX_PIXELS / 1e6
    allow_unlisted_ops: bool = False
    sha256: str | None = None

    @property
    def max_pixels(self) -> int:
        return int(self.max_megapixels * 1e6)

    @classmethod
    def take(cls, options: dict[str, Any]) -> "ModelOptions":
        """Take the shared options that a command has out of its keyword arguments."""
        return cls(**{field.name: options.pop(field.name) for field in fields(cls) if field.name in options})


def model_argument(command: Command) -> Command:
    """The first argument of every command."""
    return click.argument("model", metavar="MODEL")(command)


def preprocess_options(command: Command) -> Command:
    """``fitting_options``, and what the outputs are called."""
    labels = click.option("--labels", metavar="FILE", help="One label a line, in the order of the model's outputs.")
    return fitting_options(labels(command))


def fitting_options(command: Command) -> Command:
    """How a picture becomes the input tensor; what is not stated stays as the file says."""
    for decorate in (
        click.option("--interpolation", type=NearChoice(["area", "bilinear"]), help="How pixels are averaged."),
        click.option(
            "--resize", metavar="stretch|crop[:0.875]|letterbox", help="How a picture gets the input's shape."
        ),
        click.option(
            "--preprocess",
            metavar="inception|torch|caffe|raw|mean=..,std=..,order=rgb|bgr",
            help="(pixel - mean) / std. Default: what the file says.",
        ),
    ):
        command = decorate(command)
    return command


def engine_options(command: Command) -> Command:
    """Which model file is taken, and what runs it."""
    for decorate in (
        click.option(
            "--sha256", metavar="HEX", callback=_known_digest, help="Refuse any other model file than this one."
        ),
        click.option(
            "--allow-unlisted-ops", is_flag=True, help="Run operators that the safety check knows no rules for."
        ),
        click.option(
            "--input-size",
            metavar="WIDTHxHEIGHT",
            callback=parse_size,
            help="For a model that leaves its input's size open.",
        ),
        click.option(
            "--threads",
            type=click.IntRange(1, MOST_THREADS),
            help="Threads of the engine. Default: what suits this machine.",
        ),
        click.option(
            "--delegate",
            metavar="LIBRARY",
            callback=refuse_empty,
            help="An external delegate, such as libedgetpu.so.1.",
        ),
        click.option(
            "--engine", type=NearChoice(ENGINE_NAMES), default="auto", show_default=True, help="What runs the model."
        ),
    ):
        command = decorate(command)
    return command


def model_options(command: Command) -> Command:
    """``preprocess_options``, ``engine_options``, and how pictures are decoded."""
    for decorate in (
        click.option(
            "--max-megapixels",
            type=FiniteRange(0, 1e9, min_open=True),
            default=DEFAULT_MAX_PIXELS / 1e6,
            show_default=True,
            help="Refuse larger pictures.",
        ),
        click.option("--full-decode", is_flag=True, help="Decode JPEGs at full size even where less would do."),
    ):
        command = decorate(command)
    return preprocess_options(engine_options(command))


def _known_digest(_: click.Context, __: click.Parameter, value: str | None) -> str | None:
    if value is not None and not fullmatch(r"\s*[0-9a-fA-F]{64}\s*", value):
        raise click.BadParameter(f'"{value}" is not a SHA-256 digest, which has 64 hex digits')
    return value


def refuse_empty(_: click.Context, __: click.Parameter, value: str | None) -> str | None:
    """What an unset variable of a script leaves: neither to be passed over nor to stand for the folder here."""
    if value == "":
        raise click.BadParameter("it is empty: give a name, or leave the option out")
    return value


def parse_size(_: click.Context, __: click.Parameter, value: str | None) -> tuple[int, int] | None:
    """WIDTHxHEIGHT -> (width, height)."""
    if value is None:
        return None
    width, _x, height = value.lower().partition("x")
    if not (width.isdecimal() and height.isdecimal() and int(width) and int(height)):
        raise click.BadParameter(f'"{value}" is not WIDTHxHEIGHT, such as 224x224')
    return int(width), int(height)


def open_model(path: str, options: ModelOptions, *, strict: bool = True) -> "Model":
    """Load MODEL as the command line says; tell on stderr what had to be assumed."""
    stated = stated_preprocess(options)
    with without_chatter():
        model = _load(path, options, stated, strict=strict)
    for warning in model.file.warnings:
        note(f"warning: {warning}")
    return model


def _load(path: str, options: ModelOptions, stated: "StatedPreprocess", *, strict: bool) -> "Model":
    from mninfer import load

    return load(
        path,
        threads=options.threads,
        engine=options.engine,
        delegate=options.delegate,
        preprocess=stated,
        labels=options.labels,
        input_size=options.input_size,
        sha256=options.sha256,
        strict=strict,
        allow_unlisted_ops=options.allow_unlisted_ops,
        full_decode=options.full_decode,
        max_pixels=options.max_pixels,
    )


def stated_preprocess(options: ModelOptions) -> "StatedPreprocess":
    """What the command line states of the preprocessing; a wrong value is a usage error, before the model is read."""
    from mninfer.errors import PreprocessError
    from mninfer.preprocessing import StatedPreprocess

    try:
        return StatedPreprocess.parse(
            preprocess=options.preprocess, resize=options.resize, interpolation=options.interpolation
        )
    except PreprocessError as error:
        raise click.UsageError(str(error)) from error


def settings_of(model: "Model", options: ModelOptions) -> dict[str, Any]:
    """What a model's results depend on, as JSON: to tell whether a run that was cut off can be gone on with."""
    import hashlib

    spec = model.spec
    labels = "\n".join(spec.labels or ()).encode("utf-8", "backslashreplace")
    return {
        "model_sha256": spec.sha256,
        "preprocess": spec.preprocess.to_json() if spec.preprocess else None,
        "labels_sha256": hashlib.sha256(labels).hexdigest(),
        "engine": model.engine.name,
        "delegate": options.delegate,
        "input_shapes": [list(tensor.shape) for tensor in spec.inputs],
        "full_decode": options.full_decode,
        "max_pixels": options.max_pixels,
    }
