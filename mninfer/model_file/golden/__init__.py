"""Golden vectors: known pictures with the tensor and the whole output that a model gives for them, made and compared.

``make_golden`` runs a model to record them, ``compare_golden`` runs one to check them; both take the engine's ``run``,
so that no engine is imported here. docs/formats.md states the pictures' formula and the rules of comparison.
"""

from importlib import import_module
from typing import TYPE_CHECKING

from mninfer.model_file.golden.picture import FORMULA, golden_picture, golden_size
from mninfer.model_file.golden.vector import GoldenOutput, GoldenVector

if TYPE_CHECKING:
    from mninfer.model_file.golden.compare import GoldenReport, OutputComparison, VectorComparison, compare_golden
    from mninfer.model_file.golden.make import make_golden, record_golden

__all__ = [
    "FORMULA",
    "GoldenOutput",
    "GoldenReport",
    "GoldenVector",
    "OutputComparison",
    "VectorComparison",
    "compare_golden",
    "golden_picture",
    "golden_size",
    "make_golden",
    "record_golden",
]


_HOMES = {
    **dict.fromkeys(("GoldenReport", "OutputComparison", "VectorComparison", "compare_golden"), "compare"),
    **dict.fromkeys(("make_golden", "record_golden"), "make"),
}


def __getattr__(name: str) -> object:
    """Making and comparing are loaded when asked for: classifying a picture needs neither."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value: object = getattr(import_module(f"mninfer.model_file.golden.{_HOMES[name]}"), name)
    globals()[name] = value
    return value
