"""What two machines differ in, so far as it decides how long things take; and which packages differ on them."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from mnbench.machine.packages import DISTRIBUTIONS
from mnbench.own_version import is_same_version

__all__ = ["changed_packages", "changed_runtime", "unlike_facts"]

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
# What mninfer runs on where nobody names it, in the order in which it takes them: an engine, and a decoder of photos.
_TAKEN = (("ai_edge_litert", "tflite_runtime", "tensorflow"), ("simplejpeg",), ("cv2",))
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
    """Another Python; packages that both have in different versions, or of which each has another distribution, in this
    Python or in another engine's own environment.
    """
    own, others = (_changes(_at(before, place), _at(after, place)) for place in (("packages",), ("environments",)))
    found = (*own, *_other_distributions(before, after), *(f"{change} in its environment" for change in others))
    python = _at(before, ("python",)), _at(after, ("python",))
    is_other = all(isinstance(each, str) for each in python) and python[0] != python[1]
    return (f"{python[0]} -> {python[1]}", *found) if is_other else found


def changed_runtime(before: Mapping[str, Any], after: Mapping[str, Any]) -> tuple[str, ...]:
    """Where mninfer takes another engine or decoder now, or one where there was none."""
    packages = _at(before, ("packages",)), _at(after, ("packages",))
    if not all(isinstance(each, Mapping) for each in packages):
        return ()
    pairs = (
        tuple(next((name for name in names if _brought(each, name)), None) for each in packages) for names in _TAKEN
    )
    return tuple(f"{old or 'none'} -> {new or 'none'}" for old, new in pairs if old != new)


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


def _other_distributions(before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[str]:
    """A package that another distribution brings now, as opencv-python-headless brings what opencv-python did."""
    packages = _at(before, ("packages",)), _at(after, ("packages",))
    if all(isinstance(each, Mapping) for each in packages):
        for name in DISTRIBUTIONS:
            old, new = (_brought(each, name) for each in packages)
            if old and new and not set(old) & set(new):
                yield f"{_listed(packages[0], old)} -> {_listed(packages[1], new)}"


def _brought(packages: Mapping[str, Any], name: str) -> list[str]:
    """The distributions among ``packages`` that bring the package ``name``."""
    return [each for each in DISTRIBUTIONS.get(name, (name,)) if each in packages]


def _listed(packages: Mapping[str, Any], names: Iterable[str]) -> str:
    return ", ".join(f"{name} {packages[name]}" for name in names)


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
