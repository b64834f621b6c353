"""What a person states of a model's preprocessing, laid over what its file says: the rest stays."""

from dataclasses import dataclass, replace
from typing import Any

from mninfer.errors import PreprocessError
from mninfer.preprocessing.parse import parse_interpolation, parse_preprocess, parse_resize
from mninfer.preprocessing.spec import Interpolation, PreprocessSource, PreprocessSpec, Resize

__all__ = ["StatedPreprocess"]


@dataclass(frozen=True, slots=True, kw_only=True)
class StatedPreprocess:
    """A request; None leaves a part as the file says.

    Of ``preprocess`` mean, std and order count; ``crop_fraction`` is that of ``Resize.CROP``, as in a PreprocessSpec.
    """

    preprocess: PreprocessSpec | None = None
    resize: Resize | None = None
    crop_fraction: float = 1.0
    interpolation: Interpolation | None = None

    @classmethod
    def parse(
        cls,
        *,
        preprocess: PreprocessSpec | str | None = None,
        resize: str | None = None,
        interpolation: str | None = None,
    ) -> "StatedPreprocess":
        """Read texts as ``parse_preprocess``, ``parse_resize`` and ``parse_interpolation`` do.

        A PreprocessSpec states all of it, but for what is stated beside it. Raises PreprocessError.
        """
        parts: dict[str, Any] = {}
        if isinstance(preprocess, PreprocessSpec):
            parts = {name: getattr(preprocess, name) for name in ("resize", "crop_fraction", "interpolation")}
        if resize is not None:
            parts["resize"], parts["crop_fraction"] = parse_resize(resize)
        if interpolation is not None:
            parts["interpolation"] = parse_interpolation(interpolation)
        spec = parse_preprocess(preprocess) if isinstance(preprocess, str) else preprocess
        return cls(preprocess=spec, **parts)

    @property
    def is_empty(self) -> bool:
        """Whether nothing is stated."""
        return self.preprocess is None and self.resize is None and self.interpolation is None

    def over(self, base: PreprocessSpec | None) -> PreprocessSpec:
        """The whole preprocessing: what is stated, and the rest from ``base``, which the file says.

        Raises:
            PreprocessError: neither says how pixels become numbers.
        """
        whole = base or self.preprocess
        if whole is None:
            raise PreprocessError(
                "the file does not say how pixels become numbers, so the resizing alone is not enough",
                hints="state both: --preprocess inception|torch|caffe|raw|mean=..,std=..",
            )
        parts: dict[str, Any] = {}
        if self.preprocess is not None:
            parts = {name: getattr(self.preprocess, name) for name in ("mean", "std", "order")}
        if self.resize is not None:
            parts |= {"resize": self.resize, "crop_fraction": self.crop_fraction}
        if self.interpolation is not None:
            parts["interpolation"] = self.interpolation
        return replace(whole, **parts, source=PreprocessSource.STATED)
