"""A converted file is held against the float model it was made from, in memory, before anything is written.

The names below are the package's public face; they are imported when first used.
"""

from mninfer.lazy_names import lazy_names

TYPE_CHECKING = False  # what type checkers take for true: no import of typing for it
if TYPE_CHECKING:
    from mnconvert.verification.dtype_census import Census, Numbers, OperatorNumbers, census
    from mnconvert.verification.fidelity import OutputFidelity, OutputMeter
    from mnconvert.verification.layer_errors import LayerError, matching_operators, sqnr_by_operator
    from mnconvert.verification.limits import Limits
    from mnconvert.verification.pictures import NUM_PICTURES, PictureKind, num_pictures, shape_pictures
    from mnconvert.verification.result import Verification
    from mnconvert.verification.runtimes import RuntimeTrial, try_runtimes
    from mnconvert.verification.verifying import Reference, verify

__all__ = [
    "NUM_PICTURES",
    "Census",
    "LayerError",
    "Limits",
    "Numbers",
    "OperatorNumbers",
    "OutputFidelity",
    "OutputMeter",
    "PictureKind",
    "Reference",
    "RuntimeTrial",
    "Verification",
    "census",
    "matching_operators",
    "num_pictures",
    "shape_pictures",
    "sqnr_by_operator",
    "try_runtimes",
    "verify",
]

__getattr__, __dir__ = lazy_names(
    __name__,
    {
        "mnconvert.verification.dtype_census": ("Census", "Numbers", "OperatorNumbers", "census"),
        "mnconvert.verification.fidelity": ("OutputFidelity", "OutputMeter"),
        "mnconvert.verification.layer_errors": ("LayerError", "matching_operators", "sqnr_by_operator"),
        "mnconvert.verification.limits": ("Limits",),
        "mnconvert.verification.pictures": ("NUM_PICTURES", "PictureKind", "num_pictures", "shape_pictures"),
        "mnconvert.verification.result": ("Verification",),
        "mnconvert.verification.runtimes": ("RuntimeTrial", "try_runtimes"),
        "mnconvert.verification.verifying": ("Reference", "verify"),
    },
)
