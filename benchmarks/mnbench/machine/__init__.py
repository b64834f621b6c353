"""What kind of machine measures, and in what state it is: read from the system's own files, never failing.

Nothing that names the machine or its user is read. What a system doesn't tell is None.
"""

from mninfer.lazy_names import lazy_names

TYPE_CHECKING = False  # what type checkers take for true: no import of typing for it
if TYPE_CHECKING:
    from mnbench.machine.conditions import read_conditions
    from mnbench.machine.core_order import fastest_cores
    from mnbench.machine.energy import EnergyMeter
    from mnbench.machine.facts import read_facts
    from mnbench.machine.host import Host

__all__ = ["EnergyMeter", "Host", "fastest_cores", "read_conditions", "read_facts"]

__getattr__, __dir__ = lazy_names(
    __name__,
    {
        "mnbench.machine.conditions": ("read_conditions",),
        "mnbench.machine.energy": ("EnergyMeter",),
        "mnbench.machine.facts": ("read_facts",),
        "mnbench.machine.core_order": ("fastest_cores",),
        "mnbench.machine.host": ("Host",),
    },
)
