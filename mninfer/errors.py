"""The error family: every known failure says what happened, where, and what to try.

Anything else that reaches a user is a bug of ours. ``exit_code`` is what the command line returns for the error.
"""

from collections.abc import Sequence

__all__ = [
    "CalibrationError",
    "EngineError",
    "InputError",
    "KerasFileError",
    "MissingDependencyError",
    "MnError",
    "ModelFileError",
    "OutputError",
    "PreprocessError",
    "RecipeError",
    "UnsupportedModelError",
    "VariantError",
    "VerifyError",
]


class MnError(Exception):
    """Root of the family. ``what`` is one sentence; ``where`` a place; ``hints`` what to try, best first."""

    exit_code = 1

    def __init__(self, what: str, *, where: str | None = None, hints: Sequence[str] | str = ()) -> None:
        self.what = what
        self.where = where
        self.hints = (hints,) if isinstance(hints, str) else tuple(hints)
        super().__init__(what)

    def __str__(self) -> str:
        lines = [self.what]
        if self.where:
            lines.append(f"  where: {self.where}")
        lines += [f"  {'try:  ' if i == 0 else '   or:'} {hint}" for i, hint in enumerate(self.hints)]
        return "\n".join(lines)

    def at(self, where: str) -> "MnError":
        """The same error, located: fills ``where`` in if it was not known where the error was raised."""
        self.where = self.where or where
        return self


class ModelFileError(MnError):
    """The bytes are not a usable TFLite model: not a flatbuffer at all, damaged, or inconsistent."""


class KerasFileError(MnError):
    """The bytes are not a usable Keras model: not one at all, damaged, or inconsistent."""


class UnsupportedModelError(MnError):
    """A sound model that asks for something this runtime does not do; ``offenders`` lists all of it."""

    def __init__(
        self, what: str, *, offenders: Sequence[str] = (), where: str | None = None, hints: Sequence[str] | str = ()
    ) -> None:
        self.offenders = tuple(offenders)
        super().__init__(what, where=where, hints=hints)


class VariantError(UnsupportedModelError):
    """A form that this model cannot be given, or a stated runtime not load, whatever is done; others it can."""


class PreprocessError(MnError):
    """It is not known how a picture becomes the input tensor, or what is stated does not fit the model."""


class RecipeError(MnError):
    """A recipe asks for what there is not, or contradicts itself."""


class CalibrationError(MnError):
    """The pictures or tensors that ranges would be measured on are not what the model will see."""


class InputError(MnError):
    """A picture, array or video cannot be used."""


class EngineError(MnError):
    """The engine refused the model or failed while running it."""


class MissingDependencyError(MnError):
    """A package that this step needs is not installed; the first hint is the install command."""


class OutputError(MnError):
    """A result could not be written."""


class VerifyError(MnError):
    """A model does not do what its golden vectors say; ``report`` holds the comparison."""

    exit_code = 3

    def __init__(
        self, what: str, *, report: object = None, where: str | None = None, hints: Sequence[str] | str = ()
    ) -> None:
        self.report = report
        super().__init__(what, where=where, hints=hints)
