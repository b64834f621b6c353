"""What comes after the last feature map: a classifier's ending, or none, pooled or not."""

from dataclasses import dataclass
from typing import Any

from keras import layers

from mninfer.errors import MnError

__all__ = ["Top"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Top:
    """Whether there is a classifier, of how many classes; else how the last feature map is pooled."""

    include_top: bool
    classes: int
    dropout: float
    pooling: str | None

    def __post_init__(self) -> None:
        if self.include_top and self.pooling:
            raise MnError(
                f'pooling "{self.pooling}" is for a network without its top: the classifier pools by itself',
                hints="include_top=False with it, or no pooling",
            )

    def pooled(self, x: Any) -> Any:
        """The features of a network without its top."""
        if self.pooling is None:
            return x
        pool = layers.GlobalAveragePooling2D if self.pooling == "avg" else layers.GlobalMaxPooling2D
        return pool(name=f"{self.pooling}_pool")(x)

    def dropped_out(self, x: Any) -> Any:
        """``x`` with dropout, where there is any."""
        return layers.Dropout(self.dropout, name="dropout")(x) if self.dropout else x
