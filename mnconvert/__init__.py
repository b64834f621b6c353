"""Keras MobileNets, and any Keras image model, to verified TFLite flatbuffers: int8 without data.

The names below are the package's public face; they are imported when first used.
"""

from mninfer.lazy_names import lazy_names

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

__getattr__, __dir__ = lazy_names(
    __name__,
    {
        "mnconvert.config": ("ConvertConfig", "Ends", "Scores", "Variant"),
        "mnconvert.conversion": ("Conversion", "Failed", "Report"),
        "mnconvert.pipeline": ("Watcher", "convert", "convert_all"),
    },
)
