"""What a translation came across: changes to be told of, and all that stands in the way of going on."""

import re
import shlex
from dataclasses import dataclass, field
from enum import Enum

from mninfer.errors import UnsupportedModelError

__all__ = ["Findings", "Obstacle"]

MAX_LISTED = 60  # a V3 of tf.keras has 40 TFOpLambdas


class Obstacle(Enum):
    """What kind of thing cannot be loaded as it is, which decides what to do about it."""

    FUNCTION = "a function of the file's author"  # Lambda, TFOpLambda
    CLASS = "a class of the file's author"
    OPTION = "an option that no Keras 3 layer has"


@dataclass(frozen=True, slots=True)
class _Offender:
    layer: str
    obstacle: Obstacle
    what: str
    remedy: str | None


@dataclass(slots=True)
class Findings:
    """Collects, in the order of the network."""

    _changes: dict[str, list[str]] = field(default_factory=dict)
    _offenders: list[_Offender] = field(default_factory=list)

    def change(self, what: str, layer: str | None = None) -> None:
        """Something is dropped, mapped or replaced; equal sentences are told once, with their layers."""
        self._changes.setdefault(what, []).extend([layer] if layer is not None else [])

    def obstruct(self, layer: str, obstacle: Obstacle, what: str, remedy: str | None = None) -> None:
        """A layer that cannot be loaded; ``remedy``: the expression of a function, the option for a class."""
        self._offenders.append(_Offender(layer, obstacle, what, remedy))

    def changes(self) -> tuple[str, ...]:
        """One sentence each."""
        return tuple(what + _where(layers) for what, layers in self._changes.items())

    def refuse_offenders(self) -> None:
        """Raise UnsupportedModelError that lists all that stands in the way."""
        if not self._offenders:
            return
        described = [f'"{each.layer}": {each.what}' for each in self._offenders]
        num = len(described)
        noun = "1 layer" if num == 1 else f"{num} layers"
        lines = [f"{noun} of this file cannot be loaded unasked, as no code from a file is run:"]
        lines += [f"  {line}" for line in described[:MAX_LISTED]]
        lines += [f"  and {num - MAX_LISTED} more"] if num > MAX_LISTED else []
        raise UnsupportedModelError("\n".join(lines), offenders=described, hints=self._hints())

    def _hints(self) -> list[str]:
        functions, classes = self._lambda_options(), self._custom_options()
        meaning = [text for text, options in (
            ("what each function computes of its input x", functions), ("your module that defines the class", classes),
        ) if options]  # fmt: skip
        hints = [f"{' '.join((*functions, *classes))}   with {', and '.join(meaning)}"] if meaning else []
        if any(each.obstacle is Obstacle.OPTION for each in self._offenders):
            hints.append("build the network again in Keras 3, and give its weights: --arch NAME")
        return hints

    def _lambda_options(self) -> list[str]:
        """One option for each function, or one for all of a name (add, add_1, …) that compute the same."""
        functions = [each for each in self._offenders if each.obstacle is Obstacle.FUNCTION]
        computed: dict[str, set[str | None]] = {}
        for each in functions:
            computed.setdefault(_without_number(each.layer), set()).add(each.remedy)
        stated = []
        for each in functions:
            base = _without_number(each.layer)
            names = [other.layer for other in functions if _without_number(other.layer) == base]
            pattern = f"{base}*" if len(names) > 2 and len(computed[base]) == 1 else each.layer
            stated.append(f"--lambda {_quoted(pattern, str(each.remedy))}")
        return list(dict.fromkeys(stated))

    def _custom_options(self) -> list[str]:
        found = [each.remedy for each in self._offenders if each.obstacle is Obstacle.CLASS and each.remedy]
        return list(dict.fromkeys(found))


def _quoted(name: str, expression: str) -> str:
    """For a shell: lambda='x/127.5-1', or all of it in quotes where the name has dots or stars."""
    if name.isidentifier():
        return f"{name}='{expression}'"
    return shlex.quote(f"{name}={expression}") if "'" in name else f"'{name}={expression}'"


def _without_number(name: str) -> str:
    return re.sub(r"_\d+$", "", name)


def _where(layers: list[str]) -> str:
    if not layers:
        return ""
    if len(layers) <= 2:
        return " (" + " and ".join(f'"{layer}"' for layer in layers) + ")"
    return f' ("{layers[0]}" and {len(layers) - 1} more)'
