"""What each option of a network may be, in one table; builders check theirs before anything is built."""

import inspect
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import wraps
from os import PathLike
from typing import Any, ParamSpec

from mninfer.errors import MnError
from mninfer.near import near_names

__all__ = ["OPTIONS", "OptionRule", "check_names", "check_options", "network_builder"]

_Parameters = ParamSpec("_Parameters")


@dataclass(frozen=True, slots=True)
class OptionRule:
    """What is allowed, in words and as a test; ``choices`` where it is one of a few names."""

    allowed: str
    holds: Callable[[Any], bool]
    choices: tuple[str, ...] = ()


def _whole(value: Any, low: int, high: int) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and low <= value <= high


def _number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _shape(value: Any) -> bool:
    sized = isinstance(value, Sequence) and not isinstance(value, str) and len(value) == 3
    return sized and all(_whole(size, 1, 4096) for size in value)


def _count(most: int) -> OptionRule:
    return OptionRule(f"a whole number from 1 to {most}", lambda value: _whole(value, 1, most))


def _one_of(*names: str) -> OptionRule:
    return OptionRule(f"one of {', '.join(names)}", lambda value: isinstance(value, str) and value in names, names)


def _or_none(rule: OptionRule) -> OptionRule:
    return OptionRule(f"{rule.allowed}, or None", lambda value: value is None or rule.holds(value), rule.choices)


_FLAG = OptionRule("true or false", lambda value: isinstance(value, bool))
_PATH = OptionRule(
    '"imagenet" or the path of a Keras file', lambda value: bool(value) and isinstance(value, str | PathLike)
)
_NAME = OptionRule("a name without a slash", lambda value: isinstance(value, str) and value != "" and "/" not in value)

OPTIONS = {
    "input_shape": _or_none(OptionRule("three whole numbers: height, width, channels", _shape)),
    "alpha": OptionRule("a number above 0, at most 10", lambda value: _number(value) and 0 < value <= 10),
    "depth_multiplier": _count(16),
    "expansion_factor": _count(32),
    "groups": _count(64),
    "condense_factor": _count(64),
    "lasso": OptionRule("a number from 0 to 1", lambda value: _number(value) and 0 <= value <= 1),
    "expansion": _one_of("plain", "group", "learned"),
    "projection": _one_of("plain", "group", "learned"),
    "shuffle": _FLAG,
    "minimalistic": _FLAG,
    "dropout": OptionRule("a number from 0 to below 1", lambda value: _number(value) and 0 <= value < 1),
    "classes": _count(1_000_000),
    "form": _one_of("imagenet", "cifar", "cifar_small"),
    "norm": _one_of("composed", "fused"),
    "include_top": _FLAG,
    "pooling": _or_none(_one_of("avg", "max")),
    "weights": _or_none(_PATH),
    "name": _or_none(_NAME),
}


def check_names(owner: str, names: Iterable[str], known: Iterable[str]) -> None:
    """Raise MnError where ``owner`` has no option of such a name, with what was probably meant."""
    known = tuple(known)
    for name in names:
        if name not in known:
            hints = near_names(name, known) or f"one of {', '.join(known)}"
            raise MnError(f'{owner} has no option "{name}"', hints=hints)


def check_options(owner: str, **options: Any) -> None:
    """Raise MnError for the first option whose value is of a wrong type or out of range; say what is allowed.

    >>> check_options("MobileNet", alpha=0.5, form="cifar")
    """
    for name, value in options.items():
        rule = OPTIONS[name]
        if not rule.holds(value):
            near = near_names(value, rule.choices) if isinstance(value, str) else []
            raise MnError(f'{owner} can\'t have {name} "{value}"', hints=[*near, f"{name}: {rule.allowed}"])


def network_builder(function: Callable[_Parameters, Any]) -> Callable[_Parameters, Any]:
    """Make a builder check the names and the values of its options, so that a wrong one is an MnError."""
    known = tuple(inspect.signature(function).parameters)

    @wraps(function)
    def build(*args: _Parameters.args, **options: _Parameters.kwargs) -> Any:
        check_names(function.__name__, options, known)
        check_options(function.__name__, **options)
        return function(*args, **options)

    return build
