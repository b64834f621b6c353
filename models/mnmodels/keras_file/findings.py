"""What a translation came across: changes to be told of, and all that stands in the way of going on."""

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
        """A layer that cannot be loaded; ``remedy`` is the option that would make it so."""
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
        shown = described[:MAX_LISTED] + ([f"and {num - MAX_LISTED} more"] if num > MAX_LISTED else [])
        raise UnsupportedModelError(
            "\n".join(
                (
                    f"{noun} of this file cannot be loaded unasked, as no code from a file is run:",
                    *(f"  {line}" for line in shown),
                )
            ),
            offenders=described,
            hints=self._hints(),
        )

    def _hints(self) -> list[str]:
        functions, classes = self._remedies(Obstacle.FUNCTION), self._remedies(Obstacle.CLASS)
        meaning = [text for text, remedies in (
            ("what each function computes of its input x", functions), ("your module that defines the class", classes),
        ) if remedies]  # fmt: skip
        hints = [f"{' '.join((*functions, *classes))}   with {', and '.join(meaning)}"] if meaning else []
        if any(each.obstacle is Obstacle.OPTION for each in self._offenders):
            hints.append("build the network again in Keras 3, and give its weights: --arch NAME")
        return hints

    def _remedies(self, obstacle: Obstacle) -> list[str]:
        found = [each.remedy for each in self._offenders if each.obstacle is obstacle and each.remedy]
        return list(dict.fromkeys(found))


def _where(layers: list[str]) -> str:
    if not layers:
        return ""
    if len(layers) <= 2:
        return " (" + " and ".join(f'"{layer}"' for layer in layers) + ")"
    return f' ("{layers[0]}" and {len(layers) - 1} more)'
