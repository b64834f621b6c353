"""The options of every command that reads a Keras file: what to do about code that a file names."""

import os
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from mnmodels.keras_file import KerasFile

__all__ = ["KerasOptions", "keras_options", "lambda_option"]

Command = Callable[..., Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class KerasOptions:
    """What the command line says of a Keras file."""

    lambdas: dict[str, str] = field(default_factory=dict)
    custom: tuple[str, ...] = ()
    trust: bool = False

    @classmethod
    def take(cls, options: dict[str, Any]) -> "KerasOptions":
        """Take the shared options that a command has out of its keyword arguments."""
        return cls(lambdas=options.pop("lambdas"), custom=options.pop("custom"), trust=options.pop("trust"))

    def load(self, path: str | os.PathLike[str], *, arch: dict[str, Any] | None = None) -> "KerasFile":
        """Load a file as the command line says. Raise UsageError where ``arch`` doesn't say of which network it is."""
        if arch and "name" not in arch:
            raise click.UsageError("these options describe a network: say which, with --arch NAME")
        from mnmodels.keras_file import load_keras

        return load_keras(path, arch=arch, lambdas=self.lambdas, custom=self.custom, trust=self.trust)


def keras_options(command: Command) -> Command:
    """``--lambda``, ``--custom`` and ``--trust``; a command takes them with ``KerasOptions.take``."""
    for decorate in (
        click.option(
            "--trust", is_flag=True, help="Run a SavedModel, which is a program: only if you know its author."
        ),
        click.option(
            "--custom", multiple=True, metavar="module:Class", help="A layer's class of yours that the file names."
        ),
        lambda_option,
    ):
        command = decorate(command)
    return command


def lambda_option(command: Command) -> Command:
    """``--lambda`` alone, as the keyword ``lambdas``."""
    return click.option(
        "--lambda",
        "lambdas",
        multiple=True,
        metavar="NAME=EXPRESSION",
        callback=_lambdas,
        help="What a Lambda computes, in arithmetic: lambda='x/127.5-1'. NAME may have a * in it.",
    )(command)


def _lambdas(_: click.Context, __: click.Parameter, values: tuple[str, ...]) -> dict[str, str]:
    """NAME=EXPRESSION, each NAME once."""
    stated: dict[str, str] = {}
    for value in values:
        name, sign, expression = value.partition("=")
        if not (name.strip() and sign and expression.strip()):
            raise click.BadParameter(f"\"{value}\" is not NAME=EXPRESSION, such as lambda='x/127.5-1'")
        if name.strip() in stated:
            raise click.BadParameter(f'"{name.strip()}" is stated twice')
        stated[name.strip()] = expression.strip()
    return stated
