"""Keras files of any era, read without running anything that they hold, and written with what travels inside.

The names below are the package's public face; they are imported when first used. ``read_source_contract``,
``write_source_contract`` and ``read_hdf5_arrays`` need neither Keras nor a backend.
"""

from mninfer.lazy_names import lazy_names

TYPE_CHECKING = False  # what type checkers take for true: no import of typing for it
if TYPE_CHECKING:
    from mnmodels.keras_file.hdf5 import read_hdf5_arrays
    from mnmodels.keras_file.load import FileKind, KerasFile, load_keras
    from mnmodels.keras_file.save import save_keras
    from mnmodels.keras_file.source_contract import read_source_contract, write_source_contract

__all__ = [
    "FileKind",
    "KerasFile",
    "load_keras",
    "read_hdf5_arrays",
    "read_source_contract",
    "save_keras",
    "write_source_contract",
]

__getattr__, __dir__ = lazy_names(
    __name__,
    {
        "mnmodels.keras_file.hdf5": ("read_hdf5_arrays",),
        "mnmodels.keras_file.load": ("FileKind", "KerasFile", "load_keras"),
        "mnmodels.keras_file.save": ("save_keras",),
        "mnmodels.keras_file.source_contract": ("read_source_contract", "write_source_contract"),
    },
)
