"""How hot the processor is."""

from collections.abc import Iterator

from mnbench.machine.host import Host

__all__ = ["read_temperature_c"]

# What kernels call the processor's own sensors: thermal zones by type, hwmon's drivers by name.
_ZONES = ("x86_pkg_temp", "cpu-thermal", "cpu_thermal", "soc-thermal", "soc_thermal", "bcm2835_thermal", "cpu")
_DRIVERS = ("coretemp", "k10temp", "zenpower", "cpu_thermal")
_COLDEST_C, _HOTTEST_C = -60, 150  # beyond is a sensor that isn't connected


def read_temperature_c(host: Host) -> float | None:
    """The hottest of its sensors, in degrees Celsius."""
    found = [milli / 1000 for milli in (*_zones(host), *_sensors(host))]
    believed = [celsius for celsius in found if _COLDEST_C < celsius < _HOTTEST_C]
    return max(believed) if believed else None


def _zones(host: Host) -> Iterator[int]:
    home = "sys/class/thermal"
    for name in host.names(home):
        kind = host.line(f"{home}/{name}/type") or ""
        value = host.number(f"{home}/{name}/temp") if kind.startswith(_ZONES) else None
        if value is not None:
            yield value


def _sensors(host: Host) -> Iterator[int]:
    home = "sys/class/hwmon"
    for driver in host.names(home):
        if (host.line(f"{home}/{driver}/name") or "") not in _DRIVERS:
            continue
        for name in host.names(f"{home}/{driver}"):
            value = host.number(f"{home}/{driver}/{name}") if name.startswith("temp") else None
            if value is not None and name.endswith("_input"):
                yield value
