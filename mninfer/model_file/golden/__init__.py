"""Golden vectors: known pictures with the tensor and the whole output that a model gives for them, made and compared.

``make_golden`` runs a model to record them, ``compare_golden`` runs one to check them; both take the engine's ``run``,
so that no engine is imported here. docs/formats.md states the pictures' formula and the rules of comparison.
"""

from typing import TYPE_CHECKING

from mninfer.lazy_names import lazy_names
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

# Classifying a picture needs neither making nor comparing.
__getattr__, __dir__ = lazy_names(
    __name__,
    {
        "mninfer.model_file.golden.compare": (
            "GoldenReport",
            "OutputComparison",
            "VectorComparison",
            "compare_golden",
        ),
        "mninfer.model_file.golden.make": ("make_golden", "record_golden"),
    },
)
