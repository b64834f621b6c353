"""Names of pictures -> their classes: ``<class>/picture``, with the parts train and test above, or not.

Pictures in one folder that holds nothing else but the set (``flowers/daisy/1.jpg``) are taken without it. Pictures in
no folder that are called ``IIII_wnid_name.jpg`` tell their class, too: IIII counts ImageNet's 1000 classes from 0.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

from mninfer.errors import InputError
from mnmodels.data.class_list import ClassList
from mnmodels.data.contents import Member

__all__ = ["INDEXED_NAME", "PARTS", "Classified", "classify_members"]

# What the parts of a set are called, best first. A validation part stands in for a test part without classes.
PARTS: Mapping[str, tuple[str, ...]] = {
    "train": ("train", "training"),
    "test": ("test", "testing", "val", "valid", "validation"),
}
_ALL_PARTS = tuple(name for names in PARTS.values() for name in names)
_NO_CLASS_FOLDERS = ("images", "")  # Tiny ImageNet's test part has its pictures in test/images/
INDEXED_NAME = re.compile(r"(\d{4})_(n\d{8})_(.+)")


@dataclass(frozen=True, slots=True)
class Classified:
    """``classes`` are indices into ``labels``, one to a member. The labels are those of all parts together."""

    members: tuple[Member, ...]
    labels: tuple[str, ...]
    classes: tuple[int, ...]


def classify_members(members: Sequence[Member], part: str, where: str, listed: ClassList | None = None) -> Classified:
    """The members of one part (all of them where the set has no parts), each with its class.

    Raises:
        InputError: there is no such part, a picture of it whose class nothing tells, or two parts without a class in
            common.
    """
    prefix = _wrapper([member.name for member in members])
    inside = [member.name.removeprefix(prefix) for member in members]
    parts = _parts(inside)
    telling = _telling_folders(inside, parts)
    classes = [_class(name, parts, listed, telling) for name in inside]
    if listed is not None and listed.in_order:
        classes = _in_order(inside, classes, listed, has_folders=bool(telling))
    labels_of = _labels_by_part(inside, classes, parts)
    _check_common(labels_of, where)
    wanted = _wanted_part(inside, classes, parts, part, where)
    chosen = [i for i, name in enumerate(inside) if wanted is None or name.startswith(f"{wanted}/")]
    for index in chosen:
        if classes[index] is None:
            raise _unclassified(members[index].name, where, listed)
    labels = tuple(sorted(set().union(*labels_of.values())))
    number = {label: index for index, label in enumerate(labels)}
    known = [(members[index], classes[index]) for index in chosen]
    return Classified(
        tuple(member for member, _ in known), labels, tuple(number[label] for _, label in known if label is not None)
    )


def _wrapper(names: Sequence[str]) -> str:
    """The first folders that all have in common, as long as folders of classes or parts are left below them."""
    prefix = ""
    while names:
        first = names[0].split("/")[0]
        is_wrapper = first.lower() not in _ALL_PARTS and all(
            name.startswith(f"{first}/") and name.count("/") >= 2 for name in names
        )
        if not is_wrapper:
            break
        prefix += f"{first}/"
        names = [name.removeprefix(f"{first}/") for name in names]
    return prefix


def _parts(names: Sequence[str]) -> dict[str, str]:
    """Parts by their lower-case name: folders called so that hold folders, or have no others beside them."""
    depth: dict[str, int] = {}
    for name in names:
        top = name.split("/")[0]
        depth[top] = max(depth.get(top, 0), name.count("/"))
    named = {top.lower(): top for top in sorted(depth) if top.lower() in _ALL_PARTS and depth[top]}
    has_folders = any(depth[top] >= 2 for top in named.values())
    return named if has_folders or (named and len(named) == len(depth)) else {}


def _telling_folders(names: Sequence[str], parts: Mapping[str, str]) -> set[str]:
    """The parts ("" where there are none) whose folders tell the classes: those with more than one.

    A list that happens to lie there is not asked about them: beside folders of classes, a ``val.txt`` is often a list
    of one project's own, with numbers for what the folders name.
    """
    found: dict[str, set[str]] = {}
    for name in names:
        if (label := _by_folder(name, parts)) is not None:
            found.setdefault(_part_of(name, parts), set()).add(label)
    return {part for part, labels in found.items() if len(labels) > 1}


def _class(name: str, parts: Mapping[str, str], listed: ClassList | None, telling: set[str]) -> str | None:
    """By a stated list first; by one that was found where no folder tells."""
    label = _by_folder(name, parts)
    is_told = label is not None and _part_of(name, parts) in telling
    if listed is not None and (listed.is_stated or not is_told) and (stated := listed.find(name)) is not None:
        return stated
    return label if label is not None else _indexed(name.rsplit("/", 1)[-1])


def _part_of(name: str, parts: Mapping[str, str]) -> str:
    top = name.split("/", maxsplit=1)[0]
    return top if top in parts.values() else ""


def _by_folder(name: str, parts: Mapping[str, str]) -> str | None:
    folders = name.split("/")[:-1]
    if folders and _part_of(name, parts):
        folders = folders[1:]
    return folders[0] if folders and (folders[0] not in _NO_CLASS_FOLDERS or not parts) else None


def _indexed(base: str) -> str | None:
    stem = base.rsplit(".", 1)[0]
    return stem if INDEXED_NAME.fullmatch(stem) else None


def _in_order(
    names: Sequence[str], classes: Sequence[str | None], listed: ClassList, *, has_folders: bool
) -> list[str | None]:
    """The list's lines belong to the pictures without a class's folder, in the order of their names."""
    loose = sorted(name for name, label in zip(names, classes, strict=True) if label is None)
    if not loose and has_folders and not listed.is_stated:
        return list(classes)
    if len(loose) != len(listed.in_order):
        raise InputError(
            f"{len(listed.in_order):,} classes for {len(loose):,} pictures without a class's folder", where=listed.where
        )
    found = dict(zip(loose, listed.in_order, strict=True))
    return [label or found[name] for name, label in zip(names, classes, strict=True)]


def _labels_by_part(
    names: Sequence[str], classes: Sequence[str | None], parts: Mapping[str, str]
) -> dict[str, set[str]]:
    """The labels of each part; what lies beside the parts of a set belongs to none, and is no class of it."""
    found: dict[str, set[str]] = {}
    for name, label in zip(names, classes, strict=True):
        part = _part_of(name, parts)
        if label is not None and (part or not parts):
            found.setdefault(part, set()).add(label)
    return found


def _check_common(labels_of: Mapping[str, set[str]], where: str) -> None:
    """Raise InputError for two parts without a class in common: their classes have other names, or none at all."""
    for one, other in combinations(sorted(labels_of), 2):
        if labels_of[one].isdisjoint(labels_of[other]):
            names = [f'{part} has "{min(labels_of[part])}" and so on' for part in (one, other)]
            raise InputError(
                f"{one} and {other} have no class in common: {', '.join(names)}",
                where=where,
                hints=(
                    "call each class the same in both: --classes-from FILE with lines of name and class",
                    "take a part away whose pictures have no classes",
                ),
            )


def _wanted_part(
    names: Sequence[str], classes: Sequence[str | None], parts: Mapping[str, str], part: str, where: str
) -> str | None:
    """The folder of the part that is asked for, the first of its names that has classes; None where there are none."""
    if not parts:
        return None
    with_classes = {name.split("/")[0] for name, label in zip(names, classes, strict=True) if label is not None}
    present = [parts[name] for name in PARTS[part] if name in parts]
    for folder in present:
        if folder in with_classes:
            return folder
    if present:
        return present[0]  # whose first picture will be named
    raise InputError(
        f"there is no {part} part: only {', '.join(parts.values())}",
        where=where,
        hints=f"a folder {' or '.join(PARTS[part])} beside it",
    )


def _unclassified(name: str, where: str, listed: ClassList | None) -> InputError:
    if listed is not None:
        return InputError(f'the list of classes has nothing for "{name}" or its folder', where=listed.where)
    return InputError(
        f'nothing tells the class of "{name}"',
        where=where,
        hints=("one folder to a class: FOLDER/<class>/picture.jpg", "--classes-from FILE with lines of name and class"),
    )
