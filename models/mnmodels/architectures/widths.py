"""How many channels a layer has at a width ``alpha``, and whether groups divide them."""

from mninfer.errors import MnError

__all__ = ["check_divides", "divisible"]


def divisible(channels: float, divisor: int = 8) -> int:
    """The multiple of ``divisor`` next to ``channels`` that is not more than a tenth below it (V2's and V3's rule).

    >>> divisible(32 * 0.35), divisible(16 * 0.35), divisible(96 * 1.4)
    (16, 8, 136)
    """
    near = max(divisor, int(channels + divisor / 2) // divisor * divisor)
    return near if near >= 0.9 * channels else near + divisor


def check_divides(layer: str, option: str, parts: int, channels: int) -> None:
    """Raise MnError where ``channels`` of a layer don't fall into equal parts; say which numbers of parts would do."""
    if channels % parts:
        fit = [str(each) for each in range(1, 65) if channels % each == 0]
        raise MnError(
            f'{option} "{parts}" doesn\'t divide the {channels} channels of layer "{layer}"',
            hints=f"{option}: one of {', '.join(fit)}",
        )
