"""How long MobileNets take on a device: measured in fresh processes, doubted, compared, shown.

The names below are the package's public face; they are imported when first used.
"""

from mninfer.lazy_names import lazy_names

TYPE_CHECKING = False  # what type checkers take for true: no import of typing for it
if TYPE_CHECKING:
    from mnbench.cell import Cell
    from mnbench.record import Record, Row

__all__ = ["Cell", "Record", "Row"]

__getattr__, __dir__ = lazy_names(
    __name__,
    {
        "mnbench.cell": ("Cell",),
        "mnbench.record": ("Record", "Row"),
    },
)
