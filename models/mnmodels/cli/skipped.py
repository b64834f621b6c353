"""Pictures that were left out because they can't be read, told by name."""

from typing import TYPE_CHECKING

from mninfer.cli.output import note

if TYPE_CHECKING:
    from mnmodels.data import Pictures

__all__ = ["tell_skipped"]


def tell_skipped(*parts: "Pictures") -> None:
    """Name what each part lacks; parts that were split from one set lack the same, which is told once."""
    for skipped in {id(pictures.skipped): pictures.skipped for pictures in parts}.values():
        for each in skipped:
            note(f"skipped: {each.name}: {each.error.what}")
