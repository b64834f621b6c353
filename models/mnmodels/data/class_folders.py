"""Names of pictures -> their classes: ``<class>/picture``, with the parts train and test above, or not.

Pictures in one folder that holds nothing else but the set (``flowers/daisy/1.jpg``) are taken without it. Pictures in
no folder that are called ``IIII_wnid_name.jpg`` tell their class, too: IIII counts ImageNet's 1000 classes from 0.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

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


def classify_members(members: Sequence[Member], part: str, where: str, stated: ClassList | None = None) -> Classified:
    """The members of one part (all of them where the set has no parts), each with its class.

    Raises:
        InputError: there is no such part, or a picture of it whose class nothing tells.
    """
    prefix = _wrapper([member.name for member in members])
    inside = [member.name.removeprefix(prefix) for member in members]
    parts = _parts(inside, stated)
    classes = [_class(name, parts, stated) for name in inside]
    if stated is not None and stated.in_order:
        classes = _in_order(inside, classes, stated)
    wanted = _wanted_part(inside, classes, parts, part, where)
    chosen = [i for i, name in enumerate(inside) if wanted is None or name.startswith(f"{wanted}/")]
    for index in chosen:
        if classes[index] is None:
            raise _unclassified(members[index].name, where, stated)
    labels = tuple(sorted({label for label in classes if label is not None}))
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


def _parts(names: Sequence[str], stated: ClassList | None) -> dict[str, str]:
    """Parts by their lower-case name: folders called so that hold folders, or have no others beside them."""
    depth: dict[str, int] = {}
    for name in names:
        top = name.split("/")[0]
        depth[top] = max(depth.get(top, 0), name.count("/"))
    named = {top.lower(): top for top in sorted(depth) if top.lower() in _ALL_PARTS and depth[top]}
    has_folders = any(depth[top] >= 2 for top in named.values())
    return named if has_folders or (named and len(named) == len(depth)) else {}


def _class(name: str, parts: Mapping[str, str], stated: ClassList | None) -> str | None:
    if stated is not None and (label := stated.find(name)) is not None:
        return label
    folders = name.split("/")[:-1]
    if parts and folders and folders[0] in parts.values():
        folders = folders[1:]
    if folders:
        return folders[0] if folders[0] not in _NO_CLASS_FOLDERS or not parts else None
    return _indexed(name.rsplit("/", 1)[-1])


def _indexed(base: str) -> str | None:
    stem = base.rsplit(".", 1)[0]
    return stem if INDEXED_NAME.fullmatch(stem) else None


def _in_order(names: Sequence[str], classes: Sequence[str | None], stated: ClassList) -> list[str | None]:
    """The list's lines belong to the pictures without a class's folder, in the order of their names."""
    loose = sorted(name for name, label in zip(names, classes, strict=True) if label is None)
    if len(loose) != len(stated.in_order):
        raise InputError(
            f"{len(stated.in_order):,} classes for {len(loose):,} pictures without a class's folder", where=stated.where
        )
    found = dict(zip(loose, stated.in_order, strict=True))
    return [label or found[name] for name, label in zip(names, classes, strict=True)]


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


def _unclassified(name: str, where: str, stated: ClassList | None) -> InputError:
    if stated is not None:
        return InputError(f'the list of classes has nothing for "{name}" or its folder', where=stated.where)
    return InputError(
        f'nothing tells the class of "{name}"',
        where=where,
        hints=("one folder to a class: FOLDER/<class>/picture.jpg", "--classes-from FILE with lines of name and class"),
    )
