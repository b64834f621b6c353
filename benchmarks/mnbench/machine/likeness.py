"""What two machines differ in, so far as it decides how long things take; and which packages differ on them."""

from collections.abc import Iterator, Mapping
from typing import Any

from mnbench.own_version import is_same_version

__all__ = ["changed_packages", "unlike_facts"]

# What decides, by its place in read_facts; each with its name in a sentence. Memory, system and libraries don't.
_DECIDING = {
    ("cpu", "model"): "CPU",
    ("cpu", "architecture"): "architecture",
    ("cpu", "cores_usable"): "usable cores",
    ("cpu", "quota_cores"): "cores of the container's share",
    ("cpu", "governor"): "governor",
    ("gpu", "name"): "GPU",
    ("board",): "board",
    ("virtual_machine",): "virtual machine",
    ("emulator",): "emulator",
}
_ABSENT = object()


def unlike_facts(before: Mapping[str, Any], after: Mapping[str, Any]) -> tuple[str, ...]:
    """Each deciding fact that both tell (that there is none is told, too) and that differs, in words."""
    found = list(_other_instructions(before, after))
    for place, name in _DECIDING.items():
        values = _at(before, place), _at(after, place)
        if _ABSENT not in values and values[0] != values[1]:
            found.append(f"{name} {_spelled(values[0])} and {_spelled(values[1])}")
    return tuple(found)


def changed_packages(before: Mapping[str, Any], after: Mapping[str, Any]) -> tuple[str, ...]:
    """Packages that both have in different versions, in this Python or in another engine's own environment."""
    own, others = (_changes(_at(before, place), _at(after, place)) for place in (("packages",), ("environments",)))
    return (*own, *(f"{change} in its environment" for change in others))


def _other_instructions(before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[str]:
    """What only one of two CPUs of one name can: a hypervisor may hide which they are. An empty list tells nothing."""
    old, new = (_at(facts, ("cpu", "flags")) for facts in (before, after))
    is_told = all(isinstance(flags, list) and flags for flags in (old, new))
    if is_told and _at(before, ("cpu", "model")) == _at(after, ("cpu", "model")):
        alone = sorted(set(map(str, old)) ^ set(map(str, new)))
        if alone:
            yield f"instructions that one CPU alone has: {', '.join(alone)}"


def _changes(before: object, after: object) -> Iterator[str]:
    if isinstance(before, Mapping) and isinstance(after, Mapping):
        for name in sorted(set(before) & set(after)):
            if not is_same_version(str(before[name]), str(after[name])):
                yield f"{name} {before[name]} -> {after[name]}"


def _at(facts: Mapping[str, Any], place: tuple[str, ...]) -> Any:
    """The value there; None within what is None: without a GPU, it has no name."""
    value: Any = facts
    for name in place:
        if value is None:
            return None
        value = value.get(name, _ABSENT) if isinstance(value, Mapping) else _ABSENT
    return value


def _spelled(value: object) -> str:
    if value is None:
        return "none"
    return f'"{value}"' if isinstance(value, str) else str(value)
