"""The MobileNets themselves, in Keras 3: architectures, weights, training, evaluation; a safe reader of Keras files."""

from mninfer.lazy_names import lazy_names

TYPE_CHECKING = False  # what type checkers take for true: no import of typing for it
if TYPE_CHECKING:
    from mnmodels.architectures.mobilenet_v1 import MobileNet
    from mnmodels.architectures.mobilenet_v2 import MobileNetV2
    from mnmodels.architectures.mobilenet_v2_grouped import MobileNetV2GC, MobileNetV2LGC
    from mnmodels.architectures.mobilenet_v3 import MobileNetV3Large, MobileNetV3Small
    from mnmodels.architectures.registry import build_model
    from mnmodels.counting.summarize import summarize

__all__ = [
    "MobileNet",
    "MobileNetV2",
    "MobileNetV2GC",
    "MobileNetV2LGC",
    "MobileNetV3Large",
    "MobileNetV3Small",
    "build_model",
    "summarize",
]

__getattr__, __dir__ = lazy_names(
    __name__,
    {
        "mnmodels.architectures.mobilenet_v1": ("MobileNet",),
        "mnmodels.architectures.mobilenet_v2": ("MobileNetV2",),
        "mnmodels.architectures.mobilenet_v2_grouped": ("MobileNetV2GC", "MobileNetV2LGC"),
        "mnmodels.architectures.mobilenet_v3": ("MobileNetV3Large", "MobileNetV3Small"),
        "mnmodels.architectures.registry": ("build_model",),
        "mnmodels.counting.summarize": ("summarize",),
    },
)
