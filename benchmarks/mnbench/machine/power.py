"""Where the current comes from: on a battery, machines slow themselves down."""

from mnbench.machine.host import Host

__all__ = ["is_on_battery"]

_HOME = "sys/class/power_supply"
_MAINS = ("Mains", "USB", "USB_C", "USB_PD", "Wireless")


def is_on_battery(host: Host) -> bool | None:
    """Whether the machine's battery empties; None where there is neither battery nor mains to be seen."""
    if host.system == "darwin":
        told = host.ask(("pmset", "-g", "batt"))
        return None if told is None else "'Battery Power'" in told
    supplies = [f"{_HOME}/{name}" for name in host.names(_HOME)]
    own = [each for each in supplies if host.line(f"{each}/scope") != "Device"]  # a mouse has a battery, too
    kinds = {each: host.line(f"{each}/type") for each in own}
    mains = [host.number(f"{each}/online") for each, kind in kinds.items() if kind in _MAINS]
    states = [host.line(f"{each}/status") for each, kind in kinds.items() if kind == "Battery"]
    if not mains and not states:
        return None
    return "Discharging" in states and 1 not in mains
