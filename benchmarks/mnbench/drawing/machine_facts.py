"""A machine's facts as names and values to be read: units spelled, what changed meanwhile told before and after."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from mnbench.record import Record
from mnbench.showing.figures import spell_bytes

__all__ = ["machine_facts"]

_MOST_LETTERS = 400
_WORDS = {"cpu": "CPU", "gpu": "GPU", "libc": "C library"}


def _spell_size(size: float) -> str:
    """Gigabytes, as memory has them; what is smaller as files."""
    return f"{size / 1e9:.1f} GB" if size >= 1e9 else spell_bytes(size)


_UNITS: Mapping[str, Callable[[float], str]] = {
    "_bytes": _spell_size,
    "_mhz": lambda value: f"{value:,.0f} MHz",
    "_c": lambda value: f"{value:g} °C",
}


def machine_facts(record: Record) -> tuple[tuple[str, str], ...]:
    """Names and values, in the record's order; what is not known is left out."""
    before = record.machine.get("before", record.machine)
    after = record.machine.get("after", {})
    found = dict(_spelled(before, ()))
    later = dict(_spelled(after, ()))
    return tuple(
        (name, value if later.get(name, value) == value else f"{value}, afterwards {later[name]}")
        for name, value in found.items()
    )


def _spelled(value: Any, path: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    """Leaves of objects, each with the way to it."""
    if isinstance(value, Mapping):
        if path and path[-1] in ("packages", "environments"):
            yield _name(path), _cut(", ".join(f"{name} {version}" for name, version in value.items()))
            return
        for key, item in value.items():
            yield from _spelled(item, (*path, str(key)))
    elif value not in (None, "", []):
        yield _name(path), _cut(_text(value, path[-1] if path else ""))


def _text(value: Any, key: str) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int | float):
        return next((spell(value) for unit, spell in _UNITS.items() if key.endswith(unit)), f"{value:g}")
    if isinstance(value, list):
        return ", ".join(str(each) for each in value)
    return str(value)


def _name(path: tuple[str, ...]) -> str:
    """Turn cpu, max_mhz into "CPU max": the value has the unit."""
    words = []
    for key in path:
        unit = next((unit for unit in _UNITS if key.endswith(unit)), "")
        plain = key.removesuffix(unit).removeprefix("is_").replace("_", " ")
        words.append(_WORDS.get(plain, plain))
    return " ".join(words) or "machine"


def _cut(text: str) -> str:
    return text if len(text) <= _MOST_LETTERS else f"{text[:_MOST_LETTERS]}…"
