"""From a model's name or file to what is measured: flatbuffers, weights, one input for all engines and a reference.

The names below are the package's public face; they are imported when first used: reading a bundle needs mninfer alone.
No module has the name of one of its functions: importing the module would then hide the function here.
"""

from mninfer.lazy_names import lazy_names

TYPE_CHECKING = False  # what type checkers take for true: no import of typing for it
if TYPE_CHECKING:
    from mnbench.preparing.bundle import Bundle, read_bundle
    from mnbench.preparing.pipeline import offer_of, prepare
    from mnbench.preparing.request import refuse_namesakes

__all__ = ["Bundle", "offer_of", "prepare", "read_bundle", "refuse_namesakes"]

__getattr__, __dir__ = lazy_names(
    __name__,
    {
        "mnbench.preparing.bundle": ("Bundle", "read_bundle"),
        "mnbench.preparing.pipeline": ("offer_of", "prepare"),
        "mnbench.preparing.request": ("refuse_namesakes",),
    },
)
