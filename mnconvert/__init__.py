"""Keras MobileNets, and any Keras image model, to verified TFLite flatbuffers: int8 without data.

The names below are the package's public face; they are imported when first used.
"""

from importlib import import_module

TYPE_CHECKING = False  # what type checkers take for true: no import of typing for it
if TYPE_CHECKING:
    from mnconvert.config import ConvertConfig, Ends, Scores, Variant
    from mnconvert.conversion import Conversion, Failed, Report
    from mnconvert.pipeline import Watcher, convert, convert_all

__all__ = [
    "Conversion",
    "ConvertConfig",
    "Ends",
    "Failed",
    "Report",
    "Scores",
    "Variant",
    "Watcher",
    "convert",
    "convert_all",
]

_HOMES = {
    "mnconvert.config": ("ConvertConfig", "Ends", "Scores", "Variant"),
    "mnconvert.conversion": ("Conversion", "Failed", "Report"),
    "mnconvert.pipeline": ("Watcher", "convert", "convert_all"),
}
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names}


def __getattr__(name: str) -> object:
    if name not in _HOME_OF:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value: object = getattr(import_module(_HOME_OF[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
