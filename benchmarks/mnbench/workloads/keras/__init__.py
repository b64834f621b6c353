"""A training framework's passes: a Keras model on TensorFlow, JAX or torch, forward, or forward and backward.

The names below are the package's public face; they are imported when first used, and a framework when one is opened.
"""

from mninfer.lazy_names import lazy_names

TYPE_CHECKING = False  # what type checkers take for true: no import of typing for it
if TYPE_CHECKING:
    from mnbench.workloads.keras.opening import open_workload
    from mnbench.workloads.keras.saturation import Saturation, find_saturating_batch, saturating_batch

__all__ = ["Saturation", "find_saturating_batch", "open_workload", "saturating_batch"]

__getattr__, __dir__ = lazy_names(
    __name__,
    {
        "mnbench.workloads.keras.opening": ("open_workload",),
        "mnbench.workloads.keras.saturation": ("Saturation", "find_saturating_batch", "saturating_batch"),
    },
)
