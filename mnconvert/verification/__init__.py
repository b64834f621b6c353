"""A converted file is held against the float model it was made from, in memory, before anything is written.

The names below are the package's public face; they are imported when first used.
"""

from importlib import import_module

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

_HOMES = {
    "dtype_census": ("Census", "Numbers", "OperatorNumbers", "census"),
    "fidelity": ("OutputFidelity", "OutputMeter"),
    "layer_errors": ("LayerError", "matching_operators", "sqnr_by_operator"),
    "limits": ("Limits",),
    "pictures": ("NUM_PICTURES", "PictureKind", "num_pictures", "shape_pictures"),
    "result": ("Verification",),
    "runtimes": ("RuntimeTrial", "try_runtimes"),
    "verifying": ("Reference", "verify"),
}
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names}


def __getattr__(name: str) -> object:
    if name not in _HOME_OF:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value: object = getattr(import_module(f"{__name__}.{_HOME_OF[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
