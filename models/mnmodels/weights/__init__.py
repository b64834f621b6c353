"""Weights from elsewhere: a reader to each kind of file, one translation of names, one step that checks and assigns.

    path --read_weights--> NamedArrays --translate--> layer/variable -> array --fit--> checked --assign--> Keras model

Readers and translation are pure NumPy; only the last step needs Keras. The names below are imported when first used.
"""

from mninfer.lazy_names import lazy_names

TYPE_CHECKING = False  # what type checkers take for true: no import of typing for it
if TYPE_CHECKING:
    from mnmodels.weights.imagenet import load_imagenet_weights
    from mnmodels.weights.importing import ImportConfig, Imported, import_weights
    from mnmodels.weights.restricted_pickle import load_pickle
    from mnmodels.weights.sources import read_weights

__all__ = ["ImportConfig", "Imported", "import_weights", "load_imagenet_weights", "load_pickle", "read_weights"]

__getattr__, __dir__ = lazy_names(
    __name__,
    {
        "mnmodels.weights.imagenet": ("load_imagenet_weights",),
        "mnmodels.weights.importing": ("ImportConfig", "Imported", "import_weights"),
        "mnmodels.weights.restricted_pickle": ("load_pickle",),
        "mnmodels.weights.sources": ("read_weights",),
    },
)
