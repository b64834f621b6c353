"""Flatbuffers of one Keras file in several forms, by mnconvert: a file, or the reason why there is none."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from mnbench.cell import Variant
from mninfer.errors import MissingDependencyError

__all__ = ["Made", "Unmade", "backend_here", "convert_forms", "refuse_without_keras"]

# The forms in mnconvert's words; BatchNorm is folded in all but one.
_QUANTIZATIONS = {
    Variant.FLOAT32: "none",
    Variant.UNFUSED: "none",
    Variant.FP16: "fp16",
    Variant.DYNAMIC: "dynamic",
    Variant.INT8: "int8",
    Variant.INT16X8: "int16x8",
}
_INSTALL_LINE = 'python -m pip install tensorflow "keras>=3.15" h5py'


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """A flatbuffer; ``facts`` say how near it is to the float model, on mnconvert's pictures."""

    variant: Variant
    batch: int
    data: bytes
    facts: dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Unmade:
    """Why a model can't be had in a form."""

    variant: Variant
    batch: int
    reason: str


def refuse_without_keras(name: str, *, has_flatbuffers: bool) -> None:
    """Raise MissingDependencyError where a Keras model can't be prepared: flatbuffers need TensorFlow, weights either.

    Both ways out are told: the install line, and another machine that prepares.
    """
    if find_spec("keras") is not None and (backend_here() == "tensorflow" or (backend_here() and not has_flatbuffers)):
        return
    what = "TensorFlow and Keras make the flatbuffers" if has_flatbuffers else "Keras makes the weights"
    raise MissingDependencyError(
        f'{what} of "{name}", and {"they are" if has_flatbuffers else "it is"} not installed',
        hints=(
            _INSTALL_LINE,
            "mnbench prepare on a machine that has it, and the folder that it makes carried here: --models FOLDER",
            "mnbench run --on ssh:USER@HOST from that machine",
        ),
    )


def backend_here() -> str | None:
    """What Keras would run on: TensorFlow, which converts as well; else JAX."""
    return next((name for name in ("tensorflow", "jax") if find_spec(name) is not None), None)


def convert_forms(
    path: Path, forms: Sequence[tuple[Variant, int]], watcher: Callable[[str], None]
) -> tuple[Made | Unmade, ...]:
    """Convert the Keras file at ``path`` to every (variant, batch) of ``forms``.

    Raises:
        MnError: the file can't be opened.
    """
    from mnconvert import ConvertConfig, convert_all

    configs = [
        ConvertConfig(variant=_QUANTIZATIONS[variant], is_fused=variant is not Variant.UNFUSED, batch=batch)  # type: ignore[arg-type]
        for variant, batch in forms
    ]
    outcomes = convert_all(path, configs, watcher=_Stages(forms, watcher))
    return tuple(_outcome(*form, outcome) for form, outcome in zip(forms, outcomes, strict=True))


def _outcome(variant: Variant, batch: int, outcome: Any) -> Made | Unmade:
    """A file that isn't near enough to the float model is measured all the same: its time doesn't depend on that."""
    from mnconvert import Failed
    from mninfer.errors import MnError

    conversion, error = outcome, None
    if isinstance(outcome, Failed):
        conversion, error = outcome.conversion, outcome.error
    if conversion is None:
        reason = error.what if isinstance(error, MnError) else str(error)
        return Unmade(variant=variant, batch=batch, reason=" ".join(reason.split()))
    verification = conversion.report.verification
    (first, *_) = verification.outputs
    facts = {
        "agreement": None if first.agreement is None else round(first.agreement, 3),
        "sqnr_db": round(first.sqnr_db, 1),
        "num_pictures": verification.num_pictures,
        "failures": list(verification.failures),
    }
    return Made(variant=variant, batch=batch, data=conversion.data, facts=facts)


class _Stages:
    """mnconvert's watcher: of its stages, the first of each form is told, by the form's name here."""

    def __init__(self, forms: Sequence[tuple[Variant, int]], watcher: Callable[[str], None]) -> None:
        self._forms = iter(forms)
        self._watcher = watcher

    def stage(self, name: str) -> None:
        if name.startswith("lowering"):
            variant, batch = next(self._forms)
            self._watcher(f"making {variant}" + (f" for a batch of {batch}" if batch != 1 else ""))
