"""Names of pictures -> their classes: ``<class>/picture``, with the parts train and test above, or not.

Pictures in one folder that holds nothing else but the set (``flowers/daisy/1.jpg``) are taken without it.
"""

from collections.abc import Mapping, Sequence

from mninfer.errors import InputError
from mnmodels.data.members import Member

__all__ = ["PARTS", "Part", "part_of", "sort_into_classes"]

Part = str
# What the parts of a set are called, best first. A validation part stands in for a test part that is not published.
PARTS: Mapping[Part, tuple[str, ...]] = {
    "train": ("train", "training"),
    "test": ("test", "testing", "val", "valid", "validation"),
}
_ALL_PARTS = tuple(name for names in PARTS.values() for name in names)


def part_of(members: Sequence[Member], part: Part, where: str) -> list[Member]:
    """The members of one part, their names without it; all of them where the set has no parts.

    Raises:
        InputError: the set has parts, and this one is not among them.
    """
    members = _without_wrapper(members)
    tops = {member.name.split("/")[0] for member in members if member.name.count("/") >= 2}
    present = {top.lower(): top for top in sorted(tops) if top.lower() in _ALL_PARTS}
    if not present:
        return members
    chosen = next((present[name] for name in PARTS[part] if name in present), None)
    if chosen is None:
        other = next(other for other in PARTS if other != part)
        raise InputError(
            f"there is no {part} part: {', '.join(present.values())} alone", where=where, hints=f"--split {other}"
        )
    prefix = f"{chosen}/"
    return [Member(m.name.removeprefix(prefix), m.source) for m in members if m.name.startswith(prefix)]


def sort_into_classes(members: Sequence[Member], where: str) -> tuple[tuple[str, ...], list[int]]:
    """(labels, one index into them per member): the first folder of each name, in sorted order.

    Raises:
        InputError: a picture lies in no class's folder.
    """
    loose = [member.name for member in members if "/" not in member.name]
    if loose:
        raise InputError(
            f'"{loose[0]}" is in no folder that would tell its class', where=where,
            hints="one folder to a class: FOLDER/<class>/picture.jpg",
        )  # fmt: skip
    names = [member.name.split("/")[0] for member in members]
    labels = tuple(sorted(set(names)))
    index_of = {label: index for index, label in enumerate(labels)}
    return labels, [index_of[name] for name in names]


def _without_wrapper(members: Sequence[Member]) -> list[Member]:
    """Take away a first folder that all have in common, as long as folders of classes or parts are left below it."""
    while members:
        first = members[0].name.split("/")[0]
        inside = first.lower() not in _ALL_PARTS and all(
            member.name.startswith(f"{first}/") and member.name.count("/") >= 2 for member in members
        )
        if not inside:
            break
        members = [Member(member.name.removeprefix(f"{first}/"), member.source) for member in members]
    return list(members)
