"""The options that describe a network of the registry, for every command that needs one."""

from collections.abc import Callable
from functools import wraps
from typing import Any

import click

from mninfer.cli.options import NearChoice
from mninfer.errors import MnError
from mninfer.near import near_names
from mnmodels.architectures.options import OPTIONS, check_names, check_options
from mnmodels.architectures.registry import ARCHITECTURES

__all__ = ["network_options"]

Command = Callable[..., Any]

_TEXTS = ("weights",)  # the options that are texts even where they look like a number
_KNOWN = tuple(name for name in OPTIONS if name != "name")  # which is the network's in the registry: --arch
_WORDS = {"true": True, "false": False, "none": None}


def network_options(command: Command) -> Command:
    """Give ``command`` the keyword ``network``: what is described, as ``build_model`` takes it; None where nothing is.

    ``network`` has a "name" only where ``--arch`` is given. Wrong names and values are usage errors with near matches.
    """

    @wraps(command)
    def described(*args: Any, **options: Any) -> Any:
        parts = {"name": options.pop("arch"), "alpha": options.pop("alpha"), "form": options.pop("form")}
        network = {key: value for key, value in parts.items() if value is not None} | dict(
            options.pop("network_settings")
        )
        return command(*args, network=network or None, **options)

    for decorate in (
        click.option(
            "--option",
            "network_settings",
            multiple=True,
            metavar="KEY=VALUE",
            callback=_settings,
            help="Any other option of the network: classes=10, input_shape=160,160,3, expansion_factor=4.",
        ),
        click.option("--form", type=NearChoice(OPTIONS["form"].choices), help="Where the network halves the picture."),
        click.option("--alpha", type=float, callback=_alpha, help="The network's width: 0.25, 0.5, 1 and so on."),
        click.option("--arch", type=NearChoice(tuple(ARCHITECTURES)), help="The network, by its name in the registry."),
    ):
        described = decorate(described)
    return described


def _alpha(_: click.Context, __: click.Parameter, value: float | None) -> float | None:
    if value is not None:
        _check("alpha", value)
    return value


def _settings(_: click.Context, __: click.Parameter, texts: tuple[str, ...]) -> dict[str, Any]:
    """KEY=VALUE, each KEY once."""
    settings: dict[str, Any] = {}
    for text in texts:
        key, sign, value = (part.strip() for part in text.partition("="))
        if not (key and sign and value):
            raise click.BadParameter(f'"{text}" is not KEY=VALUE, such as classes=10')
        if key in settings:
            raise click.BadParameter(f'"{key}" is stated twice')
        settings[key] = value if key in _TEXTS else _value(value)
        _check(key, settings[key])
    return settings


def _check(key: str, value: Any) -> None:
    try:
        if key not in _KNOWN and (near := near_names(key, _KNOWN)):
            raise click.BadParameter(f'a network has no option "{key}". Did you mean "{near[0]}"?')
        check_names("a network", [key], _KNOWN)
        check_options("a network", **{key: value})
    except MnError as error:
        raise click.BadParameter(f"{error.what}: {'; '.join(error.hints)}") from None


def _value(text: str) -> Any:
    """A number, true, false, none, a tuple of such at commas, or else the text."""
    if "," in text:
        return tuple(_value(part.strip()) for part in text.split(","))
    if text.lower() in _WORDS:
        return _WORDS[text.lower()]
    for number in (int, float):
        try:
            return number(text)
        except ValueError:
            continue
    return text
